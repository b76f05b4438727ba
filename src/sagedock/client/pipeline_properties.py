"""Properties that a step cannot have: found by what its job will be described with."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sagedock.jobs import Request
from sagedock.jobs.pipeline import (
    CallbackStep,
    ConditionStep,
    JobStep,
    LambdaStep,
    Property,
    Step,
)
from sagedock.jobs.pipeline.property_path import ELEMENT_NAMES, path_parts

if TYPE_CHECKING:
    from sagedock.api.model import Shape

__all__ = ["near", "problem_of_property"]

_MOST = 3
_OUTCOME = "Outcome"
_OUTPUTS = "OutputParameters"
_SUMMARIES = "TrainingJobSummaries"
_TUNING, _CHILDREN = (
    "CreateHyperParameterTuningJob",
    "ListTrainingJobsForHyperParameterTuningJob",
)
#: Lists and maps that are answered as the request has them.
_AS_ASKED = ("Environment", "HyperParameters", "InputDataConfig", "Outputs", "ProcessingInputs")
#: The metrics that a training job ends with: those that it defines, if it defines any.
_METRICS = "FinalMetricDataList"


def near(name: str, known: Iterable[str]) -> str:
    """Return what there is that is called much like ``name``, else all that there is."""
    names = list(known)
    found = difflib.get_close_matches(name, names, n=_MOST) or sorted(names)
    return (
        f"there {'is' if len(found) == 1 else 'are'} {', '.join(found)}"
        if found
        else "there is none"
    )


def problem_of_property(reference: Property, step: Step) -> str | None:
    """Return what is wrong with a property of ``step``, or None where it may be there.

    Sources: the service's model of what Describe answers; for tuning steps the SDKs'
    ``TrainingJobSummaries``.
    """
    try:
        parts = [*path_parts(reference.path)]
    except ValueError as error:
        return str(error)
    if isinstance(step, JobStep):
        return _of_job(step, parts)
    if isinstance(step, ConditionStep):
        return None if parts == [_OUTCOME] else f"a condition step has {_OUTCOME} only"
    if isinstance(step, LambdaStep | CallbackStep):
        return _of_outputs(step, parts)
    return None


def _of_outputs(step: LambdaStep | CallbackStep, parts: list[str | int]) -> str | None:
    if parts[:1] != [_OUTPUTS] or len(parts) != 2:
        return f"a {type(step).__name__} has {_OUTPUTS}['name'] only"
    if parts[1] not in step.outputs:
        return f"no output is called {parts[1]}: {near(str(parts[1]), step.outputs)}"
    return None


def _of_job(step: JobStep, parts: list[str | int]) -> str | None:
    from sagedock.api.model import output_shape

    request = step.request
    if request.operation == _TUNING and parts[:1] == [_SUMMARIES]:
        return _missing(output_shape(request.service, _CHILDREN), parts, {})
    describe = request.operation.replace("Create", "Describe", 1)
    return _missing(output_shape(request.service, describe), parts, _answered(request))


def _answered(request: Request) -> Mapping[str, Any]:
    """Return what of a request is answered again, under the names of the answer."""
    metrics = request.parameters.get("AlgorithmSpecification", {}).get("MetricDefinitions")
    return {**request.parameters, **({_METRICS: metrics} if metrics else {})}


def _missing(shape: "Shape", parts: list[str | int], said: Any) -> str | None:
    """Return which part of a path is in no such answer; ``said`` is what is known of it."""
    member: str | int = ""
    known: list[str] | None
    for part in parts:
        match shape.type_name:
            case "structure":
                known, below = list(shape.members), shape.members.get(part)
            case "map":
                known, below = _elements(said, member), shape.value
            case "list":
                known, below = _elements(said, member), shape.member
            case kind:
                return f"it is a {kind}, and has no {part}"
        if isinstance(part, str) and known is not None and part not in known:
            return f"nothing is called {part} there: {near(part, known)}"
        if below is None:
            return f"it has no [{part}]"
        shape, said, member = below, _below(said, part), part
    return None


def _elements(said: Any, member: str | int) -> list[str] | None:
    """Return what the elements of a list or map are called, None where that is not known."""
    if said is None:
        return [] if member in _AS_ASKED else None
    if member not in (*_AS_ASKED, _METRICS):
        return None
    return list(said) if isinstance(said, Mapping) else [n for e in said for n in _names_of(e)]


def _names_of(element: Any) -> Iterator[str]:
    for key in ELEMENT_NAMES:
        if isinstance(element, Mapping) and isinstance(element.get(key), str):
            yield element[key]


def _below(said: Any, part: str | int) -> Any:
    """Return what is known of a part, or None."""
    if isinstance(said, Mapping):
        return said.get(part)
    if isinstance(said, list) and isinstance(part, str):
        return next((each for each in said if part in [*_names_of(each)]), None)
    if isinstance(said, list) and isinstance(part, int) and part < len(said):
        return said[part]
    return None
