"""Conditions of a condition step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sagedock.jobs.pipeline.references import emitted

__all__ = ["Compared", "Condition", "Either", "OneOf", "Opposite"]

Comparison = Literal[
    "Equals",
    "GreaterThan",
    "GreaterThanOrEqualTo",
    "LessThan",
    "LessThanOrEqualTo",
]


class Condition:
    """Something that holds, or does not, when the pipeline runs."""

    def definition(self) -> dict[str, Any]:
        """Return the condition as the definition has it."""
        raise NotImplementedError


@dataclass(frozen=True)
class Compared(Condition):
    """Two values, compared: ``Compared(accuracy, "GreaterThanOrEqualTo", 0.9)``."""

    left: Any
    comparison: Comparison
    right: Any

    def definition(self) -> dict[str, Any]:
        """Return the condition as the definition has it."""
        return {
            "Type": self.comparison,
            "LeftValue": emitted(self.left),
            "RightValue": emitted(self.right),
        }


@dataclass(frozen=True)
class OneOf(Condition):
    """A value that is one of several."""

    value: Any
    values: Sequence[Any]

    def definition(self) -> dict[str, Any]:
        """Return the condition as the definition has it."""
        return {
            "Type": "In",
            "QueryValue": emitted(self.value),
            "Values": [emitted(each) for each in self.values],
        }


@dataclass(frozen=True)
class Opposite(Condition):
    """A condition that does not hold."""

    condition: Condition

    def definition(self) -> dict[str, Any]:
        """Return the condition as the definition has it."""
        return {"Type": "Not", "Condition": self.condition.definition()}


@dataclass(frozen=True)
class Either(Condition):
    """Conditions of which one holds, or more."""

    conditions: Sequence[Condition]

    def definition(self) -> dict[str, Any]:
        """Return the condition as the definition has it."""
        return {"Type": "Or", "Conditions": [each.definition() for each in self.conditions]}
