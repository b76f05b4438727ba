"""The values that an execution is given for its pipeline's parameters."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from sagedock.local.pipelines.definition import Definition, Parameter

__all__ = ["WrongParameters", "given", "values"]


class WrongParameters(ValueError):
    """An execution cannot have these; the message says why."""


def given(
    definition: Definition, asked: Sequence[Mapping[str, str]]
) -> tuple[Mapping[str, str], ...]:
    """Return the parameters that an execution is started with, checked: those it was given.

    Raises WrongParameters. Source of the words on an empty text: row 145; others are unverified.
    """
    seen: set[str] = set()
    for each in asked:
        name, text = each["Name"], each["Value"]
        if name in seen:
            raise WrongParameters(f"Parameter [{name}] is given more than once")
        seen.add(name)
        parameter = definition.parameters.get(name)
        if parameter is None:
            raise WrongParameters(f"Parameter [{name}] is not declared in the pipeline")
        if text == "":
            raise WrongParameters('[string "" is too short (length: 0, required minimum: 1)]')
        value = _read(parameter, text)
        if parameter.allowed is not None and value not in parameter.allowed:
            listed = ", ".join(json.dumps(allowed) for allowed in parameter.allowed)
            raise WrongParameters(
                f"Parameter [{name}] value [{text}] is not one of the enum values [{listed}]"
            )
    for name, parameter in definition.parameters.items():
        if parameter.default is None and name not in seen:
            raise WrongParameters(f"Parameters [{name}] must have a value")
    return tuple({"Name": each["Name"], "Value": each["Value"]} for each in asked)


def values(definition: Definition, asked: Sequence[Mapping[str, str]]) -> Mapping[str, Any]:
    """Return every parameter's value, by name, of its type."""
    texts = {each["Name"]: each["Value"] for each in asked}
    return {
        name: _read(each, texts[name]) if name in texts else each.default
        for name, each in definition.parameters.items()
    }


def _finite(number: float) -> float:
    """Return a number that JSON has, or raise ValueError."""
    if not math.isfinite(number):
        raise ValueError(f"{number} is no number of JSON")
    return number


def _read(parameter: Parameter, text: str) -> Any:
    try:
        match parameter.type:
            case "Integer":
                return int(text)
            case "Float":
                return _finite(float(text))
            case "Boolean":
                return {"true": True, "false": False}[text.lower()]
    except (ValueError, KeyError) as error:
        raise WrongParameters(
            f"Parameter [{parameter.name}] value [{text}] is not of type {parameter.type}"
        ) from error
    return text
