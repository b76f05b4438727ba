"""What a step's expressions mean in one execution."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sagedock.local.caller import Caller
from sagedock.local.calls import Calls
from sagedock.local.pipelines.definition import Definition
from sagedock.local.pipelines.expressions import Unresolved
from sagedock.local.pipelines.ledger import Ledger
from sagedock.local.pipelines.properties import NoSuchProperty, look_up
from sagedock.local.pipelines.step_kinds import CALLED
from sagedock.local.pipelines.variables import variable_of
from sagedock.local.refusal import Refused
from sagedock.local.s3 import ObjectStore, S3Error
from sagedock.local.uris import S3Uri

__all__ = ["Execution", "StepScope"]

_MOST_JSON_BYTES = 10 << 20
_CHILDREN = "ListTrainingJobsForHyperParameterTuningJob"


@dataclass(frozen=True, kw_only=True)
class Execution:
    """One execution: what it was started with, and what its steps have become."""

    definition: Definition
    parameters: Mapping[str, Any]
    pipeline: str
    caller: Caller
    ledger: Ledger
    calls: Calls
    objects: ObjectStore
    #: What jobs that have ended are described with, by step.
    _described: dict[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The execution's id."""
        return self.ledger.key.name

    def described(self, name: str) -> Any:
        """Return what a step that succeeded is described with. Raises Unresolved."""
        if name not in self._described:
            self._described[name] = self._describe(name)
        return self._described[name]

    def _describe(self, name: str) -> Any:
        record, step = self.ledger.steps.get(name), self.definition.steps[name]
        if record is None or record["StepStatus"] != "Succeeded":
            raise Unresolved(f"the step {name} has not succeeded")
        if step.type == "Condition":
            return {"Outcome": record["_Outcome"]}
        if step.type not in CALLED:
            return {"OutputParameters": record.get("_Outputs", {})}
        called = CALLED[step.type]
        by = {called.described_by: record["_Job"]}
        try:
            found = self.calls(self.caller, called.describe, by)
            if step.type == "Tuning":
                ask = {**by, "SortBy": "FinalObjectiveMetricValue", "SortOrder": _best_first(found)}
                children = self.calls(self.caller, _CHILDREN, {**ask, "MaxResults": 50})
                found["TrainingJobSummaries"] = children["TrainingJobSummaries"]
        except Refused as refused:
            raise Unresolved(f"{called.describe}: {refused.error.message}") from refused
        return found


def _best_first(tuning: Mapping[str, Any]) -> str:
    objective = tuning.get("HyperParameterTuningJobConfig", {}).get(
        "HyperParameterTuningJobObjective", {}
    )
    return "Ascending" if objective.get("Type") == "Minimize" else "Descending"


@dataclass(frozen=True, kw_only=True)
class StepScope:
    """What expressions in one step's arguments mean. ``job`` is the name that its job will have."""

    execution: Execution
    job: str | None = None
    now: Callable[[], float] = time.time

    def parameter(self, name: str) -> Any:
        """Return a parameter's value."""
        return self.execution.parameters[name]

    def variable(self, name: str) -> Any:
        """Return a variable of the execution; what a job is called is known in its step only."""
        document = self.execution.ledger.document
        value = variable_of(name, document, self.execution.pipeline, self.now())
        if value is None and self.job is None:
            raise Unresolved(f"Execution.{name} has a value in steps that start such a job only")
        return self.job if value is None else value

    def experiment(self, name: str) -> Any:
        """Return the name of the execution's experiment, or of its trial."""
        return self.execution.ledger.document["PipelineExperimentConfig"][name]

    def property(self, step: str, path: str) -> Any:
        """Return what a step is described with, at ``path``."""
        try:
            return look_up(self.execution.described(step), path)
        except (NoSuchProperty, ValueError) as error:
            raise Unresolved(f"the step {step} has no property {path}") from error

    def json_of(self, step: str, file: str) -> Any:
        """Return the JSON of a step's property file."""
        files = self.execution.definition.steps[step].members.get("PropertyFiles", ())
        row = next(each for each in files if each.get("PropertyFileName") == file)
        where = self.property(
            step, f"ProcessingOutputConfig.Outputs['{row['OutputName']}'].S3Output.S3Uri"
        )
        return self.json_at(f"{where.rstrip('/')}/{row['FilePath']}")

    def json_at(self, uri: str) -> Any:
        """Return the JSON of an object in S3."""
        where = S3Uri.parse(uri)
        try:
            stored, content = self.execution.objects.open(where.bucket, where.key)
            with content:
                text = content.read(_MOST_JSON_BYTES + 1)
        except S3Error as error:
            raise Unresolved(f"{uri} cannot be read: {error.message}") from error
        if len(text) > _MOST_JSON_BYTES:
            raise Unresolved(f"{uri} has {stored.size} bytes: more than can be read as JSON")
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise Unresolved(f"{uri} is no JSON: {error}") from error

    def json_value(self, document: Any, path: str) -> Any:
        """Return what ``path`` leads to in JSON."""
        try:
            return look_up(document, path.removeprefix("$").removeprefix("."))
        except (NoSuchProperty, ValueError) as error:
            raise Unresolved(f"the JSON has nothing at {path}") from error
