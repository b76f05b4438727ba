"""Start, Stop, Retry, Update, Describe and List of executions, and what callbacks answer."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sagedock.api import pipeline_messages as words
from sagedock.local.caller import Caller
from sagedock.local.listing import Listing
from sagedock.local.moments import epoch_s
from sagedock.local.pages import page_of
from sagedock.local.pipelines.course import Course
from sagedock.local.pipelines.definition import Step
from sagedock.local.pipelines.document import STEPS, described, execution_document, public
from sagedock.local.pipelines.executions import Executions, execution_kind
from sagedock.local.pipelines.experiment import experiment_names
from sagedock.local.pipelines.expressions import EXPERIMENT, Unresolved
from sagedock.local.pipelines.ledger import with_document
from sagedock.local.pipelines.names import TERMINAL, execution_arn, new_execution_id
from sagedock.local.pipelines.outputs import declared_outputs, typed
from sagedock.local.pipelines.parameters import WrongParameters, given, values
from sagedock.local.pipelines.pipeline_operations import checked
from sagedock.local.pipelines.reading import read_definition
from sagedock.local.pipelines.selection import taken_over
from sagedock.local.pipelines.store import Store
from sagedock.local.platform import Platform
from sagedock.local.refusal import ENDING, Refused
from sagedock.local.resources import Key, Resource

__all__ = ["ExecutionOperations"]

Request = Mapping[str, Any]
Answer = dict[str, Any]

_ONCE = "ClientRequestToken"
_NOT_HERE = ("PipelineVersionId", "PipelineVersionAlias", "MlflowExperimentName")
_SORTS = {"PipelineExecutionArn": "Name", "CreationTime": "CreationTime"}


class ExecutionOperations:
    """The operations on executions. Requests arrive checked against the service's model."""

    #: Those that only read the store.
    quick = frozenset(
        {
            "DescribePipelineDefinitionForExecution",
            "DescribePipelineExecution",
            "ListPipelineExecutionSteps",
            "ListPipelineExecutions",
            "ListPipelineParametersForExecution",
        }
    )

    def __init__(self, platform: Platform, executions: Executions) -> None:
        self._platform = platform
        self._resources = platform.resources
        self._executions = executions
        self._store = Store(platform=platform)

    def table(self) -> Mapping[str, Callable[[Caller, Request], Answer | bytes]]:
        """Return each operation's name with what carries it out."""
        return {
            "StartPipelineExecution": self.start,
            "StopPipelineExecution": self.stop,
            "RetryPipelineExecution": self.retry,
            "UpdatePipelineExecution": self.update,
            "DescribePipelineExecution": self.describe,
            "ListPipelineExecutions": self.list,
            "ListPipelineExecutionSteps": self.list_steps,
            "DescribePipelineDefinitionForExecution": self.definition,
            "ListPipelineParametersForExecution": self.parameters,
            "SendPipelineExecutionStepSuccess": self.succeed,
            "SendPipelineExecutionStepFailure": self.fail,
        }

    def start(self, caller: Caller, request: Request) -> Answer:
        """Start an execution, or refuse it with nothing changed; the same token starts one."""
        for name in _NOT_HERE:
            if name in request:
                raise Refused(words.too_many_versions(name))
        pipeline = self._store.pipeline(caller, request["PipelineName"])
        if (before := self._of_token(pipeline, request[_ONCE])) is not None:
            return {"PipelineExecutionArn": before}
        definition = checked(pipeline.document["PipelineDefinition"])
        at, id_ = epoch_s(time.time()), new_execution_id()
        arn = execution_arn(pipeline.document["PipelineArn"], id_)
        document = execution_document(request, pipeline.document, arn, at)
        try:
            parameters = given(definition, request.get("PipelineParameters", ()))
            known = values(definition, parameters)
            names = experiment_names(definition, known, document, pipeline.key.name)
        except (WrongParameters, Unresolved) as error:
            raise Refused(words.parameters_wrong(str(error))) from error
        if names is not None:
            document[EXPERIMENT] = names
        if (config := request.get("SelectiveExecutionConfig")) is not None:
            document[STEPS] = taken_over(
                config,
                definition,
                pipeline.document["PipelineArn"],
                lambda source: self._store.execution(caller, source),
            )
        execution = Resource(
            key=Key(region=caller.region, kind=execution_kind(pipeline.key.name), name=id_),
            created=at,
            modified=at,
            status="Executing",
            document=document,
            request={
                "Pipeline": pipeline.key.name,
                "PipelineCreated": pipeline.created,
                "Account": caller.account,
                "Definition": pipeline.document["PipelineDefinition"],
                "Parameters": parameters,
            },
        )
        with self._resources.together():
            if (
                self._resources.change(pipeline.key, _with_execution(request[_ONCE], arn, at))
                is None
            ):
                raise Refused(words.pipeline_not_found(pipeline.document["PipelineArn"]))
            self._resources.add(execution)
        self._carry_out(execution)
        return {"PipelineExecutionArn": arn}

    def stop(self, caller: Caller, request: Request) -> Answer:
        """Begin to stop an execution; one that has ended is refused."""
        arn = request["PipelineExecutionArn"]
        execution = self._store.execution(caller, arn)

        def stopping(old: Resource) -> Resource:
            if old.status in TERMINAL:
                raise Refused(words.execution_ended(arn, old.status))
            return _with(old, PipelineExecutionStatus="Stopping")

        self._resources.change(execution.key, stopping)
        self._executions.wake(execution.key)
        return {"PipelineExecutionArn": arn}

    def retry(self, caller: Caller, request: Request) -> Answer:
        """Go on with an execution that failed or was stopped: what succeeded is kept. Source of the
        same ARN: row 148.
        """
        arn = request["PipelineExecutionArn"]
        execution = self._store.execution(caller, arn)

        def again(old: Resource) -> Resource:
            if old.status not in ("Failed", "Stopped"):
                raise Refused(words.nothing_to_retry(arn, old.status))
            kept = {n: r for n, r in old.document[STEPS].items() if r["StepStatus"] == "Succeeded"}
            members = {"PipelineExecutionStatus": "Executing", STEPS: kept}
            if "ParallelismConfiguration" in request:
                members["ParallelismConfiguration"] = request["ParallelismConfiguration"]
            reasons = ("FailureReason", "PipelineExecutionFailureReason")
            document = {n: v for n, v in old.document.items() if n not in reasons}
            return _with(replace(old, document=document), **members)

        changed = self._resources.change(execution.key, again)
        if changed is not None:
            self._carry_out(changed)
        return {"PipelineExecutionArn": arn}

    def update(self, caller: Caller, request: Request) -> Answer:
        """Change what an execution is called, said to be, and how many steps run at once."""
        execution = self._store.execution(caller, request["PipelineExecutionArn"])
        changes = {name: value for name, value in request.items() if name != "PipelineExecutionArn"}
        self._resources.change(execution.key, lambda old: _with(old, **changes))
        self._executions.wake(execution.key)
        return {"PipelineExecutionArn": request["PipelineExecutionArn"]}

    def describe(self, caller: Caller, request: Request) -> Answer:
        """Answer an execution's document as it is now."""
        return described(self._store.execution(caller, request["PipelineExecutionArn"]).document)

    def list(self, caller: Caller, request: Request) -> bytes:
        """Answer a page of a pipeline's executions, as JSON."""
        pipeline = self._store.pipeline(caller, request["PipelineName"])
        names = {"CreatedAfter": "CreationTimeAfter", "CreatedBefore": "CreationTimeBefore"}
        asked = {names.get(name, name): value for name, value in request.items()}
        asked["SortBy"] = _SORTS[request.get("SortBy", "CreationTime")]
        listing = Listing(
            kind=execution_kind(pipeline.key.name), member="PipelineExecutionSummaries"
        )
        return listing.page(self._resources, caller, asked)

    def list_steps(self, caller: Caller, request: Request) -> Answer:
        """Answer a page of the steps that have begun, the last one first unless asked otherwise.

        Source of the order: ListPipelineExecutionSteps' "SortOrder ... the default is CreatedTime"
        does not say; the SDKs' examples print the latest first.
        """
        execution = self._store.execution(caller, request.get("PipelineExecutionArn", ""))
        records = list(execution.document[STEPS].values())  # in the order in which they began
        if request.get("SortOrder", "Descending") == "Descending":
            records.reverse()
        steps, token = page_of([public(each) for each in records], request)
        return {"PipelineExecutionSteps": steps, "NextToken": token}

    def definition(self, caller: Caller, request: Request) -> Answer:
        """Answer the definition that an execution began with."""
        execution = self._store.execution(caller, request["PipelineExecutionArn"])
        return {
            "PipelineDefinition": execution.request["Definition"],
            "CreationTime": execution.created,
        }

    def parameters(self, caller: Caller, request: Request) -> Answer:
        """Answer a page of an execution's parameters: those it was given, and defaults."""
        execution = self._store.execution(caller, request["PipelineExecutionArn"])
        texts = {each["Name"]: each["Value"] for each in execution.request["Parameters"]}
        declared = read_definition(execution.request["Definition"]).parameters
        rows = [
            {"Name": name, "Value": texts.get(name, _text(parameter.default))}
            for name, parameter in declared.items()
        ]
        parameters, token = page_of(rows, request)
        return {"PipelineParameters": parameters, "NextToken": token}

    def succeed(self, _: Caller, request: Request) -> Answer:
        """Let a callback step succeed, with what it answers."""
        outputs = request.get("OutputParameters", [])
        return self._answered(
            request["CallbackToken"],
            "Succeeded",
            None,
            outputs,
        )

    def fail(self, _: Caller, request: Request) -> Answer:
        """Let a callback step fail."""
        reason = request.get("FailureReason")
        return self._answered(request["CallbackToken"], "Failed", reason)

    def _answered(
        self,
        token: str,
        status: str,
        reason: str | None,
        outputs: Sequence[Mapping[str, str]] = (),
    ) -> Answer:
        found = self._waiting(token)
        if found is None:
            raise Refused(words.callback_not_found(token))
        course, name = found
        record = course.execution.ledger.steps[name]
        if record["StepStatus"] not in ("Executing", "Stopping"):
            raise Refused(words.step_has_ended(token, record["StepStatus"]))
        members: dict[str, Any] = {}
        if status == "Succeeded":
            members["_Outputs"] = _outputs(course.execution.definition.steps[name], outputs)
        if outputs:
            callback = {**record["Metadata"]["Callback"], "OutputParameters": outputs}
            members["Metadata"] = {"Callback": callback}
        course.answer(name, status, reason, members)
        self._executions.wake(course.execution.ledger.key)
        return {"PipelineExecutionArn": course.execution.ledger.arn}

    def _waiting(self, token: str) -> tuple[Course, str] | None:
        for course in self._executions.running():
            for name, record in course.execution.ledger.steps.items():
                if record.get("_Token") == token:
                    return course, name
        return None

    def _of_token(self, pipeline: Resource, token: str) -> str | None:
        arn: str | None = pipeline.document.get("_Started", {}).get(token)
        return arn

    def _carry_out(self, execution: Resource) -> None:
        if not self._executions.start(execution):
            self._resources.change(
                execution.key, lambda old: _with(old, PipelineExecutionStatus="Stopped")
            )
            raise Refused(ENDING)


def _outputs(step: Step, answered: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """Return what a callback answered, by name, of the types that its step declares, or refuse."""
    declared, found = declared_outputs(step), {}
    for each in answered:
        name = each["Name"]
        if name not in declared:
            raise Refused(words.undeclared_output(step.name, name))
        try:
            found[name] = typed(each["Value"], declared[name])
        except ValueError as error:
            refusal = words.output_of_wrong_type(step.name, name, declared[name])
            raise Refused(refusal) from error
    return found


def _with_execution(token: str, arn: str, at: float) -> Callable[[Resource], Resource]:
    """Return a change that notes an execution in its pipeline, by its token."""

    def changed(pipeline: Resource) -> Resource:
        started = {**pipeline.document.get("_Started", {}), token: arn}
        kept = dict(list(started.items())[-_TOKENS:])
        document = {**pipeline.document, "LastExecutionTime": at, "_Started": kept}
        return replace(pipeline, document=document)

    return changed


#: How many tokens of a pipeline are remembered.
_TOKENS = 100


def _with(execution: Resource, **members: Any) -> Resource:
    at = epoch_s(time.time())
    return with_document(execution, {**execution.document, **members, "LastModifiedTime": at})


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)
