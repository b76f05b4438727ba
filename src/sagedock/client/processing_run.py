"""One processing job that was created: asked, followed, stopped; and what came of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from sagedock.api import log_groups
from sagedock.client.interrupted import begun_when_followed, stopped_by_ctrl_c
from sagedock.client.logs import JobLogs
from sagedock.client.patience import Clock, patiently
from sagedock.client.refusals import explained
from sagedock.client.session import Session
from sagedock.client.show import Show, nowhere
from sagedock.client.transitions import Transitions
from sagedock.client.waiting import wait_until_ended
from sagedock.errors import JobFailed

__all__ = ["ProcessingResult", "ProcessingRun"]


@dataclass(frozen=True, kw_only=True)
class ProcessingResult:
    """A processing job as DescribeProcessingJob tells it; what is not known yet is None.

    ``outputs`` are where the files of each output are, by its name; ``exit_message`` is what the
    containers left in /opt/ml/output/message.
    """

    name: str
    status: str
    outputs: Mapping[str, str]
    failure_reason: str | None
    exit_message: str | None

    @classmethod
    def of(cls, description: Mapping[str, Any]) -> "ProcessingResult":
        """Return the result that an answer of DescribeProcessingJob holds."""
        outputs = description.get("ProcessingOutputConfig", {}).get("Outputs", ())
        return cls(
            name=description["ProcessingJobName"],
            status=description["ProcessingJobStatus"],
            outputs={
                each["OutputName"]: each["S3Output"]["S3Uri"]
                for each in outputs
                if "S3Output" in each
            },
            failure_reason=description.get("FailureReason"),
            exit_message=description.get("ExitMessage"),
        )


class ProcessingRun:
    """A processing job by its name. Nothing is asked before a method needs it."""

    def __init__(self, name: str, session: Session, show: Show) -> None:
        self.name = name
        self._session = session
        self._show = show

    def __repr__(self) -> str:
        return f"ProcessingRun({self.name!r})"

    def describe(self) -> Mapping[str, Any]:
        """Return the answer of DescribeProcessingJob. Raises InvalidRequest for an unknown job."""
        with explained(self._session.target):
            return self._describe()

    def result(self) -> ProcessingResult:
        """Return what is known of the job now."""
        return ProcessingResult.of(self.describe())

    def wait(self, *, logs: bool = True) -> ProcessingResult:
        """Return the result once the job completed, showing its states and, if asked, its lines.

        Raises JobFailed if it ended otherwise, with what its containers left as their message.
        Ctrl-C stops the job, and is raised once it has ended; a second one at once.
        """
        description = stopped_by_ctrl_c(
            begun_when_followed(partial(self._following, logs=logs)),
            what=f"the processing job {self.name}",
            stop=self.stop,
            left=_left,
            show=self._show,
        )
        result = ProcessingResult.of(description)
        if result.status == "Completed":
            return result
        told = (result.failure_reason, result.exit_message)
        raise JobFailed(result.name, result.status, "; ".join(filter(None, told)))

    def stop(self) -> None:
        """Ask the service to stop the job. Raises InvalidRequest if it has ended already."""
        with explained(self._session.target):
            self._sagemaker.stop_processing_job(ProcessingJobName=self.name)

    def _following(self, *, logs: bool) -> Callable[[], Mapping[str, Any]]:
        """Return what waits for the end; called again, it goes on where it was."""
        from sagedock.api import states

        pace = self._session.place.pace
        with explained(self._session.target):
            found = patiently(
                self._describe, patience_s=pace.patience_s, clock=Clock(), show=self._show
            )
        cluster = found["ProcessingResources"]["ClusterConfig"]
        job_logs = JobLogs(
            self._session.client("logs"),
            group=log_groups.PROCESSING_JOBS,
            job_name=self.name,
            show=self._show if logs else nowhere,
            name_hosts=cluster.get("InstanceCount", 1) > 1,
        )
        follow = partial(
            wait_until_ended,
            self._describe,
            ended=lambda one: states.is_terminal("processing-job", one["ProcessingJobStatus"]),
            read_logs=job_logs.read if logs else lambda: 0,
            pace=pace,
            show=self._show,
            transitions=Transitions(self._show),
        )

        def following() -> Mapping[str, Any]:
            with explained(self._session.target):
                return follow()

        return following

    def _describe(self) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self._sagemaker.describe_processing_job(
            ProcessingJobName=self.name
        )
        return answer

    @property
    def _sagemaker(self) -> Any:
        return self._session.client("sagemaker")


def _left(description: Mapping[str, Any]) -> str:
    """Return what is left of a job that Ctrl-C stopped."""
    result = ProcessingResult.of(description)
    told = f"the processing job {result.name} ended {result.status}"
    if not result.outputs:
        return told
    stored = ", ".join(f"{name} in {uri}" for name, uri in result.outputs.items())
    return f"{told}. What it had stored by then stays: {stored}"
