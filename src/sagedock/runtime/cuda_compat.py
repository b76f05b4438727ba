"""Which libraries of NVIDIA's driver programs load: the host's, or those of cuda-compat.

Decided when the container starts, for the image does not know the host. AWS's own script for it
takes any older driver, does not see the open kernel module's version, and sets the variable in a
shell that ends before the program starts.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sagedock.contract import driver
from sagedock.contract.accelerators import gpu_of, of_data_centres

__all__ = ["Driver", "chosen", "read_driver", "with_compat"]

#: ``Kernel Module  535.183.01``, ``Open Kernel Module for x86_64  570.133.20``.
_VERSION = re.compile(r"^NVRM version:.*Kernel Module\s+(?:for \S+\s+)?(\d+(?:\.\d+)+)", re.M)
_MODEL = re.compile(r"^Model:\s*(.+?)\s*$", re.M)
_LIBRARY = re.compile(r"libcuda\.so\.(\d+\.\d+(?:\.\d+)*)")


@dataclass(frozen=True, kw_only=True)
class Driver:
    """The host's driver, the names of its GPUs, and the driver whose libraries the image brings.

    ``version`` is None where the container has no driver, ``compat`` where the image brings none.
    """

    version: str | None
    models: tuple[str, ...]
    compat: str | None


def read_driver(root: Path = Path("/")) -> Driver:
    """Return what the files of a container say of it."""
    version = _VERSION.search(_text(root / driver.DRIVER_VERSION[1:]))
    gpus = sorted((root / driver.DRIVER_GPUS[1:]).glob("*/information"))
    models = (_MODEL.search(_text(each)) for each in gpus)
    names = [each.name for each in (root / driver.COMPAT[1:]).glob("libcuda.so.*")]
    found = [match[1] for match in map(_LIBRARY.fullmatch, names) if match]
    return Driver(
        version=version[1] if version else None,
        models=tuple(match[1] for match in models if match),
        compat=max(found, key=lambda each: [int(part) for part in each.split(".")], default=None),
    )


def chosen(found: Driver, instance_type: str = "") -> tuple[bool, str]:
    """Return whether the image's libraries are to be loaded, and why, empty where there are none.

    Where the driver names no GPUs, the instance type says which they are.
    """
    if found.compat is None or found.version is None:
        return False, ""
    newer = f"cuda-compat {found.compat}, host's driver {found.version}"
    if not driver.is_older(found.version, found.compat):
        return False, f"{newer}: the host's is used, it is as new"
    gpu = gpu_of(instance_type)
    models = found.models or ((gpu.name,) if gpu else ())
    if not of_data_centres(models):
        named = ", ".join(dict.fromkeys(models)) or "GPUs of unknown name"
        return False, f"{newer}: the host's is used, for NVIDIA supports no other on {named}"
    return True, f"{newer}: {driver.COMPAT} is put before {driver.LIBRARY_PATH}"


def with_compat(
    env: Mapping[str, str],
    say: Callable[[str], None],
    instance_type: str = "",
    root: Path = Path("/"),
) -> Mapping[str, str]:
    """Return the environment in which programs find the right libraries; say what was decided."""
    use, why = chosen(read_driver(root), instance_type)
    if why:
        say(why)
    if not use:
        return env
    others = env.get(driver.LIBRARY_PATH, "").split(":")
    path = [driver.COMPAT, *(each for each in others if each and each != driver.COMPAT)]
    return {**env, driver.LIBRARY_PATH: ":".join(path)}


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
