"""The course of one execution: what can be done next, done."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from sagedock.local.pipelines.definition import Step
from sagedock.local.pipelines.deploying import end_of_deployment, is_under_way
from sagedock.local.pipelines.experiment import make_experiment
from sagedock.local.pipelines.graph import Graph
from sagedock.local.pipelines.names import TERMINAL
from sagedock.local.pipelines.outcome import is_broken, job_failed, refused
from sagedock.local.pipelines.retrying import NO_FAULT, fault_of_job
from sagedock.local.pipelines.scope import Execution
from sagedock.local.pipelines.starting import Starter
from sagedock.local.pipelines.step_kinds import CALLED
from sagedock.local.refusal import Refused

__all__ = ["Course"]

#: Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ParallelismConfiguration.html
#: does not name a default; 50 is what the console offers (unverified).
_AT_ONCE = 50
#: Source: row 157.
_FAILED = "Step failure: One or multiple steps failed."
_NOT_RETRIED = frozenset({"Endpoint", "Tuning"})
_RUNNING = frozenset({"Starting", "Executing", "Stopping"})


class Course:
    """One execution, advanced step by step. Not for several threads at once.

    Once a step has failed, no other begins; those that run go on to their end (unverified).
    """

    def __init__(self, execution: Execution, starter: Starter) -> None:
        self.execution = execution
        self._starter = starter
        self._graph = Graph(execution.definition)
        self._ledger = execution.ledger
        selected = execution.ledger.document.get("SelectiveExecutionConfig")
        self._wanted = (
            None if selected is None else {each["StepName"] for each in selected["SelectedSteps"]}
        )
        self._outside: set[str] = set()
        self._has_experiment = False

    def advance(self) -> float | None:
        """Do all that can be done now. Return when to look again (epoch seconds), if somebody does
        not say so before; None where nothing is waited for by the clock.
        """
        self._ledger.refresh()
        self._make_experiment()
        while self._ledger.status not in TERMINAL:
            if not self._moved():
                return min(self._retries(), default=None)
        return None

    def jobs(self) -> Iterator[str]:
        """Yield the names of the jobs that run."""
        for name, record in self._running():
            job = CALLED.get(self._step(name).type)
            if job is not None and job.job is not None and "_Job" in record:
                yield record["_Job"]

    def answer(
        self, name: str, status: str, reason: str | None, members: Mapping[str, Any]
    ) -> None:
        """Write down what a callback step was answered."""
        self._ledger.end(name, status, reason, **members)
        if status == "Succeeded":
            self._starter.keep(self._step(name))

    def interrupt(self) -> None:
        """Write down that the jobs which run may be stopped because the server ends."""
        for name, record in list(self._running()):
            if "_Job" in record and self._ledger.status != "Stopping":
                self._ledger.add(name, {"_Interrupted": True})

    def _make_experiment(self) -> None:
        """Make the execution's experiment and trial, once; without them it fails (unverified)."""
        if self._has_experiment or self._ledger.status != "Executing":
            return
        if (why_not := make_experiment(self.execution)) is not None:
            self._ledger.conclude("Failed", why_not)
        self._has_experiment = True

    def _moved(self) -> bool:
        """Do one round; say whether anything changed."""
        before = self._ledger.document
        for name, _ in list(self._running()):
            self._look_at(self._step(name))
        if self._ledger.status == "Stopping":
            self._stop_running()
        elif not self._has_failed():
            self._start_what_can()
        if not any(self._running()):
            self._conclude()
        return self._ledger.document is not before

    def _running(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for name, record in self._ledger.steps.items():
            if record["StepStatus"] in _RUNNING:
                yield name, record

    def _step(self, name: str) -> Step:
        return self.execution.definition.steps[name]

    def _has_failed(self) -> bool:
        records = self._ledger.steps.values()
        return any(each["StepStatus"] in ("Failed", "Stopped") for each in records)

    def _retries(self) -> list[float]:
        return [record["_RetryAt"] for _, record in self._running() if "_RetryAt" in record]

    # --- what runs -------------------------------------------------------------------------------

    def _look_at(self, step: Step) -> None:
        record = self._ledger.steps[step.name]
        if step.type == "Lambda" and step.name not in self._outside:
            self._outside.add(step.name)  # a killed server had called it, and nobody has its answer
            self._starter.run_outside(step, record["_Arguments"])
        if step.type not in CALLED:
            return
        if "_RetryAt" in record:
            if record["_RetryAt"] <= time.time():
                kept = {name: value for name, value in record.items() if name != "_RetryAt"}
                self._ledger.put(step.name, kept)
                self._starter.launch(step)
            return
        called = CALLED[step.type]
        if not record["Metadata"] and not self._is_there(step):
            self._starter.launch(step)  # a killed server had not come to it
            return
        if called.job is None:
            self._ledger.end(step.name, "Succeeded")
            self._starter.keep(step)
            return
        try:
            found = self._described(step)
        except Refused as why:  # somebody deleted it
            if is_broken(why.error):
                raise
            self._ledger.end(step.name, "Failed", refused(called.describe, why.error))
            return
        if found[called.job.status] not in called.job.ended:
            return
        why_not = end_of_deployment(found, record["_Arguments"]) if _deploys(step) else None
        if found[called.job.status] == called.job.done and why_not is None:
            self._ledger.end(step.name, "Succeeded")
            self._starter.keep(step)
        elif self._ledger.status == "Stopping":
            self._ledger.end(step.name, "Stopped")
        elif found[called.job.status] == "Stopped" and "_Interrupted" in record:
            self._starter.begin_again(step)
        else:
            reason = why_not or found.get("FailureReason")
            fault = NO_FAULT if step.type in _NOT_RETRIED else fault_of_job(reason or "")
            text = job_failed(reason, found[called.job.status])
            self._starter.failed(step, text, fault)

    def _described(self, step: Step) -> dict[str, Any]:
        called, record = CALLED[step.type], self._ledger.steps[step.name]
        by = {called.described_by: record["_Job"]}
        return self.execution.calls(self.execution.caller, called.describe, by)

    def _is_there(self, step: Step) -> bool:
        """Say whether what a killed server was about to create exists; its ARN is kept then."""
        called = CALLED[step.type]
        if called.name is None:
            return False  # the service tells by the token
        try:
            found = self._described(step)
        except Refused:
            return False
        if _deploys(step) and not is_under_way(found, self._ledger.steps[step.name]["_Arguments"]):
            return False
        self._ledger.add(step.name, {"Metadata": {called.metadata: {"Arn": found[called.arn]}}})
        return True

    # --- what begins, and how it ends ------------------------------------------------------------

    def _start_what_can(self) -> None:
        limit = self._ledger.document.get("ParallelismConfiguration", {})
        free = int(limit.get("MaxParallelExecutionSteps", _AT_ONCE))
        free -= sum(1 for _ in self._running())
        for name in self._graph.order:
            if free <= 0 or self._has_failed():
                return
            if name not in self._ledger.steps and self._may_begin(name):
                if self._step(name).type == "Lambda":
                    self._outside.add(name)
                self._starter.start(self._step(name))
                free -= self._ledger.steps[name]["StepStatus"] in _RUNNING

    def _may_begin(self, name: str) -> bool:
        if self._wanted is not None and name not in self._wanted:
            return False
        steps = self._ledger.steps
        within = self._step(name).within
        if within is not None and steps.get(within.condition, {}).get("_Outcome") != within.outcome:
            return False
        return all(
            each in steps and steps[each]["StepStatus"] == "Succeeded"
            for each in self._graph.waits_for(name)
        )

    def _stop_running(self) -> None:
        for name, record in list(self._running()):
            if record["StepStatus"] == "Stopping":
                continue
            step = self._step(name)
            if step.type == "Callback":
                self._starter.tell_queue(name, "Stopping")
                self._ledger.add(name, {"StepStatus": "Stopping"})
            elif "_RetryAt" in record or step.type not in CALLED:
                if step.type != "Lambda":  # a function is waited for
                    self._ledger.end(name, "Stopped")
            else:
                self._stop_job(step)

    def _stop_job(self, step: Step) -> None:
        job = CALLED[step.type].job
        if job is None or job.stop is None:
            return
        self._ledger.add(step.name, {"StepStatus": "Stopping"})
        by = {CALLED[step.type].described_by: self._ledger.steps[step.name]["_Job"]}
        try:
            self.execution.calls(self.execution.caller, job.stop, by)
        except Refused:  # it has ended meanwhile: the next look tells how
            return

    def _conclude(self) -> None:
        if self._ledger.status == "Stopping":
            self._ledger.conclude("Stopped")
        elif self._has_failed():
            self._ledger.conclude("Failed", _FAILED)
        elif not any(
            name not in self._ledger.steps and self._may_begin(name) for name in self._graph.order
        ):
            self._ledger.conclude("Succeeded")


def _deploys(step: Step) -> bool:
    return step.type == "Endpoint"
