"""What is wrong with a definition that could be read: found when the pipeline is created."""

from collections.abc import Iterator

from sagedock.local.pipelines.argument_problems import argument_problems
from sagedock.local.pipelines.conditions import condition_problems
from sagedock.local.pipelines.definition import Definition, Step
from sagedock.local.pipelines.experiment import experiment_problems
from sagedock.local.pipelines.expressions import EXPERIMENT, Reference, references
from sagedock.local.pipelines.graph import Graph
from sagedock.local.pipelines.members import expression_problems, member_problems
from sagedock.local.pipelines.step_kinds import CALLED
from sagedock.local.pipelines.variables import VARIABLES

__all__ = ["problem"]

_READ = "Unable to parse pipeline definition."


def problem(definition: Definition) -> str | None:
    """Return the first thing that is wrong, in the service's words where they are known.

    Sources: rows 140, 141 and 142 of the rest of the fidelity corpus; all other words are
    unverified.
    """
    for found in experiment_problems(definition):
        return f"{_READ} {found}"
    for step in definition.steps.values():
        for found in (*_of_arguments(step), *_of_references(step, definition)):
            return found
    try:
        Graph(definition)
    except ValueError as error:
        return f"{_READ} Circular dependency: {error}."
    return None


def _of_arguments(step: Step) -> Iterator[str]:
    own = step.arguments.get("Conditions") if step.type == "Condition" else step.arguments
    for found in (*member_problems(step), *expression_problems([own, dict(step.members)])):
        yield f"{_READ} {found}"
    if step.type in CALLED:
        named = CALLED[step.type].name
        if CALLED[step.type].keeps_name and named not in step.arguments:
            yield f"{_READ} Step {step.name}: {_a(step.type)} step needs {named}."
        yield from (f"{_READ} {found}" for found in argument_problems(step))
    elif step.type == "Condition":
        conditions = step.arguments.get("Conditions")
        if not isinstance(conditions, list):
            yield f"{_READ} Expecting start of Json Array."
            return
        if not conditions:
            yield f"{_READ} Step {step.name}: Conditions: a Condition step needs at least one."
        for each in conditions:
            yield from (f"{_READ} {found}" for found in condition_problems(each))
    elif step.type == "Fail" and set(step.arguments) - {"ErrorMessage"}:
        unknown = next(iter(set(step.arguments) - {"ErrorMessage"}))
        yield f"{_READ} Cannot parse object, unknown property '{unknown}'."
    elif step.type == "Callback" and "SqsQueueUrl" not in step.members:
        yield f"{_READ} Step {step.name}: a Callback step needs SqsQueueUrl."
    elif step.type == "Lambda" and "FunctionArn" not in step.members:
        yield f"{_READ} Step {step.name}: a Lambda step needs FunctionArn."


def _of_references(step: Step, definition: Definition) -> Iterator[str]:
    for name in step.depends_on:
        if name not in definition.steps:
            yield f"{_READ} Step {step.name} depends on {name}, which is no step."
        elif definition.steps[name].type == "Fail":
            yield f"{step.name} can not depends on {name}"
    own = step.arguments.get("Conditions", []) if step.type == "Condition" else step.arguments
    for value in (own, step.members):
        try:
            found = list(references(value))
        except ValueError as error:
            yield f"{_READ} Step {step.name}: {error}."
            return
        for each in found:
            yield from _of_reference(step, each, definition)


def _of_reference(step: Step, reference: Reference, definition: Definition) -> Iterator[str]:
    said = f"{_READ} Step {step.name} refers to"
    if reference.kind == "Parameters" and reference.name not in definition.parameters:
        yield f"{said} the parameter {reference.name}, which is not declared."
    elif reference.kind == "Execution" and reference.name not in VARIABLES:
        yield f"{said} Execution.{reference.name}, which is none of {', '.join(VARIABLES)}."
    elif reference.kind == EXPERIMENT and definition.experiment is None:
        yield f"{said} {EXPERIMENT}.{reference.name}, and the definition has no {EXPERIMENT}."
    elif reference.kind == "Steps":
        other = definition.steps.get(reference.name)
        if other is None:
            yield f"{said} {reference.name}, which is no step."
        elif other.type == "Fail":
            yield f"{step.name} can not depends on {other.name}"
        elif (file := reference.property_file) is not None and file not in _files(other):
            yield f"{said} the property file {file}, which {other.name} does not have."


def _files(step: Step) -> set[str]:
    return {each.get("PropertyFileName", "") for each in step.members.get("PropertyFiles", ())}


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'AEIOU' else 'a'} {kind}"
