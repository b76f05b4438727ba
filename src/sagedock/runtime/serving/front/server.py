"""uvicorn before the application: where it listens, how it stops."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

from sagedock.errors import InvalidRequest
from sagedock.runtime.serving.front.invocation import Invocations
from sagedock.runtime.serving.front.protocol import http_protocol
from sagedock.runtime.serving.pool.work import CutShort

__all__ = ["Server", "listen"]

#: Longer than load balancers keep a connection, so that they close it, not we.
_KEEP_ALIVE_S = 120
_BACKLOG = 2048
_ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - the platform calls from outside the container
#: Connections that came in before the stop are still taken.
_LINGER_S = 0.3


def listen(port: int, host: str = _ANY_ADDRESS) -> socket.socket:
    """Return a listening socket. Raises InvalidRequest where the port cannot be had."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise InvalidRequest([f"port {port} cannot be listened on: {error.strerror}"]) from error
    return listener


class Server(uvicorn.Server):
    """A uvicorn that leaves signals to us, and that loses no request when it stops."""

    def __init__(
        self,
        application: Any,
        invocations: Invocations,
        say: Callable[[str], None],
        stop_within_s: float,
    ) -> None:
        """``application`` is an ASGI application; ``invocations`` are told of the stop."""
        self._invocations = invocations
        _log_errors(say)
        super().__init__(
            uvicorn.Config(
                application,
                access_log=False,
                backlog=_BACKLOG,
                date_header=False,
                http=http_protocol(),
                lifespan="off",
                log_config=None,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=int(stop_within_s),
                timeout_keep_alive=_KEEP_ALIVE_S,
                ws="none",
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    async def stop(self) -> None:
        """Take what has come in already, answer it, and take nothing more."""
        self._invocations.draining = True
        await asyncio.sleep(_LINGER_S)
        self.should_exit = True


def _log_errors(say: Callable[[str], None]) -> None:
    logger = logging.getLogger("uvicorn.error")
    logger.handlers = [_Handler(say)]
    logger.propagate = False
    logger.setLevel(logging.ERROR)


class _Handler(logging.Handler):
    """Passes on errors of our own; an answer cut short has been told already."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, CutShort | asyncio.CancelledError):
            self._say(self.format(record))
