"""Ranges of hyperparameters as coordinates, and back."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagedock.local.tuning.definitions import space_of
from sagedock.search import Category, Numbers, Space

UNIT = st.floats(0, 1)


@given(at=UNIT)
@pytest.mark.parametrize(
    ("low", "high", "scaling"),
    [
        (-5.0, 10.0, "Linear"),
        (1e-6, 1.0, "Logarithmic"),
        (0.0, 0.999, "ReverseLogarithmic"),
        (0.0, 1e9, "Auto"),
    ],
)
def test_a_number_lies_within_its_range_and_where_it_came_from(
    low: float, high: float, scaling: str, at: float
) -> None:
    numbers = Numbers(name="x", low=low, high=high, scaling=scaling)  # type: ignore[arg-type]
    text = numbers.value([at])
    assert low <= float(text) <= high
    back = numbers.coordinates(text)
    assert back is not None
    assert math.isclose(back[0], at, abs_tol=1e-6)


@given(at=UNIT)
def test_an_integer_is_written_as_one(at: float) -> None:
    text = Numbers(name="n", low=1, high=7, whole=True, scaling="Logarithmic").value([at])
    assert text in {"1", "2", "3", "4", "5", "6", "7"}


def test_each_integer_has_its_share_the_ends_too() -> None:
    numbers = Numbers(name="n", low=0, high=3, whole=True)
    drawn = [numbers.value([(index + 0.5) / 400]) for index in range(400)]
    assert [drawn.count(text) for text in "0123"] == [100, 100, 100, 100]


def test_a_logarithmic_scale_gives_each_order_of_magnitude_the_same_share() -> None:
    numbers = Numbers(name="x", low=1e-4, high=1.0, scaling="Logarithmic")
    assert float(numbers.value([0.25])) == pytest.approx(1e-3)
    assert float(numbers.value([0.5])) == pytest.approx(1e-2)


def test_a_reverse_logarithmic_scale_resolves_what_nears_one() -> None:
    numbers = Numbers(name="x", low=0.0, high=0.999, scaling="ReverseLogarithmic")
    assert float(numbers.value([1 / 3])) == pytest.approx(0.9)
    assert float(numbers.value([2 / 3])) == pytest.approx(0.99)


@pytest.mark.parametrize(
    ("low", "high", "chosen"),
    [
        (0.001, 0.1, "Logarithmic"),
        (1, 100, "Logarithmic"),
        (1, 99, "Linear"),
        (0, 1000, "Linear"),
        (-1, 1000, "Linear"),
    ],
)
def test_auto_is_logarithmic_over_two_orders_of_magnitude(
    low: float, high: float, chosen: str
) -> None:
    assert Numbers(name="x", low=low, high=high, scaling="Auto").chosen == chosen


def test_what_has_no_place_is_told() -> None:
    space = Space(
        ranges=[
            Numbers(name="x", low=0.1, high=1.0, scaling="Logarithmic"),
            Category(name="c", choices=("a", "b")),
        ]
    )
    assert space.coordinates({"x": "1.0", "c": "b"}) == pytest.approx((1.0, 0.0, 1.0))
    assert space.coordinates({"x": "-1", "c": "b"}) is None
    assert space.coordinates({"x": "0.5", "c": "z"}) is None
    assert space.coordinates({"x": "0.5"}) is None
    beyond = space.coordinates({"x": "10", "c": "a"})
    assert beyond is not None
    assert beyond[0] == pytest.approx(2.0)


def test_points_are_counted() -> None:
    integer = Numbers(name="n", low=1, high=3, whole=True)
    category = Category(name="c", choices=("a", "b"))
    assert Space(ranges=[integer, category]).count == 6
    assert Space(ranges=[integer, Numbers(name="x", low=0, high=1)]).count == math.inf
    assert Space(ranges=[]).count == 1


@pytest.mark.parametrize(
    ("hint", "least", "most", "whole"),
    [
        ("0.01", 0.001, 0.1, False),
        ("32", 3, 320, True),
        ("1", 1, 10, True),
        ("-2.5", -25.0, -0.25, False),
    ],
)
def test_autotune_searches_about_an_example(
    hint: str, least: float, most: float, whole: bool
) -> None:
    (found,) = space_of({"AutoParameters": [{"Name": "p", "ValueHint": hint}]}).ranges
    assert isinstance(found, Numbers)
    assert (found.low, found.high, found.whole) == (
        pytest.approx(least),
        pytest.approx(most),
        whole,
    )


def test_autotune_leaves_what_is_no_number() -> None:
    space = space_of({"AutoParameters": [{"Name": "p", "ValueHint": "adam"}]})
    assert space.values([random.random()]) == {"p": "adam"}
