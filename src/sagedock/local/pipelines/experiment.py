"""The experiment of a pipeline, and the trial of each of its executions.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-experiments.html: both are made
where they are not there, and each job of a step is in the trial. Without a PipelineExperimentConfig
there is neither; of one that leaves a name out, the experiment is called as the pipeline, and the
trial by the execution's id.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sagedock import api
from sagedock.local.pipelines.definition import Definition, Step
from sagedock.local.pipelines.expressions import Unresolved, references, resolved
from sagedock.local.pipelines.members import expression_problems
from sagedock.local.pipelines.outcome import is_broken, refused
from sagedock.local.pipelines.scope import Execution
from sagedock.local.pipelines.variables import OF_JOBS, VARIABLES, variable_of
from sagedock.local.refusal import Refused

__all__ = ["experiment_names", "experiment_problems", "make_experiment", "tracked"]

Document = Mapping[str, Any]

_MEMBER = "PipelineExperimentConfig"
_JOBS = frozenset({"Processing", "Training", "Transform"})
_KNOWN = frozenset(VARIABLES) - frozenset(OF_JOBS)
_DEFAULTS = {
    "ExperimentName": {"Get": "Execution.PipelineName"},
    "TrialName": {"Get": "Execution.PipelineExecutionId"},
}


@dataclass(frozen=True, kw_only=True)
class _Beginning:
    """What expressions mean before an execution has steps."""

    parameters: Document
    execution: Document
    pipeline: str

    def parameter(self, name: str) -> Any:
        return self.parameters[name]

    def variable(self, name: str) -> Any:
        return variable_of(name, self.execution, self.pipeline, self.execution["CreationTime"])

    def experiment(self, name: str) -> Any:
        raise Unresolved(f"{_MEMBER}.{name} is what is asked for")

    def property(self, step: str, path: str) -> Any:
        raise Unresolved(f"the step {step} has no {path} yet")

    def json_of(self, step: str, file: str) -> Any:
        raise Unresolved(f"the step {step} has not written {file} yet")

    def json_at(self, uri: str) -> Any:
        raise Unresolved(f"{uri} is not read for a name")

    def json_value(self, document: Any, path: str) -> Any:
        raise Unresolved(f"{path} of {document} is not read for a name")


def experiment_problems(definition: Definition) -> Iterator[str]:
    """Yield what is wrong with a definition's names. The words are unverified."""
    for member, value in (definition.experiment or {}).items():
        said = f"{_MEMBER}.{member} must be text"
        if not isinstance(value, str | dict):
            yield f"{said}, of parameters and execution variables."
            continue
        yield from expression_problems(value)
        try:
            found = list(references(value))
        except ValueError as error:
            yield f"{_MEMBER}.{member}: {error}."
            continue
        for each in found:
            known = {"Parameters": definition.parameters, "Execution": _KNOWN}.get(each.kind)
            if known is None or each.name not in known:
                yield f"{said} that is known when an execution starts: not {each.kind}.{each.name}."


def experiment_names(
    definition: Definition, parameters: Document, execution: Document, pipeline: str
) -> Mapping[str, str] | None:
    """Return what the experiment and the trial of an execution are called, or None.

    Raises Unresolved, also for what no experiment or trial can be called.
    """
    if definition.experiment is None:
        return None
    scope = _Beginning(parameters=parameters, execution=execution, pipeline=pipeline)
    names = {n: resolved(v, scope) for n, v in {**_DEFAULTS, **definition.experiment}.items()}
    if problems := api.problems_in_request("sagemaker", "CreateTrial", names):
        raise Unresolved(f"{_MEMBER} of the definition: {api.validation_message(problems)}")
    return names


def make_experiment(execution: Execution) -> str | None:
    """Make an execution's experiment and trial, each where it is not there; return why one cannot
    be made, or None.
    """
    names = execution.ledger.document.get(_MEMBER)
    if names is None:
        return None
    experiment = {"ExperimentName": names["ExperimentName"]}
    return _made(execution, "Experiment", experiment, experiment) or _made(
        execution, "Trial", names, {"TrialName": names["TrialName"]}
    )


def _made(execution: Execution, kind: str, asked: Document, by: Document) -> str | None:
    try:
        execution.calls(execution.caller, f"Create{kind}", asked)
    except Refused as why:
        if is_broken(why.error):
            raise
        try:
            execution.calls(execution.caller, f"Describe{kind}", by)
        except Refused:
            return refused(f"Create{kind}", why.error)
    return None


def tracked(step: Step, asked: Document, execution: Document) -> Document:
    """Return a step's request with the experiment and the trial of its execution, which take the
    place of its own (the SDKs' words on ``experiment_config``).
    """
    names = execution.get(_MEMBER)
    if names is None or step.type not in _JOBS:
        return asked
    return {**asked, "ExperimentConfig": {**asked.get("ExperimentConfig", {}), **names}}
