"""One tuning job that was created: asked, followed, stopped."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from sagedock.client.analytics import TrialRow, TuningAnalytics
from sagedock.client.interrupted import stopped_by_ctrl_c
from sagedock.client.refusals import explained
from sagedock.client.session import Session
from sagedock.client.show import Show, pictured
from sagedock.client.trials_shown import TrialsShown
from sagedock.client.waiting import wait_until_ended
from sagedock.errors import JobFailed, SagedockError

__all__ = ["TuningRun"]

_PAGE = 100
_NAME = "HyperParameterTuningJobName"
_STATUS = "HyperParameterTuningJobStatus"


class TuningRun:
    """The tuning job ``name``. While it is waited for, ``show`` takes a line for each training job
    that begins or ends; on a terminal there is a table of them instead.
    """

    def __init__(self, name: str, session: Session, show: Show) -> None:
        self.name = name
        self._session = session
        self._show = show

    def __repr__(self) -> str:
        return f"TuningRun({self.name!r})"

    def describe(self) -> Mapping[str, Any]:
        """Return the answer of DescribeHyperParameterTuningJob. Raises InvalidRequest for an
        unknown job.
        """
        with explained(self._session.target):
            return self._describe()

    def analytics(self) -> TuningAnalytics:
        """Return what was tried and reached until now."""
        description = self.describe()
        with explained(self._session.target):
            return self._analytics(description)

    def wait(self) -> Mapping[str, Any]:
        """Return the description once the job completed, showing its training jobs meanwhile.

        Raises JobFailed if it ended otherwise. Ctrl-C stops the job and its training jobs, and is
        raised once they have ended; a second one at once.
        """
        with pictured(self._show) as draw:
            found = stopped_by_ctrl_c(
                partial(self._follow, TrialsShown(self._show, draw)),
                what=f"the tuning job {self.name}",
                stop=self.stop,
                left=_left,
                show=self._show,
            )
        status = found[_STATUS]
        if status != "Completed":
            raise JobFailed(self.name, status, found.get("FailureReason", ""))
        if not found.get("BestTrainingJob"):
            self._show(_without_best(self.name))
        return found

    def best_training_job(self) -> str:
        """Return the name of the best training job. Raises SagedockError while there is none."""
        best = self.describe().get("BestTrainingJob")
        if not best:
            raise SagedockError(_without_best(self.name))
        return str(best["TrainingJobName"])

    def stop(self) -> None:
        """Ask the service to stop the job and its training jobs.

        Raises InvalidRequest if it has ended already.
        """
        with explained(self._session.target):
            self._sagemaker.stop_hyper_parameter_tuning_job(**{_NAME: self.name})

    def _follow(self, shown: TrialsShown) -> Mapping[str, Any]:
        """Return the description at the end, showing what each training job does meanwhile."""
        from sagedock.api import states

        latest: list[Mapping[str, Any]] = []

        def describe() -> Mapping[str, Any]:
            latest[:] = [self._describe()]
            return latest[0]

        with explained(self._session.target):
            return wait_until_ended(
                describe,
                ended=lambda one: states.is_terminal("tuning-job", one[_STATUS]),
                read_logs=lambda: shown.update(self._analytics(latest[0])),
                pace=self._session.place.pace,
                show=self._show,
            )

    def _analytics(self, description: Mapping[str, Any]) -> TuningAnalytics:
        objective = _objective(description)
        return TuningAnalytics(
            name=self.name,
            status=description[_STATUS],
            metric=objective["MetricName"],
            objective_type=objective["Type"],
            trials=self._trials(),
        )

    def _trials(self) -> tuple[TrialRow, ...]:
        pages = self._sagemaker.get_paginator(
            "list_training_jobs_for_hyper_parameter_tuning_job"
        ).paginate(
            **{_NAME: self.name},
            SortBy="CreationTime",
            SortOrder="Ascending",
            PaginationConfig={"PageSize": _PAGE},
        )
        found = [each for page in pages for each in page["TrainingJobSummaries"]]
        return tuple(TrialRow.of(number, each) for number, each in enumerate(found, start=1))

    def _describe(self) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self._sagemaker.describe_hyper_parameter_tuning_job(
            **{_NAME: self.name}
        )
        return answer

    @property
    def _sagemaker(self) -> Any:
        return self._session.client("sagemaker")


def _objective(description: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what is tuned for; of several definitions, the first one's."""
    found = description["HyperParameterTuningJobConfig"].get("HyperParameterTuningJobObjective")
    if found is None:
        found = description["TrainingJobDefinitions"][0]["TuningObjective"]
    return found  # type: ignore[no-any-return]


def _without_best(name: str) -> str:
    return (
        f"{name} has no best training job: none has ended with the objective metric; see that the "
        "metric definition finds it in the log"
    )


def _left(description: Mapping[str, Any]) -> str:
    """Return what is left of a job that Ctrl-C stopped."""
    counts = description["TrainingJobStatusCounters"]
    told = (
        f"the tuning job {description[_NAME]} ended {description[_STATUS]} (training jobs: "
        f"{counts.get('Completed', 0)} Completed, {counts.get('Stopped', 0)} Stopped); what they "
        "stored stays"
    )
    best = description.get("BestTrainingJob")
    return f"{told}, and {best['TrainingJobName']} is the best" if best else told
