"""What callbacks and functions answer, by the types that their steps declare for it.

Source of the types: https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps.html
(Callback and Lambda steps). That a value of another type is refused is unverified.
"""

import math
from collections.abc import Mapping
from typing import Any

from sagedock.local.pipelines.definition import Step

__all__ = ["declared_outputs", "typed"]


def declared_outputs(step: Step) -> Mapping[str, str]:
    """Return the names of a step's outputs, each with its type."""
    rows = step.members.get("OutputParameters", ())
    return {each["OutputName"]: each.get("OutputType", "String") for each in rows}


def typed(value: Any, kind: str) -> Any:
    """Return a value, which may be text, as one of type ``kind``. Raises ValueError."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match kind:
        case "Integer" if isinstance(value, str) or is_number:
            number = int(value)
            if not isinstance(value, str) and number != value:
                raise ValueError(f"{value!r} is no whole number")
            return number
        case "Float" if isinstance(value, str) or is_number:
            if not math.isfinite(fraction := float(value)):
                raise ValueError(f"{value!r} is no number of JSON")
            return fraction
        case "Boolean" if isinstance(value, bool):
            return value
        case "Boolean" if isinstance(value, str) and value.lower() in ("true", "false"):
            return value.lower() == "true"
        case "Integer" | "Float" | "Boolean":
            raise ValueError(f"{value!r} is not of type {kind}")
    return value
