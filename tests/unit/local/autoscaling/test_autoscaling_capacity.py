"""What policies ask for: the guide's examples, and what must hold of every answer."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagedock.local.autoscaling.capacity import aggregated, stepped, tracked


@pytest.mark.parametrize(
    ("base", "value", "wanted"),
    [(1, 300.0, 3), (2, 150.0, 3), (3, 100.1, 4), (4, 100.0, 4), (10, 101.0, 11), (0, 500.0, 0)],
)
def test_target_tracking_scales_out_in_proportion_rounded_up(
    base: int, value: float, wanted: int
) -> None:
    assert tracked(base, [1.0, value], 100.0, out=True) == wanted


@pytest.mark.parametrize(
    ("base", "values", "wanted"),
    [
        (10, [0.0, 0.0], 0),
        (10, [10.0, 50.0, 20.0], 5),
        (10, [51.0, 20.0], 6),
        (2, [89.0], 2),
        (4, [200.0], 4),
        (5, [-3.0], 0),
    ],
)
def test_target_tracking_scales_in_by_the_highest_value(
    base: int, values: list[float], wanted: int
) -> None:
    assert tracked(base, values, 100.0, out=False) == wanted


def test_numbers_that_floats_cannot_hold_round_as_people_do() -> None:
    assert tracked(3, [0.1 + 0.2], 0.3, out=True) == 3
    assert tracked(1, [1.1 * 3], 1.1, out=True) == 3


@given(base=st.integers(1, 1000), value=st.floats(0, 1e6), target=st.floats(1e-3, 1e6))
def test_the_load_fits_the_capacity_that_is_asked_for(
    base: int, value: float, target: float
) -> None:
    out = value > target
    wanted = tracked(base, [value], target, out=out)
    assert wanted >= base if out else wanted <= base
    if wanted:
        assert base * value / wanted <= target * (1 + 1e-6) or wanted == base
    if wanted > 1 and wanted != base:  # one less would not do
        assert base * value / (wanted - 1) > target * (1 - 1e-6)


OUT = [
    {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10, "ScalingAdjustment": 0},
    {"MetricIntervalLowerBound": 10, "MetricIntervalUpperBound": 20, "ScalingAdjustment": 10},
    {"MetricIntervalLowerBound": 20, "ScalingAdjustment": 30},
]
IN = [
    {"MetricIntervalLowerBound": -10, "MetricIntervalUpperBound": 0, "ScalingAdjustment": 0},
    {"MetricIntervalLowerBound": -20, "MetricIntervalUpperBound": -10, "ScalingAdjustment": -10},
    {"MetricIntervalUpperBound": -20, "ScalingAdjustment": -30},
]


def configuration(kind: str, steps: Any, **members: Any) -> dict[str, Any]:
    return {"AdjustmentType": kind, "StepAdjustments": steps, **members}


@pytest.mark.parametrize(
    ("base", "metric", "wanted"),
    [(10, 59.9, 10), (10, 60.0, 11), (11, 70.0, 14), (10, 1000.0, 13), (10, 50.0, 10)],
)
def test_the_guides_example_out(base: int, metric: float, wanted: int) -> None:
    percent = configuration("PercentChangeInCapacity", OUT)
    assert stepped(base, percent, metric - 50, above=True) == wanted


@pytest.mark.parametrize(
    ("base", "metric", "wanted"),
    [(14, 40.0, 13), (13, 30.0, 10), (14, 40.1, 14), (14, 50.0, 14), (13, 0.0, 10)],
)
def test_the_guides_example_in(base: int, metric: float, wanted: int) -> None:
    percent = configuration("PercentChangeInCapacity", IN)
    assert stepped(base, percent, metric - 50, above=False) == wanted


def test_no_step_no_wish() -> None:
    change = configuration("ChangeInCapacity", OUT[1:])
    assert stepped(5, change, 5, above=True) is None


@pytest.mark.parametrize(
    ("kind", "adjustment", "base", "wanted"),
    [
        ("ChangeInCapacity", 5, 3, 8),
        ("ChangeInCapacity", -5, 3, 0),
        ("ExactCapacity", 5, 3, 5),
        ("ExactCapacity", 0, 3, 0),
        ("PercentChangeInCapacity", 10, 10, 11),
        ("PercentChangeInCapacity", 127, 10, 22),  # 12.7 is 12
        ("PercentChangeInCapacity", 67, 1, 2),  # .67 is 1
        ("PercentChangeInCapacity", -58, 1, 0),  # -.58 is -1
        ("PercentChangeInCapacity", -66, 10, 4),  # -6.6 is -6
        ("PercentChangeInCapacity", 50, 0, 0),
        ("PercentChangeInCapacity", 0, 10, 10),
    ],
)
def test_every_adjustment(kind: str, adjustment: int, base: int, wanted: int) -> None:
    steps = [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": adjustment}]
    assert stepped(base, configuration(kind, steps), 1, above=True) == wanted


@pytest.mark.parametrize(("adjustment", "wanted"), [(25, 6), (-25, 2), (100, 8), (0, 4)])
def test_the_least_magnitude(adjustment: int, wanted: int) -> None:
    steps = [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": adjustment}]
    percent = configuration("PercentChangeInCapacity", steps, MinAdjustmentMagnitude=2)
    assert stepped(4, percent, 0, above=True) == wanted


def test_datapoints_become_one() -> None:
    values = [1.0, 2.0, 6.0]
    found = [aggregated(values, how) for how in ("Minimum", "Maximum", "Average")]
    assert found == [1.0, 6.0, 3.0]
