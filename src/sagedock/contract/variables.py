"""Environment variables of the contract, and who sets each."""

from dataclasses import dataclass
from typing import Literal

from sagedock.contract import _sources as source

__all__ = [
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "CA_REPOSITORY_ARN",
    "NEURON_CC_FLAGS",
    "NEURON_COMPILE_CACHE_URL",
    "OMPI_COMM_WORLD_RANK",
    "OMPI_COMM_WORLD_SIZE",
    "PJRT_DEVICE",
    "RANK",
    "RUN_NEURON_PARALLEL_COMPILE",
    "S3_ENDPOINT_URL",
    "SAGEDOCK_BATCH_SIZE",
    "SAGEDOCK_DISTRIBUTED_BACKEND",
    "SAGEDOCK_HOSTS_RESOLVE_S",
    "SAGEDOCK_QUEUE_SIZE",
    "SAGEDOCK_SERVER",
    "SAGEDOCK_STREAMS",
    "SAGEMAKER_BASE_DIR",
    "SAGEMAKER_BATCH",
    "SAGEMAKER_BATCH_STRATEGY",
    "SAGEMAKER_BIND_TO_PORT",
    "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT",
    "SAGEMAKER_MANAGED_WARMPOOL_CACHE_DIRECTORY",
    "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS",
    "SAGEMAKER_MAX_PAYLOAD_IN_MB",
    "SAGEMAKER_MODEL_SERVER_TIMEOUT",
    "SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS",
    "SAGEMAKER_MODEL_SERVER_VMARGS",
    "SAGEMAKER_MODEL_SERVER_WORKERS",
    "SAGEMAKER_MULTI_MODEL",
    "SAGEMAKER_PROGRAM",
    "SAGEMAKER_REGION",
    "SAGEMAKER_SAFE_PORT_RANGE",
    "SAGEMAKER_STARTUP_TIMEOUT",
    "SAGEMAKER_SUBMIT_DIRECTORY",
    "SAGEMAKER_TRAINING_MODULE",
    "SM_STUDIO_LOCAL_MODE",
    "TRAINING_JOB_ARN",
    "TRAINING_JOB_NAME",
    "WORLD_SIZE",
    "Variable",
]

Setter = Literal["platform", "toolkit", "launcher", "user"]


@dataclass(frozen=True, kw_only=True)
class Variable:
    """One environment variable: who sets it, what it holds, and the page that says so."""

    name: str
    setter: Setter
    holds: str
    source: str

    def __str__(self) -> str:
        return self.name


TRAINING_JOB_NAME = Variable(
    name="TRAINING_JOB_NAME",
    setter="platform",
    holds="the job's name",
    source=source.RUNNING,
)
TRAINING_JOB_ARN = Variable(
    name="TRAINING_JOB_ARN",
    setter="platform",
    holds="the job's ARN",
    source=source.RUNNING,
)
AWS_REGION = Variable(
    name="AWS_REGION",
    setter="platform",
    holds="the region the job runs in; the toolkit reads it first",
    source=source.TOOLKIT,
)
AWS_DEFAULT_REGION = Variable(
    name="AWS_DEFAULT_REGION",
    setter="platform",
    holds="the same region, under the name that boto3 reads",
    source="https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html",
)
S3_ENDPOINT_URL = Variable(
    name="S3_ENDPOINT_URL",
    setter="user",
    holds="the address of another S3; the toolkit's own name for it",
    source=source.TOOLKIT,
)
SAGEMAKER_REGION = Variable(
    name="SAGEMAKER_REGION",
    setter="toolkit",
    holds="the region, read after AWS_REGION",
    source=source.TOOLKIT,
)
SAGEMAKER_MANAGED_WARMPOOL_CACHE_DIRECTORY = Variable(
    name="SAGEMAKER_MANAGED_WARMPOOL_CACHE_DIRECTORY",
    setter="platform",
    holds="the persistent cache of a warm pool, for jobs that have one",
    source=source.WARM_POOLS,
)
SAGEMAKER_PROGRAM = Variable(
    name="SAGEMAKER_PROGRAM",
    setter="user",
    holds="the entry point; wins over the hyperparameter sagemaker_program",
    source=source.TOOLKIT,
)
SAGEMAKER_TRAINING_MODULE = Variable(
    name="SAGEMAKER_TRAINING_MODULE",
    setter="user",
    holds="the framework module that the toolkit's `train` calls, as module:function",
    source=source.TOOLKIT,
)
SAGEMAKER_BASE_DIR = Variable(
    name="SAGEMAKER_BASE_DIR",
    setter="user",
    holds="what stands for /opt/ml outside SageMaker",
    source=source.TOOLKIT,
)
CA_REPOSITORY_ARN = Variable(
    name="CA_REPOSITORY_ARN",
    setter="user",
    holds="the CodeArtifact repository that requirements.txt is installed from",
    source=source.TOOLKIT,
)
SM_STUDIO_LOCAL_MODE = Variable(
    name="SM_STUDIO_LOCAL_MODE",
    setter="user",
    holds="`true` in Studio's local mode, where host names need not resolve",
    source=source.TOOLKIT,
)
SAGEDOCK_HOSTS_RESOLVE_S = Variable(
    name="SAGEDOCK_HOSTS_RESOLVE_S",
    setter="user",
    holds="seconds to wait for the other hosts' names; limits.HOSTS_RESOLVE_S where not set",
    source="sagedock",
)
SAGEDOCK_DISTRIBUTED_BACKEND = Variable(
    name="SAGEDOCK_DISTRIBUTED_BACKEND",
    setter="launcher",
    holds="the backend that fits the device, for torch.distributed.init_process_group: gloo, nccl"
    " or xla",
    source="sagedock",
)
PJRT_DEVICE = Variable(
    name="PJRT_DEVICE",
    setter="launcher",
    holds="what PyTorch/XLA runs on: NEURON, or CPU in the image that stands in for it",
    source="https://docs.pytorch.org/xla/release/r2.9/learn/pjrt.html",
)
NEURON_COMPILE_CACHE_URL = Variable(
    name="NEURON_COMPILE_CACHE_URL",
    setter="launcher",
    holds="the folder, or s3:// address, in which the Neuron compiler keeps compiled graphs",
    source=source.NEURON_CACHE,
)
NEURON_CC_FLAGS = Variable(
    name="NEURON_CC_FLAGS",
    setter="user",
    holds="options of the Neuron compiler; its --cache_dir goes before NEURON_COMPILE_CACHE_URL",
    source=source.NEURON_CACHE,
)
RUN_NEURON_PARALLEL_COMPILE = Variable(
    name="RUN_NEURON_PARALLEL_COMPILE",
    setter="user",
    holds="`1`: the script's graphs are compiled, and nothing is trained",
    source=source.TOOLKIT,
)
RANK = Variable(
    name="RANK",
    setter="launcher",
    holds="this process's number among all that torchrun started, on every host",
    source=source.TORCHRUN,
)
WORLD_SIZE = Variable(
    name="WORLD_SIZE",
    setter="launcher",
    holds="how many processes torchrun started, on every host",
    source=source.TORCHRUN,
)
OMPI_COMM_WORLD_RANK = Variable(
    name="OMPI_COMM_WORLD_RANK",
    setter="launcher",
    holds="this process's number among all that Open MPI's mpirun started",
    source=source.OPEN_MPI,
)
OMPI_COMM_WORLD_SIZE = Variable(
    name="OMPI_COMM_WORLD_SIZE",
    setter="launcher",
    holds="how many processes Open MPI's mpirun started",
    source=source.OPEN_MPI,
)
SAGEMAKER_BIND_TO_PORT = Variable(
    name="SAGEMAKER_BIND_TO_PORT",
    setter="platform",
    holds="the port to listen on, in inference pipelines and multi-container endpoints",
    source=source.PIPELINES,
)
SAGEMAKER_SAFE_PORT_RANGE = Variable(
    name="SAGEMAKER_SAFE_PORT_RANGE",
    setter="platform",
    holds="FIRST-LAST: the further ports that the container may listen on there",
    source=source.MULTI_CONTAINER,
)
SAGEMAKER_BATCH = Variable(
    name="SAGEMAKER_BATCH",
    setter="platform",
    holds="`true` while the container serves a batch transform job",
    source=source.BATCH,
)
SAGEMAKER_MAX_CONCURRENT_TRANSFORMS = Variable(
    name="SAGEMAKER_MAX_CONCURRENT_TRANSFORMS",
    setter="platform",
    holds="batch transform: how many requests come at once",
    source=source.BATCH,
)
SAGEMAKER_BATCH_STRATEGY = Variable(
    name="SAGEMAKER_BATCH_STRATEGY",
    setter="platform",
    holds="batch transform: whether a request holds one record or several",
    source=source.BATCH,
)
SAGEMAKER_MAX_PAYLOAD_IN_MB = Variable(
    name="SAGEMAKER_MAX_PAYLOAD_IN_MB",
    setter="platform",
    holds="the largest body of a request, in megabytes; 0: no limit of the platform's own",
    source=source.BATCH,
)
SAGEMAKER_MULTI_MODEL = Variable(
    name="SAGEMAKER_MULTI_MODEL",
    setter="platform",
    holds="`true` where the container serves many models, loaded on demand",
    source=source.MULTI_MODEL,
)
SAGEMAKER_SUBMIT_DIRECTORY = Variable(
    name="SAGEMAKER_SUBMIT_DIRECTORY",
    setter="user",
    holds="the folder of the user's code; where it is not set, `code` in the model's folder",
    source=source.INFERENCE_TOOLKIT,
)
SAGEMAKER_MODEL_SERVER_WORKERS = Variable(
    name="SAGEMAKER_MODEL_SERVER_WORKERS",
    setter="user",
    holds="how many processes hold the model",
    source=source.INFERENCE_TOOLKIT,
)
#: Seconds by the toolkit's own words; Multi Model Server takes the number for minutes.
SAGEMAKER_MODEL_SERVER_TIMEOUT = Variable(
    name="SAGEMAKER_MODEL_SERVER_TIMEOUT",
    setter="user",
    holds="how many seconds a request may take",
    source=source.INFERENCE_TOOLKIT,
)
SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS = Variable(
    name="SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS",
    setter="user",
    holds="the same; it goes before SAGEMAKER_MODEL_SERVER_TIMEOUT",
    source=source.INFERENCE_TOOLKIT,
)
SAGEMAKER_MODEL_SERVER_VMARGS = Variable(
    name="SAGEMAKER_MODEL_SERVER_VMARGS",
    setter="user",
    holds="options of the Java machine that Multi Model Server runs on",
    source=source.INFERENCE_TOOLKIT,
)
SAGEMAKER_STARTUP_TIMEOUT = Variable(
    name="SAGEMAKER_STARTUP_TIMEOUT",
    setter="user",
    holds="how many seconds a worker may take to load the model",
    source=source.INFERENCE_TOOLKIT,
)
SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT = Variable(
    name="SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT",
    setter="user",
    holds="the content type of answers to requests that accept any",
    source=source.INFERENCE_TOOLKIT,
)
SAGEDOCK_SERVER = Variable(
    name="SAGEDOCK_SERVER",
    setter="user",
    holds="which model server `serve` starts",
    source="sagedock",
)
SAGEDOCK_QUEUE_SIZE = Variable(
    name="SAGEDOCK_QUEUE_SIZE",
    setter="user",
    holds="how many requests may wait for a worker",
    source="sagedock",
)
SAGEDOCK_STREAMS = Variable(
    name="SAGEDOCK_STREAMS",
    setter="user",
    holds="how many bidirectional streams may be open at once",
    source="sagedock",
)
SAGEDOCK_BATCH_SIZE = Variable(
    name="SAGEDOCK_BATCH_SIZE",
    setter="user",
    holds="how many waiting requests a batch_predict_fn gets at once, at most",
    source="sagedock",
)
