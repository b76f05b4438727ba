"""Docker's accounts of a container, read: cgroup v1 and v2, volumes, GPUs."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from docker.errors import NotFound

from sagedock.engine.frames import timestamp_s
from sagedock.engine.spec import Gpu, Usage

__all__ = ["NVIDIA_SMI", "gpus_of", "has_gpus", "usage_of", "volumes_bytes"]

_NS = 1e9
_BLOCK_BYTES = 512  # of st_blocks, whatever the file system's own are
_TELLS_VOLUMES = (1, 42)
#: What the kernel would drop first: cgroup v1's name for it, then v2's. Docker's own command line
#: leaves it out too. Source: https://docs.docker.com/reference/cli/docker/container/stats/
_DROPPABLE = ("total_inactive_file", "inactive_file")
#: Source: https://docs.nvidia.com/deploy/nvidia-smi/
NVIDIA_SMI = (
    "nvidia-smi",
    "--query-gpu=utilization.gpu,memory.used,memory.total",
    "--format=csv,noheader,nounits",
)


def usage_of(stats: Mapping[str, Any], started_at: str) -> Usage | None:
    """Return what an answer of ``GET /containers/ID/stats`` says, or None if nothing runs."""
    memory = stats.get("memory_stats") or {}
    if not memory.get("usage") or not memory.get("limit"):
        return None
    details = memory.get("stats") or {}
    droppable = next((details[name] for name in _DROPPABLE if name in details), 0)
    return Usage(
        at_s=timestamp_s(stats["read"]),
        started_at_s=timestamp_s(started_at),
        cpu_s=stats["cpu_stats"]["cpu_usage"]["total_usage"] / _NS,
        cpus=stats["cpu_stats"].get("online_cpus") or os.cpu_count() or 1,
        memory_bytes=max(0, memory["usage"] - droppable),
        memory_limit_bytes=memory["limit"],
    )


def volumes_bytes(api: Any, names: Sequence[str]) -> int | None:
    """Return how much volumes hold, or None where nobody tells. What was mounted counts nothing.

    They are looked at directly where we may, else the engine is asked, which can measure volumes
    alone since API 1.42.
    """
    own = [volume for name in names if (volume := _volume(api, name)) and not volume.get("Options")]
    try:
        return sum(_folder_bytes(volume["Mountpoint"]) for volume in own)
    except PermissionError:
        return _told_bytes(api, {volume["Name"] for volume in own})


def has_gpus(container: Mapping[str, Any]) -> bool:
    """Say whether an inspected container was given GPUs."""
    host = container.get("HostConfig") or {}
    requests = host.get("DeviceRequests") or ()
    return host.get("Runtime") == "nvidia" or any(
        "gpu" in group for each in requests for group in each.get("Capabilities") or ()
    )


def gpus_of(output: bytes) -> tuple[Gpu, ...]:
    """Return what NVIDIA_SMI printed, a line for each GPU; lines of anything else are left out."""
    return tuple(filter(None, map(_gpu, output.decode(errors="replace").splitlines())))


def _gpu(line: str) -> Gpu | None:
    try:
        busy, used, total = map(float, line.split(","))
        return Gpu(utilization=busy, memory=100 * used / total)
    except (ValueError, ZeroDivisionError):  # a message, or [N/A]
        return None


def _volume(api: Any, name: str) -> Any:
    try:
        return api.inspect_volume(name)
    except NotFound:
        return None


def _folder_bytes(folder: str) -> int:
    """Return how much a folder holds. Raises PermissionError; files may vanish meanwhile."""
    return sum(
        _file_bytes(Path(root) / name)
        for root, _, files in os.walk(folder, onerror=_unless_gone)
        for name in files
    )


def _file_bytes(file: Path) -> int:
    try:
        return file.lstat().st_blocks * _BLOCK_BYTES
    except FileNotFoundError:
        return 0


def _unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def _told_bytes(api: Any, names: set[str]) -> int | None:
    if tuple(map(int, api.api_version.split("."))) < _TELLS_VOLUMES:
        return None
    response = api.get(f"{api.base_url}/v{api.api_version}/system/df", params={"type": "volume"})
    response.raise_for_status()
    sizes: dict[str, int] = {
        row["Name"]: row["UsageData"]["Size"] for row in response.json()["Volumes"] or ()
    }
    return sum(max(0, sizes.get(name, 0)) for name in names)
