"""Files and folders that the platform and a container exchange under /opt/ml."""

from dataclasses import dataclass
from typing import Literal

from sagedock.contract import _sources as source

__all__ = [
    "CHANNELS",
    "CHECKPOINTS",
    "CHECKPOINT_CONFIG",
    "CODE",
    "EXIT_MESSAGE",
    "FAILURE",
    "HYPERPARAMETERS",
    "INPUT",
    "INPUT_DATA_CONFIG",
    "MODEL",
    "MODELS",
    "OUTPUT",
    "OUTPUT_DATA",
    "PROCESSING",
    "PROCESSING_CONFIG",
    "PROCESSING_HOSTS",
    "PROCESSING_JOB",
    "RESERVED",
    "RESOURCE_CONFIG",
    "SUCCESS",
    "UNSYNCED",
    "UPLOADED",
    "UPLOADING",
    "WARM_POOL_CACHE",
    "Place",
    "additional_model",
    "channel",
    "fifo",
]

Writer = Literal["platform", "container"]


@dataclass(frozen=True, kw_only=True)
class Place:
    """One path inside a container: who writes it, what it holds, and the page that says so."""

    path: str
    kind: Literal["file", "folder"]
    writer: Writer
    holds: str
    source: str

    def __str__(self) -> str:
        return self.path


RESERVED = Place(
    path="/opt/ml",
    kind="folder",
    writer="platform",
    holds="everything below; what an image ships here may be hidden at run time",
    source=source.DOCKERFILE,
)
INPUT = Place(
    path="/opt/ml/input",
    kind="folder",
    writer="platform",
    holds="configuration and data; writable, since the SDK v3 drivers write here",
    source=source.RUNNING,
)
HYPERPARAMETERS = Place(
    path="/opt/ml/input/config/hyperparameters.json",
    kind="file",
    writer="platform",
    holds="a flat JSON object whose every value is a string",
    source=source.RUNNING,
)
INPUT_DATA_CONFIG = Place(
    path="/opt/ml/input/config/inputdataconfig.json",
    kind="file",
    writer="platform",
    holds="per channel that the host has: TrainingInputMode (File also for FastFile), "
    "S3DistributionType, RecordWrapperType, and ContentType where the request gives one",
    source=source.RUNNING,
)
RESOURCE_CONFIG = Place(
    path="/opt/ml/input/config/resourceconfig.json",
    kind="file",
    writer="platform",
    holds="current_host, hosts in lexicographic order, network_interface_name, "
    "current_instance_type, current_group_name, instance_groups",
    source=source.RUNNING,
)
CHECKPOINT_CONFIG = Place(
    path="/opt/ml/input/config/checkpointconfig.json",
    kind="file",
    writer="platform",
    holds="S3Uri and LocalPath, where the request has a CheckpointConfig; images do without it",
    source=source.DEEP_LEARNING_CONTAINERS,
)
CHANNELS = Place(
    path="/opt/ml/input/data",
    kind="folder",
    writer="platform",
    holds="one folder per channel, complete before the container starts (File mode) or read-only "
    "(FastFile mode); a FIFO per channel and epoch (Pipe mode), each made once the one before is "
    "closed",
    source=source.RUNNING,
)
MODEL = Place(
    path="/opt/ml/model",
    kind="folder",
    writer="container",
    holds="the final model; becomes model.tar.gz, or objects of its own",
    source=source.OUTPUT,
)
MODELS = Place(
    path="/opt/ml/models",
    kind="folder",
    writer="platform",
    holds="of a container that serves many models: a folder for each that it has now, with the "
    "model in its folder `model`",
    source=source.MULTI_MODEL,
)
OUTPUT = Place(
    path="/opt/ml/output",
    kind="folder",
    writer="container",
    holds="the failure file and the other artefacts",
    source=source.OUTPUT,
)
OUTPUT_DATA = Place(
    path="/opt/ml/output/data",
    kind="folder",
    writer="container",
    holds="artefacts that are not the model; becomes output.tar.gz",
    source=source.OUTPUT,
)
FAILURE = Place(
    path="/opt/ml/output/failure",
    kind="file",
    writer="container",
    holds="why the job failed; its first characters become FailureReason",
    source=source.OUTPUT,
)
SUCCESS = Place(
    path="/opt/ml/output/success",
    kind="file",
    writer="container",
    holds="nothing; the toolkit leaves it where a job succeeds",
    source=source.TOOLKIT,
)
CHECKPOINTS = Place(
    path="/opt/ml/checkpoints",
    kind="folder",
    writer="container",
    holds="checkpoints, restored before the start and mirrored to S3 while the job runs; "
    "CheckpointConfig.LocalPath names another folder",
    source=source.CHECKPOINTS,
)
WARM_POOL_CACHE = Place(
    path="/opt/ml/sagemaker/warmpoolcache",
    kind="folder",
    writer="container",
    holds="what the next job on the same warm pool finds again",
    source=source.WARM_POOLS,
)
CODE = Place(
    path="/opt/ml/code",
    kind="folder",
    writer="container",
    holds="the user's code, unpacked by the training toolkit",
    source=source.STORAGE,
)
PROCESSING = Place(
    path="/opt/ml/processing",
    kind="folder",
    writer="platform",
    holds="of a processing job: every input, complete before the container starts, and the folder "
    "of every output",
    source=source.PROCESSING_DATA,
)
PROCESSING_CONFIG = Place(
    path="/opt/ml/config",
    kind="folder",
    writer="platform",
    holds="what a processing job's container is told of its job and of its hosts",
    source=source.PROCESSING_CONFIGURED,
)
PROCESSING_JOB = Place(
    path="/opt/ml/config/processingjobconfig.json",
    kind="file",
    writer="platform",
    holds="the request: names, AppSpecification, Environment, ProcessingInputs, "
    "ProcessingOutputConfig, ProcessingResources, RoleArn, StoppingCondition",
    source=source.PROCESSING_CONFIGURED,
)
PROCESSING_HOSTS = Place(
    path="/opt/ml/config/resourceconfig.json",
    kind="file",
    writer="platform",
    holds="current_host, and hosts",
    source=source.PROCESSING_CONFIGURED,
)
EXIT_MESSAGE = Place(
    path="/opt/ml/output/message",
    kind="file",
    writer="container",
    holds="UTF-8 text of a processing job; its first kilobyte becomes ExitMessage",
    source=source.PROCESSING_MESSAGE,
)

#: What ends a file's name in the folder of checkpoints means something to the platform: it leaves
#: UNSYNCED files alone, and keeps a marker FILE + UPLOADING beside a FILE that it uploads,
#: FILE + UPLOADED once that is done. Source: checkpointing.py of aws/sagemaker-xgboost-container;
#: the documentation does not say it.
UNSYNCED = ".sagemaker-ignore"
UPLOADING = ".sagemaker-uploading"
UPLOADED = ".sagemaker-uploaded"


def additional_model(channel: str) -> str:
    """Return the folder of a channel of AdditionalModelDataSources, complete before the container
    starts. Source: sagemaker.serve of aws/sagemaker-python-sdk, which tells containers of it.
    """
    return f"{RESERVED.path}/additional-model-data-sources/{channel}"


def channel(name: str) -> str:
    """Return the folder of a channel, e.g. ``/opt/ml/input/data/train``."""
    return f"{CHANNELS.path}/{name}"


def fifo(channel: str, epoch: int) -> str:
    """Return a Pipe-mode channel's FIFO of one epoch, e.g. ``/opt/ml/input/data/train_0``."""
    return f"{CHANNELS.path}/{channel}_{epoch}"
