"""What runs inside the images, in the place of AWS's `train`, around AWS's training toolkit.

``train``         from the platform's files to an exit code; the other modules are its steps
``launch``        source, requirements, hosts, script
``supervise``     one program's signals, stderr and exit code
``distribution``  one process, torchrun or mpirun; ``cluster``: what their hosts need to meet
``toolkit``       the one module that calls sagemaker-training
``checkpoints``   what training programs import: `from sagedock.runtime import Checkpoints`
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sagedock.runtime.checkpoints import Checkpoints, Stopped

__all__ = ["Checkpoints", "Stopped"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("sagedock.runtime.checkpoints"), name)
    raise AttributeError(f"module 'sagedock.runtime' has no attribute {name!r}")
