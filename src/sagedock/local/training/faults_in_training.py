"""The faults that one attempt gets while it trains, each at its moment."""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence

from sagedock.local.faults import Faults, Interruptions, LostHost
from sagedock.local.training.events import Event, HostLost, Interrupted

__all__ = ["Planned", "planned"]


def planned(
    faults: Faults, job: str, attempt: int, hosts: Collection[str], *, is_spot: bool
) -> Iterator[tuple[float, Event]]:
    """Yield (seconds from now, what happens then) for an attempt whose training begins now.

    A lost host that is none of ``hosts`` is kept for a job that has it.
    """
    if is_spot and (interruptions := faults.take(Interruptions, job)):
        yield interruptions.after_s(job, attempt), Interrupted(attempt=attempt)
    if lost := faults.take(LostHost, job, lambda fault: fault.host in (None, *hosts)):
        yield lost.after_s, HostLost(attempt=attempt, host=lost.host)


class Planned:
    """Events that are put at their moments, until ``cancel``."""

    def __init__(self, events: Sequence[tuple[float, Event]], put: Callable[[Event], None]) -> None:
        self._timers = [threading.Timer(after_s, put, [event]) for after_s, event in events]
        for timer in self._timers:
            timer.daemon = True
            timer.start()

    def cancel(self) -> None:
        """Put nothing more."""
        for timer in self._timers:
            timer.cancel()
