"""What an image's device asks of its build: the GPUs for which its CUDA code is compiled."""

from collections.abc import Iterator, Mapping
from typing import Any

from sagedock.contract.architectures import VARIABLE, arch_list, arch_problems
from sagedock.images.image import Image

__all__ = ["device_args", "device_problems"]


def device_args(image: Image) -> dict[str, str]:
    """Return the build arguments that follow from the image's instance types.

    A Dockerfile that compiles for GPUs declares ``ARG TORCH_CUDA_ARCH_LIST``; others need not.
    """
    found = arch_list(image.instance_types) if image.device == "cuda" else ""
    return {VARIABLE: found} if found else {}


def device_problems(table: Mapping[str, Any]) -> Iterator[str]:
    """Yield why the CUDA of an [[image]] table cannot compile for one of its instance types."""
    types, version = table.get("instance_types"), str(table.get("cuda", "")).split(".")
    if table.get("device") != "cuda" or not isinstance(types, list) or len(version) != 2:
        return
    if all(part.isdecimal() for part in version):
        cuda = (int(version[0]), int(version[1]))
        for problem in arch_problems([each for each in types if isinstance(each, str)], cuda):
            yield f"instance_types: {problem}"
