"""Beginning a step: its arguments, and what its kind does with them."""

import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sagedock.local.pipelines.conditions import holds
from sagedock.local.pipelines.definition import Step
from sagedock.local.pipelines.deploying import call_for_endpoint
from sagedock.local.pipelines.experiment import tracked
from sagedock.local.pipelines.expressions import Unresolved, resolved
from sagedock.local.pipelines.functions import FunctionFailed, FunctionMissing
from sagedock.local.pipelines.memory import Memory
from sagedock.local.pipelines.names import job_name, new_token, suffixed_name
from sagedock.local.pipelines.outcome import is_broken, not_retried, refused
from sagedock.local.pipelines.outputs import declared_outputs, typed
from sagedock.local.pipelines.retrying import Fault, fault_of_refusal, policy_for, wait_s
from sagedock.local.pipelines.scope import Execution, StepScope
from sagedock.local.pipelines.step_kinds import CALLED
from sagedock.local.refusal import Refused

__all__ = ["Outside", "Starter"]

_GROUP = "CreateModelPackageGroup"
#: The longest name of a model package's token.
_TOKEN_LENGTH = 36


@dataclass(frozen=True, kw_only=True)
class Outside:
    """What steps reach beside SageMaker. ``send`` gives a queue (its URL) a message and says
    whether there is one; ``call`` calls a Lambda function by its ARN.
    """

    send: Callable[[str, Mapping[str, Any]], bool]
    call: Callable[[str, Mapping[str, Any]], Any]


@dataclass(frozen=True, kw_only=True)
class Starter:
    """Begins the steps of one execution. ``wake`` is called when one that runs by itself ends."""

    execution: Execution
    memory: Memory
    outside: Outside
    wake: Callable[[], None]

    def start(self, step: Step) -> None:
        """Begin a step; it may have ended, well or badly, when this returns."""
        about = {"StepStatus": "Executing", "Metadata": {}, "_Type": step.type}
        if step.display_name is not None:
            about["StepDisplayName"] = step.display_name
        if step.description is not None:
            about["StepDescription"] = step.description
        ledger = self.execution.ledger
        try:
            if step.type in CALLED:
                self._start_called(step, about)
            elif step.type == "Condition":
                ledger.begin(step.name, about)
                self._decide(step)
            elif step.type == "Fail":
                ledger.begin(step.name, about)
                self._fail(step)
            else:
                self._start_outside(step, about)
        except Unresolved as why:
            if step.name not in ledger.steps:
                ledger.begin(step.name, about)
            ledger.end(step.name, "Failed", f"ClientError: {why}")

    def launch(self, step: Step, arguments: Mapping[str, Any] | None = None) -> None:
        """Call what a step is, by the name in its record; what is refused may be tried again."""
        called, ledger = CALLED[step.type], self.execution.ledger
        job = ledger.steps[step.name]["_Job"]
        asked = dict(self._resolved(step, job) if arguments is None else arguments)
        if called.name is not None:
            asked[called.name] = job
        operation = called.create
        try:
            if step.type == "RegisterModel":
                self._prepare_package(asked, step)
            operation, request = self._call_for(step, asked)
            answer = self.execution.calls(self.execution.caller, operation, request)
        except Refused as why:
            error = why.error
            self.failed(step, refused(operation, error), fault_of_refusal(error.code))
            return
        arn = answer[called.arn]
        members: dict[str, Any] = {"Metadata": {called.metadata: {"Arn": arn}}}
        if called.name is None:
            members["_Job"] = arn
        if called.job is None:
            ledger.end(step.name, "Succeeded", **members)
            self.keep(step)
        else:
            ledger.add(step.name, members)

    def failed(self, step: Step, reason: str, fault: Fault) -> None:
        """Write down that an attempt failed: the step ends so, or is tried again later."""
        ledger = self.execution.ledger
        record, now = ledger.steps[step.name], time.time()
        policy = policy_for(step, fault)
        attempt = int(record.get("AttemptCount", 1))
        pause_s = None if policy is None else wait_s(policy, attempt, now - record["StartTime"])
        if pause_s is None:
            if policy is None:
                reason = not_retried(reason, fault, execution=ledger.arn, step=step.name)
            ledger.end(step.name, "Failed", reason)
            return
        job = self._named(step, failures=attempt)[0]
        again = {"_RetryAt": now + pause_s, "_Job": job, "Metadata": {}}
        ledger.add(step.name, {**again, "AttemptCount": attempt + 1})

    def begin_again(self, step: Step) -> None:
        """Start a job anew that was stopped because the server ended."""
        record = dict(self.execution.ledger.steps[step.name])
        failures = int(record.get("AttemptCount", 1)) - 1
        record["_Job"] = self._named(step, failures=failures)[0]
        del record["_Interrupted"]
        self.execution.ledger.put(step.name, {**record, "Metadata": {}})
        self.launch(step)

    def run_outside(self, step: Step, arguments: Mapping[str, Any]) -> None:
        """Call a Lambda step's function in a thread; write its end down there."""
        threading.Thread(
            target=self._called_outside,
            args=(step, arguments),
            name=f"lambda {step.name}",
            daemon=True,
        ).start()

    def keep(self, step: Step) -> None:
        """Keep the result of a step that succeeded for later executions."""
        record = self.execution.ledger.steps[step.name]
        if "CacheHitResult" not in record and "_Arguments" in record:
            self.memory.keep(step, record["_Arguments"], record, self.execution.ledger.arn)

    def resolve(self, step: Step) -> Mapping[str, Any]:
        """Return a step's arguments without expressions. Raises Unresolved."""
        record = self.execution.ledger.steps.get(step.name, {})
        return self._resolved(step, record.get("_Job"))

    def _start_called(self, step: Step, about: Mapping[str, Any]) -> None:
        ledger = self.execution.ledger
        job, arguments = self._named(step)
        if self._recalled(step, arguments, about):
            return
        kept = {"_Arguments": arguments} if CALLED[step.type].cached_by else {}
        ledger.begin(step.name, {**about, **kept, "AttemptCount": 1, "_Job": job})
        self.launch(step, arguments)

    def _recalled(self, step: Step, arguments: Mapping[str, Any], about: Mapping[str, Any]) -> bool:
        found = self.memory.recalled(step, arguments)
        if found is None or not self._is_there(step, found):
            return False
        self.execution.ledger.begin(step.name, {**about, **found})
        self.execution.ledger.end(step.name, "Succeeded")
        return True

    def _is_there(self, step: Step, found: Mapping[str, Any]) -> bool:
        """Say whether what an earlier execution of a step made was not deleted meanwhile."""
        if step.type not in CALLED or "_Job" not in found:
            return True
        called = CALLED[step.type]
        try:
            by = {called.described_by: found["_Job"]}
            self.execution.calls(self.execution.caller, called.describe, by)
        except Refused as why:
            if is_broken(why.error):
                raise
            return False
        return True

    def _named(self, step: Step, failures: int = 0) -> tuple[str, Mapping[str, Any]]:
        """Return what the thing that a step creates is to be called, and the step's arguments."""
        called, id_, tuning = CALLED[step.type], self.execution.id, step.type == "Tuning"
        asked = step.arguments.get(called.name) if called.name is not None else None
        if asked is None:
            job = job_name(id_, step.name, tuning=tuning)
        else:
            job = str(resolved(asked, StepScope(execution=self.execution)))
            if not called.keeps_name:
                job = suffixed_name(job, id_, failures, tuning=tuning)
        return job, self._resolved(step, job)

    def _call_for(self, step: Step, asked: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        """Return what is called to carry out a step, with its request."""
        if step.type == "Endpoint":
            return call_for_endpoint(self.execution, asked)
        document = self.execution.ledger.document
        return CALLED[step.type].create, tracked(step, asked, document)

    def _resolved(self, step: Step, job: str | None) -> Mapping[str, Any]:
        found: Mapping[str, Any] = resolved(
            step.arguments, StepScope(execution=self.execution, job=job)
        )
        return found

    def _prepare_package(self, asked: dict[str, Any], step: Step) -> None:
        """Say who made the package (row 134), and make its group if it is absent (unverified)."""
        arn = self.execution.ledger.arn
        asked["MetadataProperties"] = {"GeneratedBy": arn, **asked.get("MetadataProperties", {})}
        digest = hashlib.sha256(step.name.encode()).hexdigest()
        asked.setdefault("ClientToken", f"{self.execution.id}-{digest}"[:_TOKEN_LENGTH])
        group = asked.get("ModelPackageGroupName")
        if group is not None:
            call, caller = self.execution.calls, self.execution.caller
            try:
                call(caller, "DescribeModelPackageGroup", {"ModelPackageGroupName": group})
            except Refused:
                call(caller, _GROUP, {"ModelPackageGroupName": group.rpartition("/")[2]})

    def _decide(self, step: Step) -> None:
        scope = StepScope(execution=self.execution)
        outcome = all(holds(each, scope) for each in step.arguments["Conditions"])
        self.execution.ledger.end(
            step.name,
            "Succeeded",
            Metadata={"Condition": {"Outcome": str(outcome)}},
            _Outcome=outcome,
        )

    def _fail(self, step: Step) -> None:
        """Source of what a step without a message has: row 160."""
        message = str(self._resolved(step, None).get("ErrorMessage", ""))
        metadata = {"Fail": {"ErrorMessage": message}}
        self.execution.ledger.end(step.name, "Failed", message or None, Metadata=metadata)

    def _start_outside(self, step: Step, about: Mapping[str, Any]) -> None:
        scope = StepScope(execution=self.execution)
        arguments = self._resolved(step, None)
        if self._recalled(step, arguments, about):
            return
        ledger = self.execution.ledger
        record = {**about, "_Arguments": arguments}
        if step.type == "Lambda":
            arn = str(resolved(step.members["FunctionArn"], scope))
            ledger.begin(step.name, {**record, "Metadata": {"Lambda": {"Arn": arn}}})
            self.run_outside(step, arguments)
            return
        queue, token = str(resolved(step.members["SqsQueueUrl"], scope)), new_token()
        metadata = {"Callback": {"CallbackToken": token, "SqsQueueUrl": queue}}
        ledger.begin(step.name, {**record, "Metadata": metadata, "_Token": token})
        if not self.tell_queue(step.name, "Executing"):
            ledger.end(step.name, "Failed", f"ClientError: There is no queue {queue}.")

    def tell_queue(self, name: str, status: str) -> bool:
        """Send a callback step's message; say whether its queue exists.

        Source of its form: https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps.html
        (Callback step); that the status is in small letters is unverified.
        """
        record = self.execution.ledger.steps[name]
        callback = record["Metadata"]["Callback"]
        message = {
            "token": callback["CallbackToken"],
            "pipelineExecutionArn": self.execution.ledger.arn,
            "arguments": record["_Arguments"],
            "status": status,
        }
        return self.outside.send(callback["SqsQueueUrl"], message)

    def _called_outside(self, step: Step, arguments: Mapping[str, Any]) -> None:
        ledger = self.execution.ledger
        arn = ledger.steps[step.name]["Metadata"]["Lambda"]["Arn"]
        try:
            answer = self.outside.call(arn, arguments)
        except (FunctionMissing, FunctionFailed) as why:
            ledger.end(step.name, "Failed", f"ClientError: {why}")
        else:
            named = answer if isinstance(answer, dict) else {}
            try:
                outputs = _outputs(step, named)
            except ValueError as why:
                ledger.end(step.name, "Failed", f"ClientError: the function did not return {why}")
            else:
                listed = [{"Name": n, "Value": _text(v)} for n, v in outputs.items()]
                metadata = {"Lambda": {"Arn": arn, "OutputParameters": listed}}
                ledger.end(step.name, "Succeeded", Metadata=metadata, _Outputs=outputs)
                self.keep(step)
        finally:
            self.wake()


def _outputs(step: Step, named: Mapping[str, Any]) -> dict[str, Any]:
    """Return a function's outputs, of the types that its step declares. Raises ValueError, which
    says what it did not return.
    """
    declared = declared_outputs(step)
    if missing := [name for name in declared if name not in named]:
        raise ValueError(", ".join(missing))
    found = {}
    for name, kind in declared.items():
        try:
            found[name] = typed(named[name], kind)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name} of type {kind}, but {named[name]!r}") from error
    return found


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)
