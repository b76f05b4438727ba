"""Alarms as pure functions: the guide's own tables, and what must hold of every alarm."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagedock.local.autoscaling.alarms import COMPARISONS, AlarmRule, State, evaluate, window

#: X breaches, 0 does not, - is missing; newest last.
READ = {"X": 100.0, "0": 0.0, "-": None}
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")


def rule(**changes: Any) -> AlarmRule:
    made: dict[str, Any] = {
        "comparison": "GreaterThanThreshold",
        "threshold": 50.0,
        "periods": 3,
        "needed": 3,
        "period_s": 60,
        **changes,
    }
    return AlarmRule(**made)


def read(text: str) -> list[float | None]:
    return [READ[each] for each in text.split()]


@pytest.mark.parametrize(
    ("data", "missing", "ignore", "breaching", "not_breaching"),
    [
        ("0 - X - X", "OK", "OK", "OK", "OK"),
        ("- - - - 0", "OK", "OK", "OK", "OK"),
        ("- - - - -", "INSUFFICIENT_DATA", "before", "ALARM", "OK"),
        ("0 X X - X", "ALARM", "ALARM", "ALARM", "ALARM"),
        ("- - X - -", "ALARM", "ALARM", "ALARM", "OK"),
        ("- - - - X", "OK", "before", "ALARM", "OK"),
        ("- - - X 0", "OK", "OK", "OK", "OK"),
        ("X X X - -", "ALARM", "ALARM", "ALARM", "ALARM"),
        ("0 0 X X X", "ALARM", "ALARM", "ALARM", "ALARM"),
        ("X X X X 0", "OK", "OK", "OK", "OK"),
    ],
)
def test_the_guides_table(
    data: str, missing: str, ignore: str, breaching: str, not_breaching: str
) -> None:
    expected = (missing, ignore, breaching, not_breaching)
    for before in ("OK", "ALARM"):
        found = tuple(evaluate(rule(missing=each), read(data), before) for each in TREATMENTS)
        assert found == tuple(before if each == "before" else each for each in expected)


def test_so_many_out_of_so_many() -> None:
    two = rule(needed=2)
    assert evaluate(two, read("0 0 X 0 X"), "OK") == "ALARM"
    assert evaluate(two, read("X X X 0 0"), "OK") == "OK"
    assert evaluate(two, read("- - - X -"), "OK") == "ALARM"  # it has waited
    assert evaluate(two, read("- - - - X"), "OK") == "OK"


@pytest.mark.parametrize(
    ("comparison", "values"),
    [
        ("GreaterThanThreshold", (False, False, True)),
        ("GreaterThanOrEqualToThreshold", (False, True, True)),
        ("LessThanThreshold", (True, False, False)),
        ("LessThanOrEqualToThreshold", (True, True, False)),
    ],
)
def test_every_comparison(comparison: str, values: tuple[bool, ...]) -> None:
    made = rule(comparison=comparison)
    assert tuple(map(made.breaches, (49.0, 50.0, 51.0))) == values
    assert made.above == comparison.startswith("Greater")


def test_each_comparison_is_tried() -> None:
    assert {"GreaterThanThreshold", "LessThanThreshold"} < COMPARISONS
    assert len(COMPARISONS) == 4


def test_the_latest_that_exist_are_looked_at() -> None:
    assert window(rule(), [1.0, 2.0, None, 3.0, None]) == [1.0, 2.0, 3.0]
    assert window(rule(), [9.0, 1.0, 2.0, None, 3.0, None]) == [1.0, 2.0, 3.0]
    assert window(rule(), [9.0, 8.0, 1.0, 2.0, 3.0]) == [1.0, 2.0, 3.0]


def test_a_rule_is_read_from_an_alarm() -> None:
    alarm = {
        "ComparisonOperator": "LessThanThreshold",
        "Threshold": 9.0,
        "EvaluationPeriods": 15,
        "Period": 60,
    }
    assert AlarmRule.of(alarm) == AlarmRule(
        comparison="LessThanThreshold", threshold=9.0, periods=15, needed=15, period_s=60
    )
    more = {**alarm, "DatapointsToAlarm": 2, "TreatMissingData": "breaching"}
    assert (AlarmRule.of(more).needed, AlarmRule.of(more).missing) == (2, "breaching")


STATES: st.SearchStrategy[State] = st.sampled_from(["OK", "ALARM", "INSUFFICIENT_DATA"])
VALUES = st.none() | st.floats(0, 100)


@given(
    data=st.lists(VALUES, min_size=7, max_size=7),
    needed=st.integers(1, 5),
    missing=st.sampled_from(TREATMENTS),
    before=STATES,
)
def test_an_alarm_goes_off_only_if_enough_may_breach(
    data: list[float | None], needed: int, missing: str, before: State
) -> None:
    made = rule(periods=5, needed=needed, missing=missing)
    state = evaluate(made, data, before)
    breaching = sum(value is not None and made.breaches(value) for value in data)
    unknown = data.count(None)
    if state == "ALARM" and before != "ALARM":
        assert breaching + unknown >= needed
    if breaching == 0 and missing != "breaching" and before == "OK":
        assert state != "ALARM"
    if unknown == 0:
        latest = [value for value in data[-5:] if value is not None and made.breaches(value)]
        assert state == ("ALARM" if len(latest) >= needed else "OK")
