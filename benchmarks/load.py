"""A load client: a few connections that are kept, each asking again as soon as it is answered.

It sends bytes that were made before and looks at no more of an answer than its status and length,
so that it is not what is measured: ``benchmarks/describe_and_list.py`` says what it can do alone.
"""

import asyncio
import itertools
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

__all__ = ["CONNECTIONS", "Load", "ask", "press"]

CONNECTIONS = 8
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"
_CLOSING = b"connection: close"
_OK = b"HTTP/1.1 200"


@dataclass(frozen=True, kw_only=True)
class Load:
    """What a server did under load: how long each answer took, in seconds, and all together."""

    seconds: Sequence[float]
    lasted_s: float

    @classmethod
    def all(cls, loads: "Sequence[Load]") -> "Load":
        """Return several as one."""
        seconds = [each for load in loads for each in load.seconds]
        return cls(seconds=seconds, lasted_s=sum(load.lasted_s for load in loads))

    @property
    def per_s(self) -> float:
        """Answers per second."""
        return len(self.seconds) / self.lasted_s

    def percentile_ms(self, percent: int) -> float:
        """Return the time that ``percent`` of the answers stayed under, in milliseconds."""
        return statistics.quantiles(self.seconds, n=100)[percent - 1] * 1000


def press(port: int, requests: Sequence[bytes], *, lasting_s: float) -> Load:
    """Ask a server of this machine for ``lasting_s``, going through ``requests`` in turn.

    Raises RuntimeError for an answer other than 200.
    """
    return asyncio.run(_press(port, itertools.cycle(requests), lasting_s))


def ask(port: int, request: bytes) -> bytes:
    """Return the body of one answer."""
    return asyncio.run(_ask(port, request))


@dataclass
class _Asking(asyncio.Protocol):
    """One connection. ``done`` is set when it is closed, by us at ``ends`` or by the server."""

    requests: Iterator[bytes]
    ends: float
    done: "asyncio.Future[None]"
    seconds: list[float] = field(default_factory=list)
    last: bytes = b""
    _received: bytearray = field(default_factory=bytearray)
    _expected: int = 0
    _asked: float = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._expected:
            self._expected = _size(self._received)
        if self._expected and len(self._received) >= self._expected:
            self._answered()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the interface
        if not self.done.done():
            self.done.set_result(None)

    def _send(self) -> None:
        self._received.clear()
        self._expected = 0
        self._asked = time.perf_counter()
        self._transport.write(next(self.requests))

    def _answered(self) -> None:
        now = time.perf_counter()
        self.seconds.append(now - self._asked)
        if not self._received.startswith(_OK):
            self.done.set_exception(RuntimeError(bytes(self._received[:500]).decode()))
        elif now < self.ends and not self._is_last():
            return self._send()
        self.last = bytes(self._received)
        self._transport.close()
        return None

    def _is_last(self) -> bool:
        """Say whether the server closes the connection behind this answer, as moto's does."""
        return _CLOSING in self._received.partition(_HEAD_END)[0].lower()


def _size(received: bytearray) -> int:
    """Return how long the answer is, head and body, or 0 while its head is not there."""
    head_ends = received.find(_HEAD_END)
    if head_ends < 0:
        return 0
    head = received[:head_ends].lower()
    _, _, after = head.partition(_LENGTH)
    return head_ends + len(_HEAD_END) + int(after.partition(b"\r")[0])


async def _connected(port: int, requests: Iterator[bytes], ends: float) -> _Asking:
    loop = asyncio.get_running_loop()
    asking = _Asking(requests=requests, ends=ends, done=loop.create_future())
    await loop.create_connection(lambda: asking, "127.0.0.1", port)
    return asking


async def _press(port: int, requests: Iterator[bytes], lasting_s: float) -> Load:
    began = time.perf_counter()
    ends = began + lasting_s

    async def keep_asking() -> list[float]:
        seconds: list[float] = []
        while time.perf_counter() < ends:  # again where the server closes its connections
            asking = await _connected(port, requests, ends)
            await asking.done
            seconds += asking.seconds
        return seconds

    found = await asyncio.gather(*(keep_asking() for _ in range(CONNECTIONS)))
    lasted_s = time.perf_counter() - began
    return Load(seconds=[each for seconds in found for each in seconds], lasted_s=lasted_s)


async def _ask(port: int, request: bytes) -> bytes:
    asking = await _connected(port, iter([request]), 0.0)
    await asking.done
    return asking.last.partition(_HEAD_END)[2]
