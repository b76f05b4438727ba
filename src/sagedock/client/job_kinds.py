"""The kinds of jobs, and how each kind's operations and members are called."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

from sagedock.api import log_groups, states
from sagedock.api import metrics as names
from sagedock.api.model import service_model

__all__ = ["KINDS", "JobKind", "Word"]

Word = Literal["training", "processing", "transform", "tuning"]


@dataclass(frozen=True, kw_only=True)
class JobKind:
    """One kind of job. ``member`` is what its names begin with in the API; ``times`` are the
    members that say when it began and ended to do its work; ``log_group`` is None where the lines
    are those of other jobs, ``namespace`` where what its hosts use is not looked for.
    """

    word: Word
    member: str
    state: states.Kind
    times: tuple[str, str]
    log_group: str | None
    namespace: str | None = None

    @property
    def snake(self) -> str:
        """The kind as boto3's methods name it: training_job."""
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in self.member).lstrip("_")

    @property
    def statuses(self) -> Sequence[str]:
        """The statuses that jobs of this kind can have."""
        shape = service_model("sagemaker").shape_for(states.STATUSES[self.state].shape)
        return tuple(shape.enum)

    @property
    def summaries(self) -> str:
        """The member of List's answer that holds the jobs."""
        return f"{self.member}Summaries"

    def name(self, found: Mapping[str, Any]) -> str:
        """Return a job's name, from its description or its summary."""
        return str(found[f"{self.member}Name"])

    def status(self, found: Mapping[str, Any]) -> str:
        """Return a job's status, from its description or its summary."""
        return str(found[f"{self.member}Status"])

    def has_ended(self, found: Mapping[str, Any]) -> bool:
        """Say whether nothing of a job changes any more."""
        return states.is_terminal(self.state, self.status(found))

    def span(self, found: Mapping[str, Any], now: datetime) -> tuple[datetime, datetime]:
        """Return when a job began its work, or was created, and when it ended: ``now`` if not."""
        began, ended = (found.get(member) for member in self.times)
        began = began or found["CreationTime"]
        if ended is None:
            ended = found.get("LastModifiedTime", began) if self.has_ended(found) else now
        return began, ended

    def describe(self, sagemaker: Any, name: str) -> Mapping[str, Any]:
        """Return what the kind's Describe answers. Raises botocore's ClientError."""
        asked = getattr(sagemaker, f"describe_{self.snake}")
        answer: Mapping[str, Any] = asked(**{f"{self.member}Name": name})
        return answer


#: By the words that people have for them, in the order in which a name is looked for.
KINDS: Mapping[Word, JobKind] = MappingProxyType(
    {
        "training": JobKind(
            word="training",
            member="TrainingJob",
            state="training-job",
            times=("TrainingStartTime", "TrainingEndTime"),
            log_group=log_groups.TRAINING_JOBS,
            namespace=names.TRAINING_JOBS,
        ),
        "processing": JobKind(
            word="processing",
            member="ProcessingJob",
            state="processing-job",
            times=("ProcessingStartTime", "ProcessingEndTime"),
            log_group=log_groups.PROCESSING_JOBS,
            namespace=names.PROCESSING_JOBS,
        ),
        "transform": JobKind(
            word="transform",
            member="TransformJob",
            state="transform-job",
            times=("TransformStartTime", "TransformEndTime"),
            log_group=log_groups.TRANSFORM_JOBS,
        ),
        "tuning": JobKind(
            word="tuning",
            member="HyperParameterTuningJob",
            state="tuning-job",
            times=("CreationTime", "HyperParameterTuningEndTime"),
            log_group=None,
        ),
    }
)
