"""One training job of a tuning job: what it was given, how it goes, what it reached."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from sagedock.local.training.steps import TERMINAL
from sagedock.local.tuning.definitions import Definition
from sagedock.search import Tried

__all__ = ["Trial", "best_of", "loss_of", "summary", "tried"]

ObjectiveStatus = Literal["Succeeded", "Pending", "Failed"]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A training job by its ``number``, from 1. ``definition`` counts from 0. Times are epoch
    seconds. ``is_created`` says that CreateTrainingJob was answered.
    """

    number: int
    name: str
    arn: str
    definition: int
    values: Mapping[str, str]
    created: float
    is_created: bool = False
    status: str = "InProgress"
    started: float | None = None
    ended: float | None = None
    reason: str | None = None
    objective: float | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the training job has ended."""
        return self.status in TERMINAL

    @property
    def objective_status(self) -> ObjectiveStatus:
        """What became of its objective. One that was stopped counts if it had any: row 142."""
        if not self.has_ended:
            return "Pending"
        return "Succeeded" if self.objective is not None and self.status != "Failed" else "Failed"

    def described(self, description: Mapping[str, Any], metric: str) -> "Trial":
        """Return the trial as DescribeTrainingJob tells it."""
        found = {
            each["MetricName"]: each["Value"] for each in description.get("FinalMetricDataList", ())
        }
        return replace(
            self,
            is_created=True,
            created=description["CreationTime"],
            status=description["TrainingJobStatus"],
            started=description.get("TrainingStartTime"),
            ended=description.get("TrainingEndTime"),
            reason=description.get("FailureReason"),
            objective=found.get(metric),
        )

    def vanished(self) -> "Trial":
        """Return the trial whose training job was deleted: nothing came of it."""
        return self.refused("The training job was deleted.")

    def refused(self, reason: str) -> "Trial":
        """Return the trial whose training job there will never be."""
        return replace(self, status="Failed", reason=reason)

    def never_created(self) -> "Trial":
        """Return the trial that was stopped before its training job was created."""
        return replace(self, status="Stopped")

    def document(self) -> dict[str, Any]:
        """Return what is stored of it."""
        return asdict(self)


def summary(trial: Trial, definition: Definition, *, tuning_job: str | None = None) -> Any:
    """Return the HyperParameterTrainingJobSummary of a trial; ``tuning_job`` names its tuning job
    where that is not said already.
    """
    found: dict[str, Any] = {
        "TrainingJobDefinitionName": definition.name,
        "TrainingJobName": trial.name,
        "TrainingJobArn": trial.arn,
        "TuningJobName": tuning_job,
        "CreationTime": trial.created,
        "TrainingStartTime": trial.started,
        "TrainingEndTime": trial.ended,
        "TrainingJobStatus": trial.status,
        "TunedHyperParameters": dict(trial.values),
        "FailureReason": trial.reason,
        "ObjectiveStatus": trial.objective_status,
    }
    if trial.objective is not None:
        found["FinalHyperParameterTuningJobObjectiveMetric"] = {
            "MetricName": definition.metric,
            "Value": trial.objective,
        }
    return {name: value for name, value in found.items() if value is not None}


def loss_of(trial: Trial, definitions: Sequence[Definition]) -> float | None:
    """Return what is to become small of a trial whose objective succeeded, or None."""
    if trial.objective is None or trial.objective_status != "Succeeded":
        return None
    return definitions[trial.definition].loss(trial.objective)


def best_of(trials: Sequence[Trial], definitions: Sequence[Definition]) -> Trial | None:
    """Return the trial with the best objective, the earliest of equals; None where none has any."""
    known = [(loss, each) for each in trials if (loss := loss_of(each, definitions)) is not None]
    return min(known, key=lambda one: one[0])[1] if known else None


def tried(
    trials: Sequence[Trial], definitions: Sequence[Definition], definition: int
) -> list[Tried]:
    """Return what a search is to know of the trials of one definition."""
    return [
        Tried(values=each.values, loss=loss_of(each, definitions), is_open=not each.has_ended)
        for each in trials
        if each.definition == definition
    ]
