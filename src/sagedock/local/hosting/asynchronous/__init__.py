"""Asynchronous inference: InvokeEndpointAsync, its backlog, its results and who is told of them.

``accepting`` makes a request of a call; ``service`` gives it to a container when one is free
(``desk``), which ``carrying`` asks (``exchange``); ``notices`` and ``delivery`` tell of the
``outcome``, ``measures`` and ``telling`` publish it.
"""

from sagedock.local.hosting.asynchronous.accepting import accepted, answer_headers
from sagedock.local.hosting.asynchronous.delivery import Courier
from sagedock.local.hosting.asynchronous.service import AsyncInference

__all__ = ["AsyncInference", "Courier", "accepted", "answer_headers"]
