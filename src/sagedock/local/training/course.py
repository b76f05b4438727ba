"""From Starting to the moment when a job has its machines, in the states that the service shows."""

import math
import queue
import threading
import time
from dataclasses import dataclass

from sagedock.local.faults import Faults, NoCapacity
from sagedock.local.training.deadlines import pending_deadline, wait_deadline
from sagedock.local.training.events import Event, Granted, HostLost, Interrupted, StopAsked
from sagedock.local.training.record import Record
from sagedock.local.training.steps import messages

__all__ = ["CapacityFailed", "Course", "StoppedEarly"]

_, _FOUND_WARM = messages("Starting", "warm-pool-hit")
_, _LAUNCHING, _PREPARING = messages("Starting", "spot-interrupted")
_, _INSUFFICIENT, _ = messages("Starting", "capacity-retried")
_WAITING, _NEVER = messages("Pending", "capacity-failed")
#: What a job is in before it trains; taken up from these, it goes on where it was.
_BEFORE_TRAINING = frozenset({"Starting", "Pending", "Downloading"})


class StoppedEarly(Exception):
    """The job is to stop, and no container runs; ``secondary`` is the limit that was reached."""

    def __init__(self, secondary: str | None = None) -> None:
        self.secondary = secondary
        super().__init__(secondary or "stopped")


class CapacityFailed(Exception):
    """There will be no machines for the job."""


@dataclass(frozen=True, kw_only=True)
class Course:
    """What one job waits for before its containers can start."""

    record: Record
    faults: Faults
    events: "queue.Queue[Event]"
    stop: threading.Event

    def wait_for_room(self, *, warm: bool) -> None:
        """Return when a ``Granted`` came, in the states of a job that gets its machines.

        ``warm`` says that it gets those of a warm pool. Raises StoppedEarly, CapacityFailed.
        """
        document = self.record.document
        if document["SecondaryStatus"] not in _BEFORE_TRAINING:
            self.record.enter("Starting", "Starting the training job")
        self.check_stop()
        lack = self.faults.take(NoCapacity, self.record.key.name)
        if warm:
            self.record.enter("Starting", _FOUND_WARM)
        elif lack is not None:
            self._wait_out(lack)
        elif document["EnableManagedSpotTraining"]:
            self.record.enter("Starting", _LAUNCHING)
        else:
            self.record.enter("Pending", _WAITING)
        self._wait(math.inf)
        if not warm:
            self.record.enter(self.record.document["SecondaryStatus"], _PREPARING)

    def check_stop(self) -> None:
        """Raise StoppedEarly if the job is to stop, or waited too long."""
        if self.stop.is_set():
            raise StoppedEarly
        if time.time() >= wait_deadline(self.record.document):
            raise StoppedEarly("MaxWaitTimeExceeded")

    def _wait_out(self, lack: NoCapacity) -> None:
        if lack.fails:
            self.record.enter("Pending", _WAITING)
        else:
            self.record.enter("Starting", _INSUFFICIENT)
        self._wait(time.time() + lack.wait_s, for_room=False)
        if lack.fails:
            self.record.enter("Pending", _NEVER)
            raise CapacityFailed

    def _wait(self, until_s: float, *, for_room: bool = True) -> None:
        """Wait until there is room, or until a moment; whatever else comes is kept for later."""
        later: list[Event] = []
        try:
            while (left_s := self._patience_s(until_s)) > 0:
                try:
                    event = self.events.get(timeout=min(left_s, threading.TIMEOUT_MAX))
                except queue.Empty:
                    continue
                if isinstance(event, StopAsked):
                    raise StoppedEarly
                if isinstance(event, Granted) and for_room:
                    return
                if isinstance(event, Granted | Interrupted | HostLost):
                    later.append(event)
        finally:
            for event in later:
                self.events.put(event)

    def _patience_s(self, until_s: float) -> float:
        """Return how long to wait; raise StoppedEarly where the service waits no longer."""
        document, now = self.record.document, time.time()
        if now >= wait_deadline(document):
            raise StoppedEarly("MaxWaitTimeExceeded")
        if now >= pending_deadline(document):
            raise StoppedEarly
        ends = min(until_s, wait_deadline(document), pending_deadline(document))
        return ends - now
