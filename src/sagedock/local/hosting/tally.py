"""What a variant answered since it was last asked: counts and latencies, in memory.

All of it is the event loop's: no lock, no store, a few dictionary entries for each request.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from sagedock.api.metrics import PER_INSTANCE

__all__ = ["Taken", "Tally", "rounded"]

#: Latencies are kept to one part in so many: a second of traffic is a few dozen values.
_STEPS = 100


@dataclass(kw_only=True)
class Taken:
    """What happened: how many invocations, the errors among them by kind, latencies (microseconds)
    with how often each, and one through the number of instances, or copies, for each.
    """

    invocations: int = 0
    client_errors: int = 0
    server_errors: int = 0
    model: Counter[float] = field(default_factory=Counter)
    overhead: Counter[float] = field(default_factory=Counter)
    per_instance: Counter[float] = field(default_factory=Counter)
    #: Values of further metrics, by name.
    more: dict[str, Counter[float]] = field(default_factory=dict)


class Tally:
    """The counts of one variant of one endpoint; ``per`` is what invocations through instances are
    called, and ``config`` the deployment that they are published of, too.
    """

    def __init__(
        self,
        *,
        region: str,
        dimensions: Mapping[str, str],
        per: str = PER_INSTANCE,
        config: str | None = None,
    ) -> None:
        self.region = region
        self.per = per
        self.dimensions = dimensions
        self.config = config
        self._now = Taken()

    def add(self, status: int, model_s: float, overhead_s: float, instances: int) -> None:
        """Count one invocation that a container answered with ``status``; 0 for no answer."""
        now = self._now
        now.invocations += 1
        if 400 <= status < 500:
            now.client_errors += 1
        elif status >= 500 or status == 0:
            now.server_errors += 1
        now.model[rounded(model_s * 1e6)] += 1
        now.overhead[rounded(overhead_s * 1e6)] += 1
        if instances:
            now.per_instance[1 / instances] += 1

    def note(self, name: str, value: float) -> None:
        """Count a value of another metric; it is published with the next invocation."""
        self._now.more.setdefault(name, Counter())[rounded(value) if value >= 1 else value] += 1

    def take(self) -> Taken | None:
        """Return what was counted, and begin anew; None where nothing was."""
        if not self._now.invocations:
            return None
        taken, self._now = self._now, Taken()
        return taken


def rounded(value: float) -> float:
    """Return ``value`` to one part in a hundred."""
    if value < 1:
        return 0.0
    unit: float = 10.0 ** math.floor(math.log10(value)) / _STEPS
    return round(round(value / unit) * unit, 3)
