"""The thread that looks after every scalable target."""

import logging
import threading
from collections.abc import Sequence

from sagedock.errors import SagedockError
from sagedock.local.autoscaling.alarm_watch import AlarmWatch
from sagedock.local.autoscaling.book import Book, World, owner
from sagedock.local.autoscaling.clock import Clock
from sagedock.local.autoscaling.decision import Wish
from sagedock.local.autoscaling.fleets import Fleet, Fleets
from sagedock.local.autoscaling.measures import Measures
from sagedock.local.autoscaling.tending import Tending
from sagedock.local.autoscaling.wishes import low_alarms, wishes
from sagedock.local.metrics import MetricStore
from sagedock.local.resources import Resource

__all__ = ["Autoscaler"]

_log = logging.getLogger(__name__)

#: How often it looks, in seconds of policies, and in real ones at the least and at the most.
_LOOKS_EVERY_S, _OFTENEST_S, _SELDOMEST_S = 10, 0.05, 1.0
_ENDS_S = 10


class Autoscaler:
    """Evaluates alarms and scheduled actions, and scales. A server has one.

    Where nothing is registered it sleeps. What it does is on record before it is done, so that the
    next server goes on where one was killed.
    """

    def __init__(self, book: Book, metrics: MetricStore, fleets: Fleets, clock: Clock) -> None:
        self._book = book
        self._fleets = fleets
        self._clock = clock
        self._measures = Measures(metrics, clock)
        self._watch = AlarmWatch(book, metrics, clock)
        self._tending = Tending(book, fleets, clock)
        self._wake = threading.Event()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="autoscaler", daemon=True)
        book.changed = self._wake.set

    def start(self) -> None:
        """Begin."""
        self._book.forget_old(self._clock.now_s())
        self._thread.start()

    def stop(self) -> None:
        """Return when it has ended: nothing is scaled any more."""
        self._ending = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(_ENDS_S)

    def look(self) -> bool:
        """Look once at everything; say whether there is anything to look at."""
        now_s, world = self._clock.now_s(), self._book.world()
        found = [(each, fleet) for each in world.targets for fleet in self._found(each)]
        fleets = {owner(target): fleet for target, fleet in found if fleet is not None}
        self._measures.publish(fleets, now_s)
        wanted = wishes(world, self._watch.look(world.alarms, now_s))
        for target, fleet in found:
            try:
                self._tend(world, target, fleet, wanted.get(owner(target), []), now_s)
            except Exception:  # noqa: BLE001 - one target that breaks must not end all scaling
                _log.exception("%s cannot be scaled", target.key.name)
        return bool(world.targets or world.alarms)

    def _found(self, target: Resource) -> list[Fleet | None]:
        """Return what a target's resource is now, as one item; nothing if that cannot be told."""
        try:
            return [self._fleets.find(owner(target))]
        except Exception:  # noqa: BLE001 - as above
            _log.exception("%s cannot be looked at", target.key.name)
            return []

    def _tend(
        self,
        world: World,
        target: Resource,
        fleet: Fleet | None,
        wanted: Sequence[Wish],
        now_s: float,
    ) -> None:
        resource = owner(target)
        policies = [each for each in world.policies if owner(each) == resource]
        lows = [self._book.alarm_key(resource.region, name) for name in low_alarms(policies)]
        self._tending.tend(
            target,
            fleet,
            [each for each in world.actions if owner(each) == resource],
            wanted,
            all_low=all(self._watch.state(key) == "ALARM" for key in lows),
            now_s=now_s,
        )

    def _run(self) -> None:
        pace_s = min(max(_LOOKS_EVERY_S / self._clock.scale, _OFTENEST_S), _SELDOMEST_S)
        while not self._ending:
            self._wake.clear()
            busy = self._looked()
            self._wake.wait(pace_s if busy else None)

    def _looked(self) -> bool:
        try:
            return self.look()
        except SagedockError as error:
            _log.error("autoscaling: %s", error)
        except Exception:  # noqa: BLE001 - as above
            _log.exception("autoscaling broke; it tries again")
        return True
