"""What is wrong with the arguments of a step that is a call of SageMaker, as far as they are plain:
found when the pipeline is created. What an expression will be, nobody knows then.

Source of the words on a name that is too long: sagemaker-python-sdk#5099. That all other demands of
the service's model are checked so early, and their words, is unverified.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sagedock import api
from sagedock.local.pipelines.definition import Step
from sagedock.local.pipelines.step_kinds import CALLED

__all__ = ["argument_problems"]

_SHORTER = "Member must have length less than or equal to "
_EXPRESSIONS = ("Get", "Std:Join", "Std:JsonGet")


class _Anything:
    """Stands for an expression, which may become anything."""


_ANYTHING = _Anything()


def argument_problems(step: Step) -> Iterator[str]:
    """Yield what is wrong with a step's arguments."""
    called = CALLED[step.type]
    known = _known(step.arguments)
    if not isinstance(known, dict):
        return  # an expression as a whole
    for name in api.unknown_members("sagemaker", called.create, _nulls(known)):
        yield f"Step {step.name}: Unknown Argument member '{name.rpartition('.')[2]}'"
    for wrong in api.type_problems("sagemaker", called.create, _nulls(known)):
        yield f"Step {step.name}: {wrong.member}: {wrong.message}"
    if called.name is not None:
        known.setdefault(called.name, _ANYTHING)
    problems = api.problems_in_request("sagemaker", called.create, known)
    for problem in sorted(problems, key=lambda each: not each.constraint.startswith(_SHORTER)):
        if not problem.may_be_newer:
            yield f"Model Validation failed: {_words(problem, known)}"
    if step.type == "Processing":
        yield from _of_property_files(step, known)


def _words(problem: api.Problem, arguments: Mapping[str, Any]) -> str:
    value = arguments.get(problem.member)
    if not isinstance(value, str) or not problem.constraint.startswith(_SHORTER):
        return f"{problem}"
    limit = float(problem.constraint.removeprefix(_SHORTER))
    return (
        f"string '{value}' with length={len(value)} cannot be greater than max={limit} "
        f"defined for {problem.member}."
    )


def _of_property_files(step: Step, known: Mapping[str, Any]) -> Iterator[str]:
    config = known.get("ProcessingOutputConfig", {})
    outputs = config.get("Outputs", []) if isinstance(config, dict) else None
    if not isinstance(outputs, list):
        return
    names = [each.get("OutputName") if isinstance(each, dict) else None for each in outputs]
    if not all(isinstance(each, str) for each in names):
        return
    for file in step.members.get("PropertyFiles", ()):
        if file["OutputName"] not in names:
            yield (
                f"Step {step.name}: the property file {file['PropertyFileName']} is in the output "
                f"{file['OutputName']}, which the step does not have."
            )


def _known(value: Any) -> Any:
    """Return arguments with a stand-in for each expression."""
    if isinstance(value, dict):
        if len(value) == 1 and next(iter(value)) in _EXPRESSIONS:
            return _ANYTHING
        return {name: _known(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_known(each) for each in value]
    return value


def _nulls(value: Any) -> Any:
    """Return arguments with a null, which fits everywhere, for each stand-in."""
    if isinstance(value, dict):
        return {name: _nulls(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_nulls(each) for each in value]
    return None if value is _ANYTHING else value
