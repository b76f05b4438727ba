"""NVIDIA's driver as a container sees it, and the libraries by which an older one runs newer CUDA.

cuda-compat is such a set of libraries: a newer driver's half that programs load, over an older
kernel module. NVIDIA supports that on data-centre GPUs only; it must not hide a driver as new.
Source: https://docs.nvidia.com/deploy/cuda-compatibility/forward-compatibility.html
"""

import re
from collections.abc import Iterable

from sagedock.contract.accelerators import GPUS

__all__ = ["COMPAT", "DRIVER_GPUS", "DRIVER_VERSION", "LIBRARY_PATH", "is_older", "of_data_centres"]

#: Where NVIDIA's package and AWS's page put them.
#: Source: https://docs.aws.amazon.com/sagemaker/latest/dg/container-nvidia-compliance.html
COMPAT = "/usr/local/cuda/compat"
#: What the loader is told of them, for the programs of the user alone.
LIBRARY_PATH = "LD_LIBRARY_PATH"
#: What the kernel module says of itself, and of each GPU (`Model:`).
#: Source: https://download.nvidia.com/XFree86/Linux-x86_64/580.95.05/README/procinterface.html
DRIVER_VERSION, DRIVER_GPUS = "/proc/driver/nvidia/version", "/proc/driver/nvidia/gpus"

_MAKER = "NVIDIA "


def is_older(version: str, than: str) -> bool:
    """Say whether a driver is older than another: ``550.54.15`` than ``580.95.05``."""
    return _numbers(version) < _numbers(than)


def of_data_centres(models: Iterable[str]) -> bool:
    """Say whether all GPUs are such as SageMaker's instances have, by the driver's names for them.

    ``Tesla T4``, ``NVIDIA H100 80GB HBM3``; not ``NVIDIA GeForce RTX 4090``.
    """
    known = [row.name.removeprefix(_MAKER) for row in GPUS]
    found = list(models)
    return bool(found) and all(any(_names(model, name) for name in known) for model in found)


def _names(model: str, name: str) -> bool:
    return re.search(rf"(?<![\w]){re.escape(name)}(?![\w])", model) is not None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
