"""The only room that starts containers: ``ContainerSpec`` in, a running container out."""

from sagedock.engine.interface import Engine
from sagedock.engine.spec import (
    BindMount,
    ContainerSpec,
    Exit,
    Found,
    Image,
    LogFrame,
    Network,
    OverlayMount,
    VolumeMount,
)

__all__ = [
    "BindMount",
    "ContainerSpec",
    "Engine",
    "Exit",
    "Found",
    "Image",
    "LogFrame",
    "Network",
    "OverlayMount",
    "VolumeMount",
    "connect",
]


def connect() -> Engine:
    """Return the container engine of this machine, or raise EngineUnavailable with what to do."""
    from sagedock.engine.docker_engine import DockerEngine

    return DockerEngine.connect()
