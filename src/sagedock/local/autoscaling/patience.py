"""Numbers that a resource refused: asked for again after a pause, and not at each look."""

from dataclasses import dataclass

from sagedock.local.autoscaling.fleets import ScalableResource

__all__ = ["Patience"]

#: Between two attempts, in scaled seconds: twice as long each time. That AWS pauses is unverified.
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 60.0, 3600.0


@dataclass(frozen=True, kw_only=True)
class _Refusal:
    capacity: int
    pause_s: float
    again_s: float


class Patience:
    """What was refused last, by resource. A server that is started asks anew."""

    def __init__(self) -> None:
        self._refusals: dict[ScalableResource, _Refusal] = {}

    def waits(self, resource: ScalableResource, capacity: int, now_s: float) -> bool:
        """Say whether this number is not to be asked for yet: it was refused a moment ago."""
        last = self._refusals.get(resource)
        return last is not None and last.capacity == capacity and now_s < last.again_s

    def refused(self, resource: ScalableResource, capacity: int, now_s: float) -> None:
        """Remember that it refused a number."""
        last, pause_s = self._refusals.get(resource), _FIRST_PAUSE_S
        if last is not None and last.capacity == capacity:
            pause_s = min(2 * last.pause_s, _LONGEST_PAUSE_S)
        self._refusals[resource] = _Refusal(
            capacity=capacity, pause_s=pause_s, again_s=now_s + pause_s
        )

    def taken(self, resource: ScalableResource) -> None:
        """Forget it: the resource took a number, or is none any more."""
        self._refusals.pop(resource, None)
