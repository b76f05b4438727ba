"""One tuning job that was created: asked, followed, stopped."""

from collections.abc import Mapping
from typing import Any

from sagedock.client.analytics import TrialRow, TuningAnalytics
from sagedock.client.refusals import explained
from sagedock.client.session import Session
from sagedock.client.show import Show
from sagedock.client.waiting import wait_until_ended
from sagedock.errors import JobFailed, SagedockError

__all__ = ["TuningRun"]

_PAGE = 100
_NAME = "HyperParameterTuningJobName"
_STATUS = "HyperParameterTuningJobStatus"


class TuningRun:
    """The tuning job ``name``. While it is waited for, ``show`` takes a line for each training job
    that begins or ends.
    """

    def __init__(self, name: str, session: Session, show: Show) -> None:
        self.name = name
        self._session = session
        self._show = show
        self._shown: dict[str, str] = {}

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
        objective = _objective(description)
        with explained(self._session.target):
            trials = self._trials()
        return TuningAnalytics(
            name=self.name,
            status=description[_STATUS],
            metric=objective["MetricName"],
            objective_type=objective["Type"],
            trials=trials,
        )

    def wait(self) -> Mapping[str, Any]:
        """Return the description once the job completed, showing its training jobs meanwhile.

        Raises JobFailed if it ended otherwise. Ctrl-C ends the waiting; a job on AWS goes on.
        """
        from sagedock.api import states

        try:
            with explained(self._session.target):
                found = wait_until_ended(
                    self._describe,
                    ended=lambda one: states.is_terminal("tuning-job", one[_STATUS]),
                    read_logs=self._show_news,
                    pace=self._session.place.pace,
                    show=self._show,
                )
        except KeyboardInterrupt:
            self._show(f"{self.name} goes on: stop it with its tuner's stop()")
            raise
        status = found[_STATUS]
        if status != "Completed":
            raise JobFailed(self.name, status, found.get("FailureReason", status))
        return found

    def best_training_job(self) -> str:
        """Return the name of the best training job. Raises SagedockError while there is none."""
        best = self.describe().get("BestTrainingJob")
        if not best:
            raise SagedockError(
                f"{self.name} has no best training job: none has ended with the objective metric; "
                "see that the metric definition finds it in the log"
            )
        return str(best["TrainingJobName"])

    def stop(self) -> None:
        """Ask the service to stop the job and its training jobs.

        Raises InvalidRequest if it has ended already.
        """
        with explained(self._session.target):
            self._sagemaker.stop_hyper_parameter_tuning_job(**{_NAME: self.name})

    def _show_news(self) -> int:
        """Show the training jobs whose status changed; return how many there were."""
        news = [each for each in self._trials() if self._shown.get(each.name) != each.status]
        for each in news:
            self._shown[each.name] = each.status
            self._show(each.line)
        return len(news)

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
