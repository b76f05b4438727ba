"""Calls of containers: connections are kept, and made when none is idle."""

import asyncio
from contextlib import ExitStack

from sagedock.api.container_names import PRIMARY
from sagedock.local.hosting.connection import Answer, Broken, Connection
from sagedock.local.hosting.routes import Backend

__all__ = ["TimedOut", "Unreachable", "call"]

#: A container accepts within 250 ms (see the contract's INFERENCE page); ours may be one of many.
_CONNECT_S = 5.0


class Unreachable(Exception):
    """Nothing listens there: the request was not sent."""


class TimedOut(Exception):
    """No answer came in time. ``container`` is the one of several that gave none."""

    container: str = PRIMARY


async def call(
    backend: Backend, data: bytes, *, timeout_s: float, most_bytes: int | None
) -> tuple[Connection, Answer]:
    """Send a request, and return its answer with the connection that it came by.

    ``most_bytes`` is as for ``Connection.ask``. A kept connection that the container closed is
    replaced by a new one; a request that it may have read is not sent again: it may be what the
    container ended of. Raises Unreachable, Broken, TimedOut.
    """
    while True:
        connection = _kept(backend) or await _connected(backend)
        reused = connection.is_used
        with ExitStack() as undo:
            undo.callback(connection.close)
            try:
                answer = await _answered(connection, data, timeout_s, most_bytes)
            except Broken as broken:
                if reused and not broken.taken:
                    continue
                raise
            undo.pop_all()
            return connection, answer


def _kept(backend: Backend) -> Connection | None:
    """Return a connection that waits for a request; those of no use are closed."""
    while backend.idle:
        connection = backend.idle.pop()
        if not connection.is_stale:
            return connection
        connection.close()
    return None


async def _answered(
    connection: Connection, data: bytes, timeout_s: float, most_bytes: int | None
) -> Answer:
    ready = connection.ask(data, most_bytes=most_bytes)
    timer = asyncio.get_running_loop().call_later(timeout_s, _time_out, ready)
    try:
        return await ready
    finally:
        timer.cancel()


def _time_out(ready: "asyncio.Future[Answer]") -> None:
    if not ready.done():
        ready.set_exception(TimedOut())


async def _connected(backend: Backend) -> Connection:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_CONNECT_S):
            _, connection = await loop.create_connection(
                lambda: Connection(backend.idle), backend.host, backend.port
            )
    except OSError as error:  # TimeoutError is one
        raise Unreachable(str(error)) from error
    return connection
