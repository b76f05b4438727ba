"""The training jobs of one tuning job, asked for as a client would ask."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sagedock.api import metrics
from sagedock.local.caller import Caller
from sagedock.local.calls import Calls
from sagedock.local.platform import Platform
from sagedock.local.refusal import ENDING, Refused
from sagedock.local.resources import Key, Resource
from sagedock.local.tuning.names import training_key, tuning_job_arn

__all__ = ["TrainingJobs", "is_passing"]

#: Refusals of what may be asked for again later.
_PASSING = frozenset({"InternalFailure", "ResourceLimitExceeded", "ThrottlingException"})
_IN_USE = "ResourceInUse"


@dataclass(frozen=True, kw_only=True)
class TrainingJobs:
    """Creates, describes and stops training jobs, by ``calls``, in the name of a tuning job."""

    platform: Platform
    calls: Calls
    key: Key

    @property
    def caller(self) -> Caller:
        """Who created the tuning job, as far as it matters."""
        account = self.platform.settings.account
        return Caller(region=self.key.region, service="sagemaker", account=account)

    def create(self, request: Mapping[str, Any]) -> None:
        """Create a training job, unless it is there already. Raises Refused."""
        try:
            self.calls(self.caller, "CreateTrainingJob", request)
        except Refused as refused:
            if refused.error.code != _IN_USE:
                raise
        arn = tuning_job_arn(self.caller, self.key.name)

        def launched(job: Resource) -> Resource:
            return replace(job, document={**job.document, "TuningJobArn": arn})

        name = request["TrainingJobName"]
        self.platform.resources.change(training_key(self.key, name), launched)

    def describe(self, name: str) -> dict[str, Any] | None:
        """Return what DescribeTrainingJob answers; None where there is no such job."""
        try:
            return self.calls(self.caller, "DescribeTrainingJob", {"TrainingJobName": name})
        except Refused as refused:
            if refused.error.code == "ValidationException":
                return None
            raise

    def stop(self, name: str) -> None:
        """Stop a training job, if it has not ended. Raises Refused for what passes."""
        try:
            self.calls(self.caller, "StopTrainingJob", {"TrainingJobName": name})
        except Refused as refused:
            if refused.error.code != "ValidationException":
                raise

    def objectives(self, name: str, metric: str) -> list[float]:
        """Return a metric's values so far, in order: one for each epoch, if it is printed so."""
        points = self.platform.metrics.points(
            self.key.region, metrics.TRAINING_JOBS, metric, metrics.job_dimension(name)
        )
        return [each.value for each in points]


def is_passing(refused: Refused) -> bool:
    """Say whether what was refused may be granted later."""
    return refused.error.code in _PASSING or refused.error.code == ENDING.code
