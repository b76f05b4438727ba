"""What becomes of the policies' wishes: bounds, cooldowns, suspension, and which wish wins. Pure.

Sources: https://docs.aws.amazon.com/autoscaling/application/userguide/
application-auto-scaling-target-tracking.html (considerations, cooldown period) and
application-auto-scaling-scaling-activities.html (reasons).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Cooldown", "Decided", "NotScaled", "Scale", "Situation", "Wish", "decide"]


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One policy whose alarm is in ALARM. ``capacity`` is what it asks for on a given capacity."""

    policy: str
    alarm: str
    capacity: Callable[[int], int]
    out_cooldown_s: float
    in_cooldown_s: float
    #: Target tracking scales in only together with the others; step scaling by itself.
    tracking: bool = False

    @property
    def cause(self) -> str:
        """The cause, in the service's words. Source: a published activity of an endpoint."""
        return f"monitor alarm {self.alarm} in state ALARM triggered policy {self.policy}"


@dataclass(frozen=True, kw_only=True)
class Cooldown:
    """A scaling activity whose effect is waited for: what the capacity was before, and how long."""

    begun_s: float
    lasts_s: float
    before: int

    def holds(self, now_s: float) -> bool:
        """Say whether it is not over."""
        return now_s < self.begun_s + self.lasts_s


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What a decision depends on. Times are in scaled seconds."""

    now_s: float
    current: int
    low: int
    high: int
    scaling_out: Cooldown | None = None
    scaling_in: Cooldown | None = None
    out_suspended: bool = False
    in_suspended: bool = False
    #: Whether the resource is changing, so that it takes no other change.
    busy: bool = False
    #: Whether every target tracking policy that scales in wants to.
    all_low: bool = True

    def within(self, capacity: int) -> int:
        """Return the capacity nearest to a wish that the bounds allow."""
        return min(max(capacity, self.low), self.high)


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Set the capacity, because of a wish."""

    capacity: int
    wish: Wish


@dataclass(frozen=True, kw_only=True)
class NotScaled:
    """Leave the capacity as it is, and say why: NotScaledReasons of an activity."""

    wish: Wish
    code: str
    numbers: Mapping[str, Any] = field(default_factory=dict)


#: None where there is nothing to say: no wish, or one that waits or is suspended.
Decided = Scale | NotScaled | None


def decide(situation: Situation, wishes: Sequence[Wish]) -> Decided:
    """Return what to do: the largest wish to scale out, else the largest wish to scale in.

    While a scale-out cools down, what it added counts as part of the next one: only a larger one
    goes through. A scale-in waits until the last one has cooled down; a scale-out never does.
    """
    base = _base(situation)
    allowed = [wish for wish in wishes if situation.all_low or not _is_blocked(wish, situation)]
    if not allowed:
        return None
    wanted, wish = max(((each.capacity(base), each) for each in allowed), key=_capacity)
    if wanted > situation.current:
        return _scale_out(situation, wanted, wish)
    wanted, wish = max(
        ((each.capacity(situation.current), each) for each in allowed), key=_capacity
    )
    if wanted < situation.current:
        return _scale_in(situation, wanted, wish)
    if base < situation.current:
        return None  # a scale-out cools down
    numbers = {"CurrentCapacity": situation.current}
    return NotScaled(wish=wish, code="AlreadyAtDesiredCapacity", numbers=numbers)


def _capacity(each: tuple[int, Wish]) -> int:
    return each[0]


def _is_blocked(wish: Wish, situation: Situation) -> bool:
    """Say whether a wish is to scale in by target tracking, which waits for its like."""
    return wish.tracking and wish.capacity(situation.current) < situation.current


def _base(situation: Situation) -> int:
    """Return the capacity that wishes to scale out are made on."""
    cooling = situation.scaling_out
    if cooling is not None and cooling.holds(situation.now_s):
        return min(cooling.before, situation.current)
    return situation.current


def _scale_out(situation: Situation, wanted: int, wish: Wish) -> Decided:
    if situation.out_suspended:
        return None
    capacity = situation.within(wanted)
    if capacity <= situation.current:
        return NotScaled(
            wish=wish,
            code="AlreadyAtMaxCapacity",
            numbers={"MaxCapacity": situation.high},
        )
    return _unless_busy(situation, Scale(capacity=capacity, wish=wish))


def _scale_in(situation: Situation, wanted: int, wish: Wish) -> Decided:
    cooling = situation.scaling_in
    if situation.in_suspended or (cooling is not None and cooling.holds(situation.now_s)):
        return None
    capacity = situation.within(wanted)
    if capacity >= situation.current:
        return NotScaled(
            wish=wish,
            code="AlreadyAtMinCapacity",
            numbers={"MinCapacity": situation.low},
        )
    return _unless_busy(situation, Scale(capacity=capacity, wish=wish))


def _unless_busy(situation: Situation, scale: Scale) -> Decided:
    if situation.busy:
        return NotScaled(wish=scale.wish, code="TargetServicePutResourceAsUnscalable")
    return scale
