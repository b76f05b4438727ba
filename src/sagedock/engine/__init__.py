"""The only room that starts containers: ``ContainerSpec`` in, a running container out."""

from sagedock.engine.interface import Engine
from sagedock.engine.spec import (
    ContainerSpec,
    Exit,
    Found,
    Gpu,
    Image,
    LogFrame,
    Network,
    OverlayMount,
    Usage,
    VolumeMount,
)

__all__ = [
    "ContainerSpec",
    "Engine",
    "Exit",
    "Found",
    "Gpu",
    "Image",
    "LogFrame",
    "Network",
    "OverlayMount",
    "Usage",
    "VolumeMount",
    "connect",
]


def connect() -> Engine:
    """Return the container engine of this machine, or raise EngineUnavailable with what to do."""
    from sagedock.engine.docker_engine import DockerEngine

    return DockerEngine.connect()
