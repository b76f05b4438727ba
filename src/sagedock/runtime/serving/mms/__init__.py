"""Workers that AWS's Multi Model Server starts and calls, behind the same front and pool.

It runs as it comes, in a Java machine of its own, and listens on unix sockets alone: what clients
send reaches it as opaque bytes. Each worker of a pool is a model of it with one process.

``workers``        where the pool gets workers from: registered there, killed and dismissed here
``java``           the Java machine, watched from its start to its end
``configuration``  what both are told: properties, log, heap
``unix_http``      requests over a unix socket; ``carrier`` sends batches by it
``lifelines``      the socket by which a worker says that it lives; ``greeting`` what it hears there
``handler``        in the worker: what Multi Model Server calls
"""

from collections.abc import Mapping

from sagedock.runtime.serving.mms.workers import MmsWorkers
from sagedock.runtime.serving.options import Options

__all__ = ["workers"]


def workers(options: Options, env: Mapping[str, str]) -> MmsWorkers:
    """Return where workers come from. Raises InvalidRequest where the image has no such server."""
    return MmsWorkers(options, env)
