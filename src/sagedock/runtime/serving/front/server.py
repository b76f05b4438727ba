"""uvicorn before the application: where it listens, how it stops."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

from sagedock.runtime.serving.front.invocation import Invocations
from sagedock.runtime.serving.front.listener import BACKLOG, admit_no_more
from sagedock.runtime.serving.front.protocol import http_protocol, websocket_protocol
from sagedock.runtime.serving.pool.messages import LARGEST_MESSAGE
from sagedock.runtime.serving.pool.work import CutShort

__all__ = ["Server"]

#: Longer than load balancers keep a connection, so that they close it, not we.
_KEEP_ALIVE_S = 120
#: After the stop: how long connections that have come in are accepted, and how long those that are
#: accepted may take until they begin their first request.
_ACCEPT_S, _BEGIN_S = 0.3, 2.0
_POLL_S = 0.02


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
                backlog=BACKLOG,
                date_header=False,
                http=http_protocol(),
                lifespan="off",
                log_config=None,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=int(stop_within_s),
                timeout_keep_alive=_KEEP_ALIVE_S,
                ws=websocket_protocol() or "none",
                ws_max_size=LARGEST_MESSAGE,
                ws_per_message_deflate=False,
                ws_ping_interval=None,  # the platform pings
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    async def stop(self, listener: socket.socket) -> None:
        """Take what has come in already, answer it, and take nothing more."""
        self._invocations.draining = True
        admit_no_more(listener)
        await asyncio.sleep(_ACCEPT_S)
        for _ in range(int(_BEGIN_S / _POLL_S)):
            if not any(self._is_new(each) for each in self.server_state.connections):
                break
            await asyncio.sleep(_POLL_S)
        self.should_exit = True

    def hang_up(self) -> None:
        """End what is left of listening and of connections, without a word."""
        for each in getattr(self, "servers", ()):  # there are none before it has started
            each.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    @staticmethod
    def _is_new(connection: Any) -> bool:
        """Say whether a connection has not begun a request so far."""
        return connection.cycle is None


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
