"""The connections of a load test: made when needed, kept, at most so many, none waited for long."""

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Callable

from sagedock.load.connection import Connection
from sagedock.load.exchange import Exchange, Failure
from sagedock.load.target import Target

__all__ = ["Pool"]


class Pool:
    """Carries exchanges to a target; ``over`` is called once for each, as it ends.

    An exchange waits for a connection where all are busy. What is not answered ``timeout_s``
    after it was due has failed: ``expire`` must be called now and then. ``broke`` is told where the
    target can make no request: event loops keep some errors of their callbacks to themselves.
    """

    def __init__(
        self,
        target: Target,
        *,
        most: int,
        timeout_s: float,
        tls: ssl.SSLContext | None,
        over: Callable[[Exchange], None],
        broke: Callable[[Exception], None],
    ) -> None:
        self._target, self._most, self._timeout_s = target, most, timeout_s
        self._tls, self._over, self._broke = tls, over, broke
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._waiting: deque[Exchange] = deque()
        self._under_way: deque[Exchange] = deque()
        self._number = 0
        self.opened = 0
        self.open_exchanges = 0

    def submit(self, exchange: Exchange) -> None:
        """Send it, at once if a connection is free."""
        self.open_exchanges += 1
        self._under_way.append(exchange)
        if self._idle:
            self._send(self._idle.pop(), exchange)
        else:
            self._waiting.append(exchange)
            self._open_another()

    def expire(self, now: float) -> None:
        """Give up what should have been answered by now."""
        under_way, latest = self._under_way, now - self._timeout_s
        while under_way and (under_way[0].done or under_way[0].due <= latest):
            exchange = under_way.popleft()
            if not exchange.done:
                self._give_up(exchange, now)

    async def close(self) -> None:
        """Close every connection; what is under way is told of by nobody."""
        self._most = 0
        for connection in self._all:
            connection.close()
        for task in self._opening:
            task.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)

    # What connections tell -------------------------------------------------------------------

    def settled(self, connection: Connection, exchange: Exchange) -> None:
        """Let the connection carry what waits, and tell of the exchange."""
        if connection.is_open:
            self._free(connection)
        self._tell(exchange)

    def lost(self, connection: Connection) -> None:
        """Forget the connection, and make another for what waits."""
        self._all.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._open_another()

    # -----------------------------------------------------------------------------------------

    def _send(self, connection: Connection, exchange: Exchange) -> None:
        try:
            message = self._target.message(self._number)
        except Exception as error:  # in a callback: the loop would log it, and nobody else learn
            self._broke(error)
            raise
        self._number += 1
        connection.ask(exchange, message)

    def _free(self, connection: Connection) -> None:
        while self._waiting:
            exchange = self._waiting.popleft()
            if not exchange.done:
                self._send(connection, exchange)
                return
        self._idle.append(connection)

    def _tell(self, exchange: Exchange) -> None:
        self.open_exchanges -= 1
        self._over(exchange)

    def _give_up(self, exchange: Exchange, now: float) -> None:
        connection = exchange.connection
        waited = "an answer" if connection else "a connection"
        exchange.failure = Failure(
            kind="timeout",
            status=exchange.status,
            detail=f"waited {self._timeout_s:g} s for {waited}",
        )
        exchange.ended, exchange.done = now, True
        if connection is not None:
            exchange.connection = None
            connection.close()
        self._tell(exchange)

    def _open_another(self) -> None:
        wanted = len(self._opening) < len(self._waiting)
        if wanted and len(self._all) + len(self._opening) < self._most:
            task = asyncio.get_running_loop().create_task(self._open())
            self._opening.add(task)
            task.add_done_callback(self._tried)

    async def _open(self) -> None:
        address = self._target.address
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout_s):
                _, made = await loop.create_connection(
                    lambda: Connection(self, event_stream=self._target.is_event_stream),
                    address.host,
                    address.port,
                    ssl=self._tls if address.tls else None,
                )
        except OSError as error:  # TLS's errors and the time-out are OSErrors too
            self._refused(error)
        else:
            self.opened += 1
            self._all.add(made)
            if made.is_open:
                self._free(made)
            else:
                self.lost(made)

    def _refused(self, error: OSError) -> None:
        """Let one exchange that waits fail: each makes an attempt of its own."""
        while self._waiting:
            exchange = self._waiting.popleft()
            if exchange.done:
                continue
            reason = error.strerror or str(error) or type(error).__name__
            exchange.failure = Failure(kind="connect", detail=reason)
            exchange.ended, exchange.done = time.monotonic(), True
            self._tell(exchange)
            return

    def _tried(self, task: "asyncio.Task[None]") -> None:
        self._opening.discard(task)
        if task.cancelled():
            return
        if (error := task.exception()) is not None:  # of ours, or of the target's: the run's end
            raise error
        self._open_another()
