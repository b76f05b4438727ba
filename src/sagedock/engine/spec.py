"""What to run, as data: a ``ContainerSpec`` goes in, a running container comes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

__all__ = [
    "ContainerSpec",
    "Exit",
    "Found",
    "Gpu",
    "Image",
    "LogFrame",
    "Network",
    "OverlayMount",
    "Usage",
    "VolumeMount",
]


@dataclass(frozen=True, kw_only=True)
class OverlayMount:
    """A writable view of a host folder that is never changed: what is written goes to a scratch
    volume. Nothing is copied. ``lower`` is a folder on the machine that the engine runs on.
    """

    target: str
    lower: Path


@dataclass(frozen=True, kw_only=True)
class VolumeMount:
    """An empty, anonymous volume that goes with its container; what the image has there is hidden,
    as below the platform's own mounts.
    """

    target: str


@dataclass(frozen=True, kw_only=True)
class ContainerSpec:
    """One container to create.

    ``entrypoint`` None keeps the image's; ``command`` None keeps the image's CMD.
    ``network`` is a network's name, or ``none``; ``address`` a fixed one in its subnet.
    ``memory_mib`` None sets no limit.
    """

    name: str
    image: str
    entrypoint: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    network: str = "none"
    aliases: tuple[str, ...] = ()
    address: str | None = None
    extra_hosts: Mapping[str, str] = field(default_factory=dict)
    hostname: str | None = None
    overlays: tuple[OverlayMount, ...] = ()
    volumes: tuple[VolumeMount, ...] = ()
    memory_mib: int | None = None
    shm_size_mib: int | None = None


@dataclass(frozen=True, kw_only=True)
class LogFrame:
    """A piece of a container's output: whole lines, or a part of one longer than 16 KiB."""

    stream: Literal["stdout", "stderr"]
    time_s: float
    data: bytes


@dataclass(frozen=True, kw_only=True)
class Exit:
    """How a container ended."""

    code: int
    out_of_memory: bool
    error: str
    finished_at_s: float


@dataclass(frozen=True, kw_only=True)
class Found:
    """A container that the engine has: ``state`` is Docker's word for it."""

    id: str
    name: str
    state: str
    labels: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image that the engine has. ``size`` is in bytes, unpacked."""

    id: str
    tags: tuple[str, ...]
    digests: tuple[str, ...]
    size: int
    architecture: str
    labels: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Network:
    """A bridge network; ``gateway`` is this machine's address on it, where it has one.

    ``subnet`` is where containers may be given fixed addresses.
    """

    name: str
    gateway: str | None
    subnet: str | None = None


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What a running container uses at ``at_s`` (epoch seconds).

    ``cpu_s`` is the CPU time it has had since ``started_at_s``, of all cores. ``memory_bytes``
    leaves out what the kernel would drop if it needed the memory; ``memory_limit_bytes`` is the
    machine's where none was set.
    """

    at_s: float
    started_at_s: float
    cpu_s: float
    memory_bytes: int
    memory_limit_bytes: int


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """How busy one GPU of a container is, in percent: its units, and its memory."""

    utilization: float
    memory: float
