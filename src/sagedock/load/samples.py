"""What is noted of each request while a load test runs: numbers only, so that millions fit."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from sagedock.load.exchange import Exchange, Failure, FailureKind

__all__ = ["ErrorCount", "Samples"]

_MOST_KINDS = 50
_Key = tuple[FailureKind, int, str]


@dataclass(frozen=True, kw_only=True)
class ErrorCount:
    """How often requests failed alike, and the first example."""

    kind: FailureKind
    status: int
    detail: str
    count: int
    example: str


class Samples:
    """The samples of requests that were due at ``begins`` or later (``time.monotonic()``)."""

    def __init__(self, begins: float) -> None:
        self.begins = begins
        self.latencies = array("d")
        self.ends = array("d")
        self.first_bytes = array("d")
        self.failed_ends = array("d")
        self.lags = array("d")
        self.sent_bytes = self.received_bytes = 0
        #: Answers that came while requests were sent, those to the warm-up's requests too: what
        #: the rate is counted by, so that it is not that of a server which began with nothing.
        self.answered_while_sending = 0
        self.ended_while_sending = 0
        self._is_sending = True
        self._errors: dict[_Key, tuple[int, str]] = {}

    def stop_sending(self) -> None:
        """Count no more for the rate: what is still under way is only waited for."""
        self._is_sending = False

    def take(self, exchange: Exchange) -> None:
        """Note an exchange that is over."""
        failure = exchange.failure
        if self._is_sending and exchange.ended >= self.begins:
            self.ended_while_sending += 1
            self.answered_while_sending += failure is None
        if exchange.due < self.begins:
            return
        self.sent_bytes += exchange.wrote
        self.received_bytes += exchange.received
        if failure is not None:
            self.failed_ends.append(exchange.ended - self.begins)
            self._count(failure)
            return
        self.latencies.append(exchange.ended - exchange.due)
        self.ends.append(exchange.ended - self.begins)
        if exchange.first:
            self.first_bytes.append(exchange.first - exchange.due)

    def errors(self) -> tuple[ErrorCount, ...]:
        """Return the failures by kind, the most frequent first."""
        return tuple(sorted(self._error_counts(), key=lambda each: -each.count))

    def _error_counts(self) -> Iterator[ErrorCount]:
        for (kind, status, detail), (count, example) in self._errors.items():
            yield ErrorCount(kind=kind, status=status, detail=detail, count=count, example=example)

    def _count(self, failure: Failure) -> None:
        key = (failure.kind, failure.status, failure.detail)
        if key not in self._errors and len(self._errors) >= _MOST_KINDS:
            key = (failure.kind, failure.status, "others")
        count, example = self._errors.get(key, (0, failure.example))
        self._errors[key] = (count + 1, example)
