"""What a load test found."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sagedock.load.samples import ErrorCount
from sagedock.load.statistics import Bin, Latencies

__all__ = ["Generator", "Result"]

_LATE_SHARE = 0.1
_LATE_MS = 5.0
_BUSY = 0.9


@dataclass(frozen=True, kw_only=True)
class Generator:
    """How the load generator itself did.

    ``lag`` is how late requests of an open loop were sent, against when they were due.
    ``cpu_us`` is its CPU time per request, ``cpu_share`` the share of one core that it used.
    """

    lag: Latencies | None
    cpu_us: float
    cpu_share: float
    connections: int


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a load test found. Latencies are of good answers, counted from when each was due.

    ``rate`` is good answers per second while requests were sent, for ``lasted_s``; ``offered`` is
    requests per second that were due. ``unfinished`` were under way when it was interrupted.
    ``first_byte`` is the same as ``latency`` to the first byte of a body. ``server_cpu_us`` is the
    CPU time of the watched process per request, ``server_cores`` how many cores it kept busy.
    """

    target: str
    shape: str
    began: float
    lasted_s: float
    answered: int
    failed: int
    unfinished: int
    interrupted: bool
    is_open_loop: bool
    offered: float
    rate: float
    latency: Latencies | None
    first_byte: Latencies | None
    sent_bytes: int
    received_bytes: int
    errors: tuple[ErrorCount, ...]
    timeline: tuple[Bin, ...]
    generator: Generator
    server_cpu_us: float | None
    server_cores: float | None

    @property
    def failed_share(self) -> float:
        """Which share of the requests that ended failed, 0 to 1."""
        return self.failed / max(1, self.failed + self.answered)

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why these numbers may be those of the generator, and not of the server's."""
        found = []
        lag = self.generator.lag
        if lag and self.latency and lag.p99_ms > max(_LATE_MS, _LATE_SHARE * self.latency.p99_ms):
            found.append(
                f"1 in 100 requests was sent {lag.p99_ms:.1f} ms late or more: this machine is too "
                "busy to offer that rate; its latencies are partly the generator's"
            )
        if self.generator.cpu_share > _BUSY:
            found.append(
                f"the generator used {self.generator.cpu_share:.0%} of a core, all that it can: "
                "the server may be faster than this shows"
            )
        return tuple(found)

    def as_json(self) -> Mapping[str, Any]:
        """Return it as JSON's types."""
        return {**asdict(self), "failed_share": self.failed_share, "doubts": self.doubts}
