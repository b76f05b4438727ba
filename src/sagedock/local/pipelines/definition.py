"""A pipeline's definition, as data.

Source: the schema that AWS publishes for version 2020-12-01 ("SageMaker Pipeline Definition JSON
schema"), and what the SDKs write.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Branch", "Definition", "Parameter", "ParameterType", "Step"]

ParameterType = Literal["String", "Integer", "Float", "Boolean"]


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """What an execution may be given. ``default`` is None for one that must be given."""

    name: str
    type: ParameterType
    default: Any = None
    allowed: tuple[Any, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Branch:
    """Where a step is nested: in a condition step, among the steps for one of its outcomes."""

    condition: str
    outcome: bool


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step. ``within`` is the innermost condition step's branch that it lies in; ``members``
    are what only some kinds have beside their arguments, as the definition has them.
    """

    name: str
    type: str
    arguments: Any
    display_name: str | None = None
    description: str | None = None
    depends_on: tuple[str, ...] = ()
    within: Branch | None = None
    members: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A whole pipeline. ``steps`` holds every step, those of branches too, by name.

    ``experiment`` has the names of the experiment and of the trial, either or none, that executions
    belong to; it is None where they belong to none.
    """

    parameters: Mapping[str, Parameter]
    steps: Mapping[str, Step]
    experiment: Mapping[str, Any] | None = None
