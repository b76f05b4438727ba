"""The native model server, which `docker run IMAGE serve` starts: no Java, no framework.

``serve``     chooses the server; ``native`` is ours, from its start to its end
``options``   what the environment says; ``packages`` what the model's code asks pip for
``front``     HTTP; ``pool`` the queue and the workers; ``worker`` the process that holds the model

What a model's code may import: InvalidInput, which answers a client with 4xx and the text, and
load_weights, which reads tensors without running code.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sagedock.runtime.serving.worker.model_files import load_weights
    from sagedock.runtime.serving.worker.refused import InvalidInput

__all__ = ["InvalidInput", "load_weights"]

_WHERE = {"InvalidInput": "refused", "load_weights": "model_files"}


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        module = import_module(f"sagedock.runtime.serving.worker.{_WHERE[name]}")
        return getattr(module, name)
    raise AttributeError(f"module 'sagedock.runtime.serving' has no attribute {name!r}")
