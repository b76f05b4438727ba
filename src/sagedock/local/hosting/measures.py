"""What was measured of a variant or a container since it was last asked, beside its tally.

As a tally, it is the event loop's: no lock, no store.
"""

from collections import Counter
from collections.abc import Mapping

from sagedock.api.metrics import UNIT_OF_LATENCIES, Metric
from sagedock.local.hosting.tally import rounded

__all__ = ["Measured", "Measures"]

#: Each metric's values, with how often each was measured.
Measured = Mapping[Metric, Mapping[float, int]]

_MICRO = 1e6


class Measures:
    """The measurements of one variant or container of one endpoint."""

    def __init__(self, *, region: str, dimensions: Mapping[str, str]) -> None:
        self.region = region
        self.dimensions = dimensions
        self._now: dict[Metric, Counter[float]] = {}

    def add(self, metric: Metric, value: float) -> None:
        """Keep a value; that of a latency is in seconds."""
        if metric.unit == UNIT_OF_LATENCIES:
            value = rounded(value * _MICRO)
        self._now.setdefault(metric, Counter())[value] += 1

    def take(self) -> Measured | None:
        """Return what was measured, and begin anew; None where nothing was."""
        taken, self._now = self._now, {}
        return taken or None
