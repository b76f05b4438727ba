"""Containers in service are asked again and again whether they are healthy.

The service was seen to ask every 5 seconds (row 90 of aws-answers' page on the rest), and its guide
says that requests go on to a container that always answers 200
(https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html). When it gives
one up is not told: unverified.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from sagedock.local.hosting.health import Unhealthy

__all__ = ["Checks", "Condition"]

_log = logging.getLogger(__name__)

#: How many are asked at the same time.
_AT_ONCE = 8


@dataclass(kw_only=True)
class Condition:
    """What the checks of one container in service found.

    It is given up after ``most`` failures in a row. One that does not answer in time while it has
    requests may only be slow: that is no failure, unless it goes on for ``patience_s`` seconds,
    longer than any request may take.
    """

    most: int
    patience_s: float
    failures: int = 0
    slow_since_s: float | None = None

    def is_hopeless(self, found: Unhealthy | None, *, is_busy: bool, now: float) -> bool:
        """Take note of a check, None for a good one; say whether the container is given up.

        ``now`` is of a monotonic clock, in seconds.
        """
        if found is None:
            self.failures, self.slow_since_s = 0, None
            return False
        if found.is_slow and is_busy:
            self.slow_since_s = now if self.slow_since_s is None else self.slow_since_s
            return now - self.slow_since_s >= self.patience_s
        self.failures += 1
        return self.failures >= self.most


class _Checked(Protocol):
    """What is asked."""

    def check(self) -> None:
        """Ask once, and act on what was found."""
        ...


class Checks:
    """A thread that has all of ``those`` checked, ``every_s`` seconds (0: never), until ``ended``
    is set.
    """

    def __init__(
        self, every_s: float, those: Callable[[], Sequence[_Checked]], ended: threading.Event
    ) -> None:
        self._every_s = every_s
        self._those = those
        self._ended = ended
        self._thread = threading.Thread(target=self._run, name="health checks", daemon=True)

    def begin(self) -> None:
        """Begin; returns at once."""
        if self._every_s > 0:
            self._thread.start()

    def join(self) -> None:
        """Return once nobody is asked any more; ``ended`` is set."""
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._every_s):
            those = self._those()
            if len(those) == 1:
                those[0].check()
            elif those:
                with ThreadPoolExecutor(min(_AT_ONCE, len(those))) as pool:
                    list(pool.map(lambda each: each.check(), those))
