"""NVIDIA's driver as a container sees it, and the libraries by which an older one runs newer CUDA.

cuda-compat is such a set of libraries: a newer driver's half that programs load, over an older
kernel module. NVIDIA supports that on data-centre GPUs only; it must not hide a driver as new.
Source: https://docs.nvidia.com/deploy/cuda-compatibility/forward-compatibility.html
"""

__all__ = ["COMPAT", "DRIVER_GPUS", "DRIVER_VERSION", "LIBRARY_PATH", "is_older"]

#: Where NVIDIA's package and AWS's page put them.
#: Source: https://docs.aws.amazon.com/sagemaker/latest/dg/container-nvidia-compliance.html
COMPAT = "/usr/local/cuda/compat"
#: What the loader is told of them, for the programs of the user alone.
LIBRARY_PATH = "LD_LIBRARY_PATH"
#: What the kernel module says of itself, and below the other, of each GPU (`Model:`).
#: Source: https://download.nvidia.com/XFree86/Linux-x86_64/580.95.05/README/procinterface.html
DRIVER_VERSION = "/proc/driver/nvidia/version"
DRIVER_GPUS = "/proc/driver/nvidia/gpus"


def is_older(version: str, than: str) -> bool:
    """Say whether a driver is older than another: ``550.54.15`` than ``580.95.05``."""
    return _numbers(version) < _numbers(than)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
