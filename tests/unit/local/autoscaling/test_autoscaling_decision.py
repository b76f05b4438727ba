"""What becomes of wishes: bounds, cooldowns, suspension; and a variant under load, step by step."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sagedock.local.autoscaling.alarms import AlarmRule, State, evaluate, window
from sagedock.local.autoscaling.capacity import tracked
from sagedock.local.autoscaling.decision import (
    Cooldown,
    NotScaled,
    Scale,
    Situation,
    Wish,
    decide,
)

SITUATION = Situation(now_s=1000.0, current=5, low=1, high=10)


def wish(capacity: int | Callable[[int], int], policy: str = "p", **members: Any) -> Wish:
    made = capacity if callable(capacity) else lambda _: capacity
    return Wish(
        policy=policy,
        alarm="a",
        capacity=made,
        out_cooldown_s=300,
        in_cooldown_s=300,
        **members,
    )


def cooldown(before: int, begun_s: float = 900.0, lasts_s: float = 300.0) -> Cooldown:
    return Cooldown(begun_s=begun_s, lasts_s=lasts_s, before=before)


def capacity(situation: Situation, *wishes: Wish) -> int | str | None:
    """Return the capacity that is set, or why none is."""
    match decide(situation, wishes):
        case Scale(capacity=found):
            return found
        case NotScaled(code=code):
            return code
        case None:
            return None


def test_the_largest_wish_wins_both_ways() -> None:
    assert capacity(SITUATION, wish(7), wish(9), wish(2)) == 9
    assert capacity(SITUATION, wish(2), wish(4)) == 4
    assert capacity(SITUATION) is None


def test_bounds_hold() -> None:
    assert capacity(SITUATION, wish(99)) == 10
    assert capacity(SITUATION, wish(0)) == 1
    assert capacity(replace(SITUATION, current=10), wish(99)) == "AlreadyAtMaxCapacity"
    assert capacity(replace(SITUATION, current=1), wish(0)) == "AlreadyAtMinCapacity"
    assert capacity(SITUATION, wish(5)) == "AlreadyAtDesiredCapacity"


def test_a_reason_has_its_number() -> None:
    found = decide(replace(SITUATION, current=10), [wish(99)])
    assert isinstance(found, NotScaled)
    assert found.numbers == {"MaxCapacity": 10}


def test_a_capacity_outside_the_bounds_moves_towards_them_only() -> None:
    high = replace(SITUATION, current=20)
    assert capacity(high, wish(25)) == "AlreadyAtMaxCapacity"
    assert capacity(high, wish(15)) == 10
    low = replace(SITUATION, current=1, low=3)
    assert capacity(low, wish(0)) == "AlreadyAtMinCapacity"
    assert capacity(low, wish(2)) == 3


def test_a_scale_in_waits_for_the_last_one() -> None:
    cooling = replace(SITUATION, scaling_in=cooldown(8))
    assert capacity(cooling, wish(3)) is None
    assert capacity(replace(cooling, now_s=1200.0), wish(3)) == 3
    assert capacity(cooling, wish(7)) == 7  # a scale-out does not wait


def test_only_a_larger_scale_out_goes_through_a_cooldown() -> None:
    """The guide's example: two were added to ten; three more are asked for, and one is added."""
    cooling = replace(SITUATION, current=12, high=99, scaling_out=cooldown(10))
    assert capacity(cooling, wish(lambda base: base + 2)) is None
    assert capacity(cooling, wish(lambda base: base + 3)) == 13
    over = replace(cooling, now_s=1200.0)
    assert capacity(over, wish(lambda base: base + 2)) == 14


def test_a_scale_in_does_not_wait_for_a_scale_out() -> None:
    cooling = replace(SITUATION, scaling_out=cooldown(3))
    assert capacity(cooling, wish(lambda base: base - 1)) == 4


def test_suspended_ways_are_not_taken() -> None:
    assert capacity(replace(SITUATION, out_suspended=True), wish(9)) is None
    assert capacity(replace(SITUATION, out_suspended=True), wish(2)) == 2
    assert capacity(replace(SITUATION, in_suspended=True), wish(2)) is None
    assert capacity(replace(SITUATION, in_suspended=True), wish(9)) == 9


def test_what_changes_takes_no_other_change() -> None:
    busy = replace(SITUATION, busy=True)
    assert capacity(busy, wish(9)) == "TargetServicePutResourceAsUnscalable"
    assert capacity(busy, wish(2)) == "TargetServicePutResourceAsUnscalable"


def test_target_tracking_scales_in_only_together_and_steps_alone() -> None:
    apart = replace(SITUATION, all_low=False)
    assert capacity(apart, wish(3, tracking=True)) is None
    assert capacity(apart, wish(2), wish(4, tracking=True)) == 2
    assert capacity(apart, wish(8, tracking=True)) == 8
    assert capacity(SITUATION, wish(3, tracking=True)) == 3


def test_the_cause_is_in_the_services_words() -> None:
    found = decide(SITUATION, [wish(9)])
    assert isinstance(found, Scale)
    assert found.wish.cause == "monitor alarm a in state ALARM triggered policy p"


@given(
    current=st.integers(0, 30),
    low=st.integers(0, 10),
    extra=st.integers(0, 10),
    wanted=st.lists(st.integers(-5, 40), max_size=4),
    flags=st.tuples(*[st.booleans()] * 6),
    before=st.integers(0, 30),
)
def test_whatever_is_wished_the_capacity_stays_within_the_bounds(
    current: int, low: int, extra: int, wanted: list[int], flags: tuple[bool, ...], before: int
) -> None:
    out_cools, in_cools, out_off, in_off, busy, together = flags
    situation = Situation(
        now_s=1000.0,
        current=current,
        low=low,
        high=low + extra,
        scaling_out=cooldown(before) if out_cools else None,
        scaling_in=cooldown(before) if in_cools else None,
        out_suspended=out_off,
        in_suspended=in_off,
        busy=busy,
        all_low=together,
    )
    wishes = [wish(each, tracking=bool(number % 2)) for number, each in enumerate(wanted)]
    found = decide(situation, wishes)
    if not isinstance(found, Scale):
        return
    assert low <= found.capacity <= low + extra
    assert found.capacity != current
    assert not busy
    assert not (out_off if found.capacity > current else in_off or in_cools)


HIGH = AlarmRule(
    comparison="GreaterThanThreshold", threshold=100.0, periods=3, needed=3, period_s=60
)
LOW = AlarmRule(comparison="LessThanThreshold", threshold=90.0, periods=15, needed=15, period_s=60)


@dataclass
class Variant:
    """A variant that tracks 100 invocations a minute for each instance, a minute at a time."""

    low: int
    high: int
    capacity: int
    cooldown_s: float = 300.0
    minute: int = 0
    metric: list[float | None] = field(default_factory=list)
    changes: list[tuple[int, int, int]] = field(default_factory=list)
    states: dict[str, State] = field(default_factory=lambda: {"out": "OK", "in": "OK"})
    scaling_out: Cooldown | None = None
    scaling_in: Cooldown | None = None

    def pass_minute(self, load: float) -> None:
        """Let a minute's load be measured, and then what follows from it."""
        self.metric.append(load / self.capacity if self.capacity else None)
        self.minute += 1
        now_s = self.minute * 60.0
        wishes = []
        for way, rule in (("out", HIGH), ("in", LOW)):
            self.states[way] = evaluate(rule, self.metric, self.states[way])
            if self.states[way] == "ALARM":
                values = window(rule, self.metric)
                asked = partial(tracked, values=values, target=100.0, out=way == "out")
                wishes.append(wish(asked, tracking=True))
        situation = Situation(
            now_s=now_s,
            current=self.capacity,
            low=self.low,
            high=self.high,
            scaling_out=self.scaling_out,
            scaling_in=self.scaling_in,
            all_low=self.states["in"] == "ALARM",
        )
        found = decide(situation, wishes)
        if isinstance(found, Scale):
            self._scale(found.capacity, now_s)

    def _scale(self, capacity: int, now_s: float) -> None:
        cooling = Cooldown(begun_s=now_s, lasts_s=self.cooldown_s, before=self.capacity)
        if capacity > self.capacity:
            self.scaling_out, self.scaling_in = cooling, None
        else:
            self.scaling_in = cooling
        self.changes.append((self.minute, self.capacity, capacity))
        self.capacity = capacity


def test_three_minutes_above_the_target_scale_out_at_once_in_proportion() -> None:
    variant = Variant(low=1, high=10, capacity=1)
    for _ in range(6):
        variant.pass_minute(450.0)
    assert variant.changes == [(3, 1, 5)]


def test_fifteen_idle_minutes_scale_in() -> None:
    variant = Variant(low=1, high=10, capacity=4)
    for _ in range(16):
        variant.pass_minute(0.0)
    assert variant.changes == [(15, 4, 1)]


@settings(max_examples=200, deadline=None)
@given(
    load=st.floats(0, 5000),
    begin=st.integers(1, 20),
    bounds=st.tuples(st.integers(1, 10), st.integers(0, 20)),
)
def test_a_constant_load_settles_and_stays(
    load: float, begin: int, bounds: tuple[int, int]
) -> None:
    low, high = bounds[0], sum(bounds)
    variant = Variant(low=low, high=high, capacity=min(max(begin, low), high))
    for _ in range(90):
        variant.pass_minute(load)
    settled, changes = variant.capacity, len(variant.changes)
    for _ in range(90):
        variant.pass_minute(load)
    assert (variant.capacity, len(variant.changes)) == (settled, changes)
    assert low <= settled <= high
    assert load / settled <= 100.0 + 1e-6 or settled == high


@settings(max_examples=200, deadline=None)
@given(loads=st.lists(st.floats(0, 3000), min_size=40, max_size=120))
def test_under_any_load_bounds_and_cooldowns_hold(loads: list[float]) -> None:
    variant = Variant(low=2, high=12, capacity=3)
    for load in loads:
        variant.pass_minute(load)
    assert all(2 <= after <= 12 for _, _, after in variant.changes)
    out = [(minute, before, after) for minute, before, after in variant.changes if after > before]
    scaled_in = [change for change in variant.changes if change[2] < change[1]]
    for one, other in pairwise(scaled_in):
        between = [each for each in out if one[0] < each[0] < other[0]]
        assert between or other[0] - one[0] >= 5
