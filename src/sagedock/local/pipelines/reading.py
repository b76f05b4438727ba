"""From the text of a pipeline's definition to its data, or to the service's words for what is
wrong with it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast, get_args

from sagedock.local.pipelines.definition import (
    Branch,
    Definition,
    Parameter,
    ParameterType,
    Step,
)

__all__ = ["Unreadable", "read_definition"]

_VERSION = "2020-12-01"
_NAME = re.compile(r"[A-Za-z0-9\-_]{1,64}")
_TOP = frozenset({"Version", "Metadata", "Parameters", "PipelineExperimentConfig", "Steps"}) | {
    "MlflowConfig"
}
_EXPERIMENT = frozenset({"ExperimentName", "TrialName"})
_PARAMETER = frozenset({"Name", "Type", "DefaultValue", "EnumValues", "Description"})
_COMMON = frozenset({"Name", "Type", "Arguments", "DependsOn", "DisplayName", "Description"})
_JOB = frozenset({"CacheConfig", "RetryPolicies"})
#: What steps of each kind have beside what all have.
_MEMBERS: Mapping[str, frozenset[str]] = {
    "Training": _JOB,
    "Processing": _JOB | {"PropertyFiles"},
    "Tuning": _JOB,
    "Transform": _JOB,
    "Model": frozenset({"RetryPolicies"}),
    "RegisterModel": frozenset({"RetryPolicies"}),
    "EndpointConfig": _JOB,
    "Endpoint": frozenset({"CacheConfig"}),
    "Condition": frozenset(),
    "Fail": frozenset(),
    "Callback": frozenset({"SqsQueueUrl", "OutputParameters", "CacheConfig"}),
    "Lambda": frozenset({"FunctionArn", "OutputParameters", "CacheConfig"}),
}
_ARGUMENTS_OF_CONDITION = frozenset({"Conditions", "IfSteps", "ElseSteps"})
_PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "String": (str,),
    "Integer": (int,),
    "Float": (int, float),
    "Boolean": (bool,),
}


class Unreadable(ValueError):
    """The text is no definition; the message is what the service says, or unverified words."""


def read_definition(text: str) -> Definition:
    """Return the definition in ``text``, or raise Unreadable.

    Source of the words: rows 137, 138 and 141 of the rest of the fidelity corpus; all others are
    unverified.
    """
    try:
        raw = json.loads(text)
    except json.JSONDecodeError as error:
        raise _unreadable(f"It is no JSON: {error}") from error
    except RecursionError as error:
        raise _unreadable("It is no JSON that can be read: it is nested too deeply.") from error
    except ValueError as error:
        raise _unreadable("It is no JSON that can be read: a number is too long.") from error
    top = _object(raw)
    _refuse_unknown(top, _TOP)
    version = top.get("Version", _VERSION)
    if version != _VERSION:
        raise _unreadable(f"Version must be {_VERSION}, not {version!r}.")
    parameters = [_parameter(each) for each in _array(top.get("Parameters", []))]
    steps = [*_steps(_array(top.get("Steps")), None)]
    if not steps:
        raise _unreadable("Steps: a pipeline needs at least one step.")
    _refuse_repeated("parameter", [each.name for each in parameters])
    _refuse_repeated("step", [each.name for each in steps])
    return Definition(
        parameters={each.name: each for each in parameters},
        steps={each.name: each for each in steps},
        experiment=_experiment(top.get("PipelineExperimentConfig")),
    )


def _unreadable(what: str) -> Unreadable:
    return Unreadable(f"Unable to parse pipeline definition. {what}")


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _unreadable("Expecting start of Json Object.")
    return value


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _unreadable("Expecting start of Json Array.")
    return value


def _refuse_unknown(value: Mapping[str, Any], known: frozenset[str]) -> None:
    for name in value:
        if name not in known:
            raise _unreadable(f"Cannot parse object, unknown property '{name}'.")


def _refuse_repeated(what: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise _unreadable(f"The {what} name '{name}' is used more than once.")


def _name(value: Any, what: str) -> str:
    if not isinstance(value, str) or _NAME.fullmatch(value) is None:
        raise _unreadable(
            f"A {what} needs a Name of 1 to 64 letters, digits, '-' or '_', not {value!r}."
        )
    return value


def _experiment(raw: Any) -> Mapping[str, Any] | None:
    if raw is None:
        return None
    value = _object(raw)
    _refuse_unknown(value, _EXPERIMENT)
    return {name: each for name, each in value.items() if each is not None}


def _parameter(raw: Any) -> Parameter:
    value = _object(raw)
    _refuse_unknown(value, _PARAMETER)
    name, type_ = _name(value.get("Name"), "parameter"), value.get("Type", "String")
    if type_ not in get_args(ParameterType):
        raise _unreadable(f"Parameter {name}: Type must be one of {_listed(_PYTHON_TYPES)}.")
    default, allowed = value.get("DefaultValue"), value.get("EnumValues")
    for each in [*([] if default is None else [default]), *_array(allowed or [])]:
        is_flag = isinstance(each, bool)
        if not isinstance(each, _PYTHON_TYPES[type_]) or is_flag != (type_ == "Boolean"):
            raise _unreadable(f"Parameter {name}: {json.dumps(each)} is no {type_}.")
    if allowed and default is not None and default not in allowed:
        raise _unreadable(f"Parameter {name}: DefaultValue is none of EnumValues.")
    return Parameter(
        name=name,
        type=cast(ParameterType, type_),
        default=default,
        allowed=tuple(allowed) if allowed else None,
    )


def _steps(raw: list[Any], within: Branch | None) -> Iterator[Step]:
    for each in raw:
        step = _step(_object(each), within)
        yield step
        if step.type == "Condition":
            arguments = _object(step.arguments)
            _refuse_unknown(arguments, _ARGUMENTS_OF_CONDITION)
            for member, outcome in (("IfSteps", True), ("ElseSteps", False)):
                branch = Branch(condition=step.name, outcome=outcome)
                yield from _steps(_array(arguments.get(member, [])), branch)


def _step(value: Mapping[str, Any], within: Branch | None) -> Step:
    name, type_ = _name(value.get("Name"), "step"), str(value.get("Type"))
    if type_ not in _MEMBERS:
        raise _unreadable(
            f"Step {name}: steps of Type {type_!r} are not carried out here, only "
            f"{_listed(_MEMBERS)}."
        )
    _refuse_unknown(value, _COMMON | _MEMBERS[type_])
    return Step(
        name=name,
        type=type_,
        arguments=_object(value.get("Arguments", {})),
        display_name=value.get("DisplayName"),
        description=value.get("Description"),
        depends_on=tuple(_name(each, "step") for each in _array(value.get("DependsOn", []))),
        within=within,
        members={name: value[name] for name in _MEMBERS[type_] if name in value},
    )


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(names)
