"""Metric definitions applied to every host's log, while it is written."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sagedock.errors import StorageError
from sagedock.local.logs import Event, LogStore, Stream
from sagedock.local.metrics.matching import Matcher, MatcherBroke
from sagedock.local.metrics.store import MetricStore, Point, Series

__all__ = ["Definitions", "LogReader"]

_log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.25
#: How much of a log is looked at in one go: lines, and their characters.
_LINES = 1000
_CHARACTERS = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Definitions:
    """A job's metric definitions: expression by name, and where what they find goes.

    ``warn`` tells the job's user, in the job's own log, of one that was given up.
    """

    region: str
    namespace: str
    dimensions: Mapping[str, str]
    unit: str
    expressions: Mapping[str, str]
    warn: Callable[[str], None]


class LogReader:
    """Applies definitions to the streams of a log group whose names start with ``prefix``.

    What was found and how far a stream was read are stored together, so that a reader started after
    a kill goes on where the last one was.
    """

    def __init__(
        self,
        logs: LogStore,
        metrics: MetricStore,
        definitions: Definitions,
        group: str,
        prefix: str,
    ) -> None:
        self._logs = logs
        self._metrics = metrics
        self._definitions = definitions
        self._group = group
        self._prefix = prefix
        self._names = tuple(definitions.expressions)
        self._broken = False
        self._last = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"metrics {prefix}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def end(self) -> None:
        """Have every line looked at that is stored now, and return at once."""
        self._last.set()

    def join(self) -> None:
        """Return once that is done."""
        self._thread.join()

    def _run(self) -> None:
        with Matcher(tuple(self._definitions.expressions.values())) as matcher:
            ending = False
            while not ending and not self._broken:
                ending = self._last.wait(_LOOK_EVERY_S)  # before looking, so that none is missed
                try:
                    self._look(matcher)
                except StorageError as error:  # the next look begins where this one did
                    _log.warning("metrics of %s: %s", self._prefix, error)

    def _look(self, matcher: Matcher) -> None:
        """Read every stream up to its end."""
        region = self._definitions.region
        for stream in self._logs.streams(region, self._group, self._prefix):
            done = self._metrics.evaluated(region, stream.name)
            while events := self._logs.events(stream, done, _LINES):
                for some in _portions(events):
                    if not self._apply(matcher, stream, some):
                        return
                done = events[-1].number + 1

    def _apply(self, matcher: Matcher, stream: Stream, events: Sequence[Event]) -> bool:
        """Store what ``events`` hold, and say whether the definitions still can be applied."""
        try:
            found = matcher.find([event.message for event in events])
        except MatcherBroke as error:
            self._broken = True
            self._definitions.warn(f"metric definitions are not applied any more: {error}")
            return False
        self._metrics.add_evaluated(
            self._definitions.region,
            stream.name,
            events[-1].number + 1,
            [
                (
                    self._series(number),
                    [Point(time_ms=events[line].time_ms, value=value) for line, value in values],
                )
                for number, values in enumerate(found.values)
                if values
            ],
        )
        for number in found.given_up:
            self._definitions.warn(
                f"metric definition {self._names[number]!r} is not applied any more: its regular "
                "expression takes too long, or too much memory. Write one without nested "
                "repetitions"
            )
        return True

    def _series(self, number: int) -> Series:
        return Series(
            region=self._definitions.region,
            namespace=self._definitions.namespace,
            name=self._names[number],
            dimensions=self._definitions.dimensions,
            unit=self._definitions.unit,
        )


def _portions(events: Sequence[Event]) -> Iterator[list[Event]]:
    """Yield ``events`` in lists that are not too large for one go."""
    portion: list[Event] = []
    size = 0
    for event in events:
        if portion and size + len(event.message) > _CHARACTERS:
            yield portion
            portion, size = [], 0
        portion.append(event)
        size += len(event.message)
    yield portion
