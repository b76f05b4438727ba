"""The pages that rows of a preflight cite, beside those of ``sagedock.contract``."""

_GUIDE = "https://docs.aws.amazon.com/sagemaker/latest/dg/"
__all__ = []

TRAINING_DOCKERFILE = _GUIDE + "your-algorithms-training-algo-dockerfile.html"
SERVING_DOCKERFILE = _GUIDE + "your-algorithms-inference-code.html"
PROCESSING_DOCKERFILE = _GUIDE + "build-your-own-processing-container.html"
TRAINING_EFA = _GUIDE + "your-algorithms-training-efa.html"
GPU_DRIVERS = _GUIDE + "inference-gpu-drivers.html"
CUDA_COMPAT = _GUIDE + "container-nvidia-compliance.html"
GRAVITON = _GUIDE + "realtime-endpoints-graviton.html"
MULTI_CONTAINER = _GUIDE + "multi-container-troubleshooting.html"
INSTANCE_TYPES = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ResourceConfig.html"
OCI_MANIFESTS = "https://github.com/aws/amazon-sagemaker-feedback/issues/180"
SDK_V3 = "https://github.com/aws/sagemaker-python-sdk"

NVIDIA_MATRIX = (
    "https://docs.nvidia.com/datacenter/tesla/drivers/cuda-toolkit-driver-and-architecture-matrix"
    ".html"
)
NVIDIA_MINOR = "https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html"
NVIDIA_FORWARD = "https://docs.nvidia.com/deploy/cuda-compatibility/forward-compatibility.html"
NVIDIA_CAPABILITY = (
    "https://docs.nvidia.com/cuda/cuda-c-programming-guide/#application-compatibility"
)
NVIDIA_REQUIRE = (
    "https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/docker-specialized"
    ".html#constraints"
)
TORCH_EXTENSIONS = "https://docs.pytorch.org/docs/stable/cpp_extension.html"
PEP_600 = "https://peps.python.org/pep-0600/"
EFA_CONTAINERS = "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/efa-installer-containers.html"
OFI_NCCL = "https://github.com/aws/aws-ofi-nccl"
SECRETS = "https://docs.docker.com/build/building/secrets/"
OCI_LABELS = "https://github.com/opencontainers/image-spec/blob/main/annotations.md"
DOCKER_SAVE = "https://docs.docker.com/reference/cli/docker/image/save/"
