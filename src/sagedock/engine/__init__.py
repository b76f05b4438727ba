"""The only room that starts containers: ``ContainerSpec`` in, a running container out."""

from sagedock.engine.given_names import GivenNames
from sagedock.engine.interface import Engine
from sagedock.engine.overlay_files import open_overlay_file
from sagedock.engine.spec import (
    BindMount,
    ContainerSpec,
    Exit,
    Found,
    Gpu,
    Image,
    ImageLayer,
    LogFrame,
    Machine,
    Network,
    OverlayFile,
    OverlayMount,
    Transfer,
    Usage,
    VolumeMount,
)

__all__ = [
    "BindMount",
    "ContainerSpec",
    "Engine",
    "Exit",
    "Found",
    "GivenNames",
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
    "connect",
    "open_overlay_file",
]


def connect() -> Engine:
    """Return the container engine of this machine, or raise EngineUnavailable with what to do."""
    from sagedock.engine.docker_engine import DockerEngine

    return DockerEngine.connect()
