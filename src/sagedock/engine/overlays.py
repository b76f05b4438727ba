"""Overlay volumes: a folder of this machine, seen writable inside a container, never changed.

The scratch half of each overlay lives in a volume of the engine's, so that what a container wrote
there as root vanishes with the volume, and no root-owned file is left in the user's folders.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from docker import DockerClient
from docker.types import DriverConfig, Mount

from sagedock.engine.spec import ContainerSpec, OverlayMount
from sagedock.engine.tars import tar_of_folders
from sagedock.errors import StorageError

__all__ = ["layers_of", "overlay_mounts", "scratch_name"]

#: Characters that the mount options of an overlay cannot hold.
_FORBIDDEN = set(',:\\"')


def scratch_name(container_name: str) -> str:
    """Return the name of the volume that holds a container's scratch folders."""
    return f"{container_name}-scratch"


def overlay_mounts(client: DockerClient, spec: ContainerSpec) -> list[Mount]:
    """Make the scratch volume of ``spec`` and return one mount for each of its overlays."""
    if not spec.overlays:
        return []
    volume = client.volumes.create(scratch_name(spec.name), labels=dict(spec.labels))
    folders = [
        f"{number}/{half}" for number in range(len(spec.overlays)) for half in ("upper", "work")
    ]
    mountpoint = Path(volume.attrs["Mountpoint"])
    _make_folders(client, spec, volume.name, mountpoint, folders)
    return [
        _mount(overlay, mountpoint / str(number), spec.labels)
        for number, overlay in enumerate(spec.overlays)
    ]


def layers_of(volume: Mapping[str, Any]) -> tuple[Path, Path] | None:
    """Return the lower and the upper folder of an overlay volume, as the engine describes it.

    None where this process may not read them.
    """
    options = (volume.get("Options") or {}).get("o", "")
    layers = dict(option.partition("=")[::2] for option in options.split(","))
    lower, upper = Path(layers["lowerdir"]), Path(layers["upperdir"])
    readable = all(os.access(folder, os.R_OK | os.X_OK) for folder in (lower, upper))
    return (lower, upper) if readable else None


def _make_folders(
    client: DockerClient, spec: ContainerSpec, volume: str, mountpoint: Path, folders: list[str]
) -> None:
    """Make folders in a volume: directly where we may, else through a container that never runs.

    That one has the labels of ``spec``, so that it is found and removed if we are killed.
    """
    if os.access(mountpoint, os.W_OK):
        for folder in folders:
            # They exist if a server was killed before it made the container.
            (mountpoint / folder).mkdir(parents=True, exist_ok=True)
        return
    at = "/scratch"
    stub = client.containers.create(
        spec.image,
        command=["never"],
        labels=dict(spec.labels),
        mounts=[Mount(target=at, source=volume, type="volume")],
    )
    try:
        stub.put_archive("/", tar_of_folders(f"{at}/{folder}" for folder in folders))
    finally:
        stub.remove(force=True)


def _mount(overlay: OverlayMount, scratch: Path, labels: Mapping[str, str]) -> Mount:
    options: dict[str, Any] = {
        "type": "overlay",
        "device": "overlay",
        "o": f"lowerdir={_plain(overlay.lower)},upperdir={scratch}/upper,workdir={scratch}/work",
    }
    return Mount(
        target=overlay.target,
        source=None,
        type="volume",
        no_copy=True,
        labels=dict(labels),
        driver_config=DriverConfig("local", options),
    )


def _plain(path: Path) -> Path:
    if _FORBIDDEN & set(str(path)):
        raise StorageError(
            f'{path}: a folder mounted into a container cannot have , : \\ or " in its path; '
            "set SAGEDOCK_HOME to a plainer one"
        )
    return path
