"""Time as policies count it: with a time scale of 60, a minute of a policy passes in a second.

Policies, alarms and cooldowns count *scaled* seconds: those since the epoch, times the scale. What
is answered and stored is in real seconds since the epoch.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Clock"]


@dataclass(frozen=True, kw_only=True)
class Clock:
    """Converts between the two, and tells the time."""

    scale: float = 1.0
    now_s: Callable[[], float] = time.time

    def scaled(self, real_s: float) -> float:
        """Return the scaled seconds of a moment in epoch seconds."""
        return real_s * self.scale

    def real(self, scaled_s: float) -> float:
        """Return the epoch seconds of a moment in scaled seconds."""
        return scaled_s / self.scale
