"""What a load test does, as data."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

from sagedock.load.arrivals import Arrivals
from sagedock.load.target import Target

__all__ = ["Closed", "Open", "Plan", "Shape"]

_MOST_CONNECTIONS = 10_000
_MOST_PER_S = 100_000
_DAY_S = 24 * 60 * 60


@dataclass(frozen=True, kw_only=True)
class Closed:
    """``concurrency`` users, each asking again as soon as it is answered."""

    concurrency: int = 8

    def __str__(self) -> str:
        return f"closed loop, concurrency {self.concurrency}"

    @property
    def most_connections(self) -> int:
        """How many connections there are at most: one for each user."""
        return self.concurrency

    def problems(self) -> Iterator[str]:
        """Yield what is wrong."""
        if not 1 <= self.concurrency <= _MOST_CONNECTIONS:
            yield f"concurrency: {self.concurrency} is not between 1 and {_MOST_CONNECTIONS}"


@dataclass(frozen=True, kw_only=True)
class Open:
    """``rate`` requests per second, sent when they are due whether or not others were answered.

    One that finds all connections busy waits; its latency is counted from when it was due.
    """

    rate: float
    arrivals: Arrivals = "constant"
    seed: int = 0
    most_connections: int = 1000

    def __str__(self) -> str:
        return f"open loop, {self.rate:g} requests/s, {self.arrivals} arrivals"

    def problems(self) -> Iterator[str]:
        """Yield what is wrong."""
        if not 0 < self.rate <= _MOST_PER_S:
            yield f"rate: {self.rate:g} is not above 0 and at most {_MOST_PER_S} requests/s"
        if not 1 <= self.most_connections <= _MOST_CONNECTIONS:
            yield f"connections: {self.most_connections} is not between 1 and {_MOST_CONNECTIONS}"


Shape = Closed | Open


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A load test that ends by itself: after ``duration_s`` or ``requests``, whichever is first.

    ``warmup_s`` comes before and is not measured. A request that is not answered within
    ``timeout_s`` of when it was due has failed. ``server_pid`` names a process whose CPU time,
    with that of its children, is measured too. ``ca_bundle`` holds certificates (PEM) that are
    trusted beside those of the system.
    """

    target: Target
    shape: Shape = field(default_factory=Closed)
    duration_s: float = 10.0
    requests: int | None = None
    warmup_s: float = 0.0
    timeout_s: float = 10.0
    server_pid: int | None = None
    ca_bundle: Path | None = None

    def problems(self) -> tuple[str, ...]:
        """Return everything that is wrong, each with its field."""
        return (*self.shape.problems(), *self._own_problems())

    @property
    def most_requests(self) -> int | None:
        """How many requests are measured at most; None where nothing bounds them."""
        match self.shape:
            case Closed():
                return self.requests
            case Open(arrivals="poisson"):  # as many as come
                return self.requests
            case Open(rate=rate):
                due = round(rate * self.duration_s)
                return due if self.requests is None else min(due, self.requests)
            case _:
                assert_never(self.shape)

    def _own_problems(self) -> Iterator[str]:
        for name, value in (("duration", self.duration_s), ("timeout", self.timeout_s)):
            if not 0 < value <= _DAY_S:
                yield f"{name}: {value:g} is not above 0 and at most {_DAY_S} seconds"
        if not 0 <= self.warmup_s <= _DAY_S:
            yield f"warmup: {self.warmup_s:g} is not between 0 and {_DAY_S} seconds"
        if self.requests is not None and self.requests < 1:
            yield f"requests: {self.requests} is less than 1"
        if self.ca_bundle is not None and not self.ca_bundle.is_file():
            yield f"ca-bundle: {self.ca_bundle}: is no file: give certificates as PEM"
