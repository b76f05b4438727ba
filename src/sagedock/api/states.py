"""The states of each kind of resource, and the words the service puts to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

__all__ = ["STATUSES", "STORIES", "Kind", "Statuses", "Step", "Story", "is_terminal"]

Kind = Literal[
    "endpoint",
    "inference-component",
    "model-package",
    "pipeline-execution",
    "processing-job",
    "training-job",
    "transform-job",
    "tuning-job",
]


@dataclass(frozen=True, kw_only=True)
class Statuses:
    """One kind's states: the member of Describe that holds them, its enum, and where they end."""

    member: str
    shape: str
    terminal: frozenset[str]


def _job(member: str) -> Statuses:
    return Statuses(
        member=member, shape=member, terminal=frozenset({"Completed", "Failed", "Stopped"})
    )


#: Terminal is what stays until someone acts on the resource.
STATUSES: Mapping[Kind, Statuses] = MappingProxyType(
    {
        "endpoint": Statuses(
            member="EndpointStatus",
            shape="EndpointStatus",
            terminal=frozenset({"InService", "Failed", "OutOfService", "UpdateRollbackFailed"}),
        ),
        "inference-component": Statuses(
            member="InferenceComponentStatus",
            shape="InferenceComponentStatus",
            terminal=frozenset({"InService", "Failed"}),
        ),
        "model-package": Statuses(
            member="ModelPackageStatus",
            shape="ModelPackageStatus",
            terminal=frozenset({"Completed", "Failed"}),
        ),
        "pipeline-execution": Statuses(
            member="PipelineExecutionStatus",
            shape="PipelineExecutionStatus",
            terminal=frozenset({"Succeeded", "Failed", "Stopped", "CompletedWithFailures"}),
        ),
        "processing-job": _job("ProcessingJobStatus"),
        "training-job": _job("TrainingJobStatus"),
        "transform-job": _job("TransformJobStatus"),
        "tuning-job": Statuses(
            member="HyperParameterTuningJobStatus",
            shape="HyperParameterTuningJobStatus",
            terminal=frozenset({"Completed", "Failed", "Stopped", "DeleteFailed"}),
        ),
    }
)


def is_terminal(kind: Kind, status: str) -> bool:
    """Say whether a resource in ``status`` stays there until someone acts on it."""
    return status in STATUSES[kind].terminal


@dataclass(frozen=True, kw_only=True)
class Step:
    """One secondary status and its messages, in order of appearance.

    The message is overwritten in place while the status lasts: ``SecondaryStatusTransitions``
    holds the last of them, with the StartTime of the first.
    """

    status: str
    messages: tuple[str, ...]
    verified: bool = True

    @property
    def kept(self) -> str:
        """The message that stays in the history."""
        return self.messages[-1]


@dataclass(frozen=True, kw_only=True)
class Story:
    """How one kind of training job goes: its steps, and the TrainingJobStatus it ends with."""

    steps: tuple[Step, ...]
    status: str
    source: str


_STARTING = Step(status="Starting", messages=("Starting the training job",))
_PENDING = Step(
    status="Pending",
    messages=("Training job waiting for capacity", "Preparing the instances for training"),
)
_DOWNLOADING = Step(
    status="Downloading", messages=("Downloading input data", "Downloading the training image")
)
_DOWNLOADING_DATA = Step(status="Downloading", messages=("Downloading input data",))
_TRAINING = Step(
    status="Training", messages=("Training image download completed. Training in progress.",)
)
_UPLOADING = Step(status="Uploading", messages=("Uploading generated training model",))
_COMPLETED = Step(status="Completed", messages=("Training job completed",))
_FAILED = Step(status="Failed", messages=("Training job failed",))
_STOPPING = Step(status="Stopping", messages=("Stopping the training job",))
_STOPPED = Step(status="Stopped", messages=("Training job stopped",))
_MAX_RUNTIME = Step(
    status="MaxRuntimeExceeded", messages=("Training job runtime exceeded",), verified=False
)
_MAX_WAIT = Step(
    status="MaxWaitTimeExceeded", messages=("Training job wait time exceeded",), verified=False
)
_INTERRUPTED = Step(status="Interrupted", messages=("Training job interrupted",), verified=False)
_RESTARTING = Step(status="Restarting", messages=("Restarting the training job",), verified=False)
#: A spot job's course has no Pending in the guide, which tells it as before 2024.
_SPOT_STARTING = Step(
    status="Starting",
    messages=(
        "Starting the training job",
        "Launching requested ML instances",
        "Preparing the instances for training",
    ),
)
_RETAINED = ("Resource retained for reuse",)

_READY = (_STARTING, _PENDING, _DOWNLOADING)
_SPOT = "https://docs.aws.amazon.com/sagemaker/latest/dg/model-managed-spot-training.html"

#: The course of a training job since 2024, case by case. Sources are sections of aws-answers.
STORIES: Mapping[str, Story] = MappingProxyType(
    {
        "completed": Story(
            steps=(*_READY, _TRAINING, _UPLOADING, _COMPLETED),
            status="Completed",
            source="section 7, ordinary from ~2024",
        ),
        "script-failed": Story(
            steps=(*_READY, _TRAINING, _UPLOADING, _FAILED),
            status="Failed",
            source="section 7, script failure: what was written is uploaded",
        ),
        "data-failed": Story(
            steps=(_STARTING, _PENDING, _DOWNLOADING_DATA, _FAILED),
            status="Failed",
            source="section 7, data failure",
        ),
        "role-failed": Story(
            steps=(_STARTING, _FAILED), status="Failed", source="section 7, role/VPC failure"
        ),
        "capacity-failed": Story(
            steps=(
                _STARTING,
                Step(
                    status="Pending",
                    messages=(
                        "Training job waiting for capacity",
                        "Training job failed for insufficient capacity",
                    ),
                ),
                _FAILED,
            ),
            status="Failed",
            source="section 7, capacity failure",
        ),
        "stopped-before-training": Story(
            steps=(_STARTING, _DOWNLOADING_DATA, _STOPPING, _STOPPED),
            status="Stopped",
            source="section 7, stopped before training",
        ),
        "stopped": Story(
            steps=(*_READY, _TRAINING, _STOPPING, _STOPPED),
            status="Stopped",
            source="section 7, stopped in training: what was saved is stored while it stops",
        ),
        "max-runtime": Story(
            steps=(*_READY, _TRAINING, _STOPPING, _MAX_RUNTIME),
            status="Stopped",
            source="section 7, max runtime",
        ),
        "capacity-retried": Story(
            steps=(
                Step(
                    status="Starting",
                    messages=(
                        "Starting the training job",
                        "Insufficient capacity error from EC2 while launching instances, retrying!",
                        "Preparing the instances for training",
                    ),
                ),
                *(_DOWNLOADING, _TRAINING, _UPLOADING, _COMPLETED),
            ),
            status="Completed",
            source="section 7, capacity retry",
        ),
        "warm-pool-hit": Story(
            steps=(
                Step(
                    status="Starting",
                    messages=("Starting the training job", "Found matching resource for reuse"),
                ),
                *(_DOWNLOADING, _TRAINING, _UPLOADING),
                Step(status="Completed", messages=_RETAINED),
            ),
            status="Completed",
            source="section 7, warm pool hit, and kept",
        ),
        "max-wait-never-launched": Story(
            steps=(_STARTING, _STOPPING, _MAX_WAIT), status="Stopped", source=_SPOT
        ),
        "spot-interrupted": Story(
            steps=(
                *(_SPOT_STARTING, _DOWNLOADING, _TRAINING, _INTERRUPTED),
                *(_SPOT_STARTING, _DOWNLOADING, _TRAINING, _UPLOADING, _COMPLETED),
            ),
            status="Completed",
            source=_SPOT,
        ),
        "max-wait-interrupted": Story(
            steps=(
                *(_SPOT_STARTING, _DOWNLOADING, _TRAINING, _INTERRUPTED),
                *(_SPOT_STARTING, _DOWNLOADING, _TRAINING, _STOPPING, _MAX_WAIT),
            ),
            status="Stopped",
            source=_SPOT,
        ),
        "retried": Story(
            steps=(*_READY, _TRAINING, _RESTARTING, *_READY, _TRAINING, _UPLOADING, _COMPLETED),
            status="Completed",
            source="https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_RetryStrategy.html",
        ),
    }
)
