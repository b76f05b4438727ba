"""sagedock: bring your own container to Amazon SageMaker, and rehearse it locally first.

Importing this package loads nothing: every public name is fetched when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sagedock.client import Estimator, Session
    from sagedock.errors import InvalidRequest, JobFailed, SagedockError
    from sagedock.jobs import Channel, FileSystemChannel, InstanceGroup, TrainingJob
    from sagedock.local import LocalSageMaker

__version__ = "0.1.0"

__all__ = [
    "Channel",
    "Estimator",
    "FileSystemChannel",
    "InstanceGroup",
    "InvalidRequest",
    "JobFailed",
    "LocalSageMaker",
    "SagedockError",
    "Session",
    "TrainingJob",
]

_HOMES = {
    "Channel": "sagedock.jobs",
    "Estimator": "sagedock.client",
    "FileSystemChannel": "sagedock.jobs",
    "InstanceGroup": "sagedock.jobs",
    "InvalidRequest": "sagedock.errors",
    "JobFailed": "sagedock.errors",
    "LocalSageMaker": "sagedock.local",
    "SagedockError": "sagedock.errors",
    "Session": "sagedock.client",
    "TrainingJob": "sagedock.jobs",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'sagedock' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
