"""One training job that was created: asked, followed, stopped."""

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from sagedock.client.board import Board
from sagedock.client.curves import save_curves
from sagedock.client.interrupted import begun_when_followed, stopped_by_ctrl_c
from sagedock.client.logs import TRAINING_LOGS, JobLogs
from sagedock.client.refusals import explained
from sagedock.client.result import TrainingResult, require_completed
from sagedock.client.series import MetricSeries, host_count
from sagedock.client.session import Session
from sagedock.client.show import Show, nowhere
from sagedock.client.transitions import Transitions
from sagedock.client.waiting import wait_until_ended

__all__ = ["TrainingRun"]


class TrainingRun:
    """A training job by its name. Nothing is asked before a method needs it."""

    def __init__(self, name: str, session: Session, show: Show) -> None:
        self.name = name
        self._session = session
        self._show = show

    def __repr__(self) -> str:
        return f"TrainingRun({self.name!r})"

    @cached_property
    def _board(self) -> Board:
        return Board(self._session)

    def describe(self) -> Mapping[str, Any]:
        """Return the answer of DescribeTrainingJob. Raises InvalidRequest for an unknown job."""
        with explained(self._session.target):
            return self._describe()

    def result(self) -> TrainingResult:
        """Return what is known of the job now."""
        return TrainingResult.of(self.describe())

    def metrics(self) -> tuple[MetricSeries, ...]:
        """Return what is known of the job's metrics now, each over time: those of its definitions,
        then what each host uses. Metrics without a point are left out. See JobView.
        """
        return tuple(self._board.view(self.name, "training").series)

    def save_curves(self, path: str | Path) -> None:
        """Draw the metrics over time into ``path``, a .png or .svg; see ``curves.save_curves``."""
        save_curves(self._board.view(self.name, "training"), Path(path))

    def wait(self, *, logs: bool = True) -> TrainingResult:
        """Return the result once the job completed, showing its states and, if asked, its lines.

        Raises JobFailed if it ended otherwise. Ctrl-C stops the job, which may save what it learnt,
        and is raised once it has ended; a second one at once.
        """
        try:
            description = stopped_by_ctrl_c(
                begun_when_followed(partial(self._following, logs=logs)),
                what=f"the training job {self.name}",
                stop=self.stop,
                left=_left,
                show=self._show,
            )
        except Exception:  # the user must learn that the job goes on
            self._show(self._how_to_go_on())
            raise
        return require_completed(TrainingResult.of(description))

    def stop(self) -> None:
        """Ask the service to stop the job: SIGTERM, then SIGKILL after 120 s.

        Raises InvalidRequest if it has ended already.
        """
        with explained(self._session.target):
            self._sagemaker.stop_training_job(TrainingJobName=self.name)

    def _following(self, *, logs: bool) -> Callable[[], Mapping[str, Any]]:
        """Return what waits for the end; called again, it goes on where it was."""
        from sagedock.api import states

        job_logs = JobLogs(
            self._session.client("logs"),
            group=TRAINING_LOGS,
            job_name=self.name,
            show=self._show if logs else nowhere,
            name_hosts=host_count(self.describe()) > 1,
        )
        transitions = Transitions(self._show)

        def follow() -> Mapping[str, Any]:
            with explained(self._session.target):
                return wait_until_ended(
                    self._describe,
                    ended=lambda one: states.is_terminal("training-job", one["TrainingJobStatus"]),
                    read_logs=job_logs.read if logs else lambda: 0,
                    pace=self._session.place.pace,
                    show=self._show,
                    transitions=transitions,
                )

        return follow

    def _describe(self) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self._sagemaker.describe_training_job(TrainingJobName=self.name)
        return answer

    @property
    def _sagemaker(self) -> Any:
        return self._session.client("sagemaker")

    def _how_to_go_on(self) -> str:
        job = f"Estimator.attach({self.name!r})"
        told = f"{self.name} goes on {self._session.lasts}"
        return f"{told}. Follow it: {job}.wait(); stop it: {job}.stop()"


def _left(description: Mapping[str, Any]) -> str:
    """Return what is left of a job that Ctrl-C stopped."""
    told = f"the training job {description['TrainingJobName']} ended "
    told += str(description["TrainingJobStatus"])
    model = description.get("ModelArtifacts", {}).get("S3ModelArtifacts")
    return f"{told}; what it saved is in {model}" if model else told
