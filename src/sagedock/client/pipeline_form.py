"""Whether a pipeline is made of what its fields want: lists of steps, jobs, names."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from sagedock.errors import InvalidRequest
from sagedock.jobs.pipeline import Condition, ConditionStep, JobStep, Parameter, Step

__all__ = ["problems_of_form"]

#: API: StepName and PipelineParameterName; an empty one names nothing.
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST_STEP, _LONGEST_PARAMETER = 64, 256


def problems_of_form(steps: Any, parameters: Any) -> Iterator[str]:
    """Yield a line for each field that holds something else than it should."""
    yield from _of_list("parameters", parameters, Parameter, "Parameter")
    for each in parameters if _is_list(parameters) else ():
        if isinstance(each, Parameter):
            yield from _of_name(f"parameters: {each.name!r}", each.name, _LONGEST_PARAMETER)
    yield from _of_steps("steps", steps)


def _of_steps(word: str, steps: Any) -> Iterator[str]:
    yield from _of_list(word, steps, Step, "step")
    for step in steps if _is_list(steps) else ():
        if isinstance(step, Step):
            yield from _of_step(step)


def _of_step(step: Step) -> Iterator[str]:
    yield from _of_name(f"step {step.name!r}: name", step.name, _LONGEST_STEP)
    said = f"step {step.name}"
    yield from _of_list(f"{said}: depends_on", step.depends_on, (Step, str), "step")
    if isinstance(step, ConditionStep):
        yield from _of_list(f"{said}: conditions", step.conditions, Condition, "condition")
        yield from _of_steps(f"{said}: then", step.then)
        yield from _of_steps(f"{said}: otherwise", step.otherwise)
    if isinstance(step, JobStep):
        try:
            _ = step.request
        except InvalidRequest as error:
            for line in error.problems:
                yield line if line.startswith(said) else f"{said}: {line}"


def _of_list(word: str, value: Any, kind: Any, noun: str) -> Iterator[str]:
    if not _is_list(value):
        yield f"{word}: {_shown(value)} is no list: give a list, even of one {noun}"
        return
    for number, each in enumerate(value):
        if not isinstance(each, kind):
            yield f"{word}[{number}]: {_shown(each)} is no {noun}"


def _of_name(word: str, name: Any, longest: int) -> Iterator[str]:
    if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > longest:
        yield f"{word}: use letters, digits, hyphens and underscores, 1 to {longest} in all"


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _shown(value: Any) -> str:
    """Return a text as it is, and of all else what it is."""
    return repr(value) if isinstance(value, str) else type(value).__name__
