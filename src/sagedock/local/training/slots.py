"""The queue of jobs: as many containers at once as the machine takes, first come, first served."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Slots", "Ticket", "default_width"]

_CONTAINERS_PER_CPU = 2
_LEAST = 4


def default_width(cpus: int) -> int:
    """Return how many containers run at once on a machine with ``cpus`` processors."""
    return max(_LEAST, cpus * _CONTAINERS_PER_CPU)


@dataclass(eq=False)
class Ticket:
    """A job's place: ``hosts`` containers; ``granted`` is called, once, when there is room."""

    hosts: int
    granted: Callable[[], None]
    has_room: bool = False


class Slots:
    """Room for ``width`` containers. A job with more of them than that runs alone.

    No job overtakes another, so that a large one is never starved by small ones.
    """

    def __init__(self, width: int) -> None:
        self._free = self._width = width
        self._waiting: deque[Ticket] = deque()
        self._lock = threading.Lock()

    def join(self, hosts: int, granted: Callable[[], None]) -> Ticket:
        """Queue up."""
        ticket = Ticket(hosts=min(hosts, self._width), granted=granted)
        with self._lock:
            self._waiting.append(ticket)
            self._serve()
        return ticket

    def claim(self, ticket: Ticket) -> None:
        """Take the place at once: the job's containers run already."""
        with self._lock:
            if not ticket.has_room:
                self._waiting.remove(ticket)
                self._give(ticket)

    def leave(self, ticket: Ticket) -> None:
        """Give the place back, had or waited for; the next ones may have it."""
        with self._lock:
            if ticket.has_room:
                ticket.has_room = False
                self._free += ticket.hosts
            elif ticket in self._waiting:
                self._waiting.remove(ticket)
            self._serve()

    def _serve(self) -> None:
        while self._waiting and self._waiting[0].hosts <= self._free:
            self._give(self._waiting.popleft())

    def _give(self, ticket: Ticket) -> None:
        self._free -= ticket.hosts
        ticket.has_room = True
        ticket.granted()
