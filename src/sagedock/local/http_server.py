"""uvicorn before the front: it ends when it is told to, not when it next looks."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import uvicorn

from sagedock.errors import LocalServerError
from sagedock.local.http_reading import Http

__all__ = ["serve"]

_START_TIMEOUT_S = 30
_POLL_S = 0.005
#: uvicorn renews the header Date when a count of its looks, ten a second, divides by this.
_LOOKS_A_SECOND = 10
#: The same whatever else is installed; uvicorn would choose. WebSockets are no protocol of ours.
_PROTOCOLS: Mapping[str, Any] = MappingProxyType({"http": Http, "ws": "none", "loop": "asyncio"})


def serve(
    application: Any, sockets: list[socket.socket], *, grace_s: float = 2.0
) -> Callable[[], None]:
    """Serve an ASGI application in a thread; return what ends it, in which answers that are under
    way have ``grace_s``. Returns once it answers, or raises LocalServerError.
    """
    server = _Server(
        uvicorn.Config(
            application,
            log_config=None,
            access_log=False,
            server_header=False,  # AWS sends none (row 102 of the rest)
            lifespan="off",
            **_PROTOCOLS,
        ),
        grace_s,
    )
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": sockets}, name="local SageMaker", daemon=True
    )
    thread.start()
    ends = time.monotonic() + _START_TIMEOUT_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > ends:
            raise LocalServerError("the HTTP server did not start: its log says why")
        time.sleep(_POLL_S)

    def end() -> None:
        server.end()
        thread.join()

    return end


class _Server(uvicorn.Server):
    """A uvicorn that waits for nothing but what is under way.

    uvicorn's own looks ten times a second whether it is to end, and then waits a tenth of a second
    for connections that close at once.
    """

    def __init__(self, config: uvicorn.Config, grace_s: float) -> None:
        super().__init__(config)
        self._grace_s = grace_s
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = asyncio.Event()

    def end(self) -> None:
        """Have it end; from any thread, once it has started."""
        self.should_exit = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # its loop is closed: it has ended
                self._loop.call_soon_threadsafe(self._told.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen. Whoever sees that it has started can end it."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    async def main_loop(self) -> None:
        """Return when it is to end; look once a second, for the header Date."""
        looks = 0
        while not await self.on_tick(looks):
            looks += _LOOKS_A_SECOND
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), 1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take nothing more, answer what is under way, within the grace, and cut off the rest."""
        for server in self.servers:
            server.close()
        for each in sockets or []:
            each.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._none_under_way(), self._grace_s)
        for task in self.server_state.tasks:
            task.cancel()

    async def _none_under_way(self) -> None:
        while self.server_state.connections or self.server_state.tasks:
            await asyncio.sleep(_POLL_S)
