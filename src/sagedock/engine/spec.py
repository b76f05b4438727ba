"""What to run, as data: a ``ContainerSpec`` goes in, a running container comes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

__all__ = [
    "BindMount",
    "ContainerSpec",
    "Exit",
    "Found",
    "Gpu",
    "Image",
    "ImageLayer",
    "LogFrame",
    "Machine",
    "Network",
    "OverlayFile",
    "OverlayMount",
    "Transfer",
    "Usage",
    "VolumeMount",
]


@dataclass(frozen=True, kw_only=True)
class BindMount:
    """A folder of the machine that the engine runs on, as it is: FIFOs in it are the same FIFOs.

    It must exist. What a container writes into one that is not ``read_only`` stays, root's.
    """

    target: str
    source: Path
    read_only: bool


@dataclass(frozen=True, kw_only=True)
class OverlayMount:
    """A writable view of a host folder that is never changed: what is written goes to a scratch
    volume. Nothing is copied. ``lower`` is a folder on the machine that the engine runs on.
    """

    target: str
    lower: Path


@dataclass(frozen=True, kw_only=True)
class VolumeMount:
    """A volume, empty at first; what the image has there is hidden, as below the platform's own
    mounts. An anonymous one goes with its container. One with a ``name`` stays, with what was
    written there, and carries ``labels``.
    """

    target: str
    name: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ContainerSpec:
    """One container to create.

    ``entrypoint`` None keeps the image's; ``command`` None keeps the image's CMD.
    ``network`` is a network's name, or ``none``; ``address`` a fixed one in its subnet.
    ``memory_mib`` and ``cpus`` None set no limit; ``gpus`` are handed over by the engine, and
    ``devices`` are paths of the machine that the container sees under the same name.
    ``ports`` are published on this machine's loopback, each on a free port of its own.
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
    binds: tuple[BindMount, ...] = ()
    volumes: tuple[VolumeMount, ...] = ()
    memory_mib: int | None = None
    shm_size_mib: int | None = None
    cpus: float | None = None
    gpus: int = 0
    devices: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OverlayFile:
    """One regular file of an overlay: its path below the target, the layer on this machine that
    has it at that path, its size in bytes, and when it was changed (epoch nanoseconds).
    """

    relative: str
    layer: Path
    size: int
    mtime_ns: int


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What an engine's machine has: processors, memory, and the GPUs that containers can get."""

    cpus: int
    memory_mib: int
    gpus: int = 0


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
    """An image that the engine has. ``size`` is in bytes, unpacked; ``media_type`` is that of what
    a push would send as its manifest, None where the engine does not keep it.
    """

    id: str
    tags: tuple[str, ...]
    digests: tuple[str, ...]
    size: int
    architecture: str
    labels: Mapping[str, str]
    media_type: str | None = None


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """A piece of news of a push: what happens to ``layer`` ("" where it is of the whole), and how
    many of its bytes are there. The last one has the ``digest`` of what was pushed.
    """

    layer: str
    status: str
    current: int | None = None
    total: int | None = None
    digest: str | None = None


@dataclass(frozen=True, kw_only=True)
class ImageLayer:
    """One layer of an image: the instruction that made it, its size in bytes, unpacked, and the
    digest of its files, None where the engine does not tell which it is.
    """

    made_by: str
    size: int
    diff_id: str | None


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

    ``cpu_s`` is the CPU time it has had since ``started_at_s``, of all ``cpus``. ``memory_bytes``
    leaves out what the kernel would drop if it needed the memory; ``memory_limit_bytes`` is the
    machine's where none was set.
    """

    at_s: float
    started_at_s: float
    cpu_s: float
    cpus: int
    memory_bytes: int
    memory_limit_bytes: int


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """How busy one GPU of a container is, in percent: its units, and its memory."""

    utilization: float
    memory: float
