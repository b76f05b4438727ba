"""What is wrong with a pipeline's steps, before anything is sent."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from sagedock.client.pipeline_form import problems_of_form
from sagedock.client.pipeline_properties import near, problem_of_property
from sagedock.jobs.pipeline import (
    ConditionStep,
    FailStep,
    JobStep,
    JsonGet,
    Parameter,
    Property,
    Reference,
    Step,
    all_steps,
    references_in,
)

__all__ = ["problems_in_pipeline"]


def problems_in_pipeline(steps: Sequence[Step], parameters: Sequence[Parameter]) -> Iterator[str]:
    """Yield a line for each problem: the step, what it says, the remedy."""
    if malformed := [*problems_of_form(steps, parameters)]:
        yield from malformed
        return
    every = list(all_steps(steps))
    if not every:
        yield "steps: are missing: give one or more"
    for name, count in Counter(step.name for step in every).items():
        if count > 1:
            yield f"steps: {count} are called {name}: give each a name of its own"
    for name, count in Counter(each.name for each in parameters).items():
        if count > 1:
            yield f"parameters: {count} are called {name}: give each a name of its own"
    named = {step.name: step for step in every}
    for step in every:
        for needed in step.depends_on:
            other = needed if isinstance(needed, str) else needed.name
            if other not in named:
                yield (
                    f"step {step.name}: depends_on: {other} is no step of this pipeline: "
                    f"{near(other, named)}"
                )
            elif isinstance(named[other], FailStep):
                yield f"step {step.name}: depends_on: behind {other} nothing runs"
        if isinstance(step, JobStep):
            yield from _of_property_files(step)
        for reference in references_in(_values_of(step)):
            yield from _of_reference(step, reference, named, {p.name for p in parameters})


def _values_of(step: Step) -> Any:
    """Return what a step's own references are in; those of its branches are theirs."""
    if isinstance(step, JobStep):
        return step.request.parameters
    if isinstance(step, ConditionStep):
        return [vars(each) for each in step.conditions]
    if isinstance(step, FailStep):
        return step.message
    return {name: value for name, value in vars(step).items() if name != "depends_on"}


def _of_reference(
    step: Step, reference: Reference, named: dict[str, Step], parameters: set[str]
) -> Iterator[str]:
    if isinstance(reference, Parameter) and reference.name not in parameters:
        yield (
            f"step {step.name}: refers to the parameter {reference.name}: "
            "name it in the pipeline's parameters"
        )
    if not isinstance(reference, Property | JsonGet):
        return
    other = named.get(reference.step)
    if other is None:
        yield (
            f"step {step.name}: refers to {reference.step}, which is no step of this pipeline: "
            f"{near(reference.step, named)}"
        )
    elif isinstance(other, FailStep):
        yield f"step {step.name}: refers to {other.name}, behind which nothing runs"
    elif isinstance(reference, JsonGet):
        files = other.property_files if isinstance(other, JobStep) else ()
        if reference.file not in {each.name for each in files}:
            yield (
                f"step {step.name}: refers to the property file {reference.file}: "
                f"name it in property_files of {other.name}"
            )
    elif problem := problem_of_property(reference, other):
        yield f"step {step.name}: refers to {reference.path} of the step {other.name}: {problem}"


def _of_property_files(step: JobStep) -> Iterator[str]:
    config = step.request.parameters.get("ProcessingOutputConfig", {})
    outputs = [each.get("OutputName") for each in config.get("Outputs", ())]
    for each in step.property_files:
        if each.output not in outputs:
            yield (
                f"step {step.name}: property_files: {each.name}: the job has no output "
                f"{each.output}: {near(each.output, outputs)}"
            )
