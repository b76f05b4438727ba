"""Percentiles are samples, exactly those that the definition of the nearest rank names."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagedock.load.statistics import PERCENTS, Latencies, bins, percentile

seconds = st.lists(st.floats(min_value=0, max_value=100, allow_nan=False), min_size=1, max_size=300)


@given(seconds, st.sampled_from([*PERCENTS, 0, 25, 99.99, 100]))
def test_a_percentile_is_the_least_sample_that_enough_do_not_exceed(
    samples: list[float], percent: float
) -> None:
    found = percentile(sorted(samples), percent)
    enough = Fraction(str(percent)) / 100 * len(samples)
    assert found in samples
    assert sum(each <= found for each in samples) >= enough
    assert not any(
        each < found and sum(other <= each for other in samples) >= max(enough, 1)
        for each in samples
    )


def test_a_thousand_known_samples() -> None:
    found = Latencies.of([number / 1000 for number in range(1000, 0, -1)])
    assert found is not None
    assert (found.min_ms, found.p50_ms, found.p90_ms) == (1, 500, 900)
    assert (found.p99_ms, found.p99_9_ms, found.max_ms) == (990, 999, 1000)
    assert found.mean_ms == pytest.approx(500.5)
    assert found.at(99.0) == 990
    assert found.curve[0] == (0, 1)


def test_of_no_sample_nothing_is_said() -> None:
    assert Latencies.of([]) is None


@given(seconds, seconds, st.floats(min_value=0.01, max_value=200_000))
def test_each_end_within_the_run_is_in_one_bin(
    ends: list[float], failed: list[float], lasted_s: float
) -> None:
    found = bins(sorted(ends), [0.5] * len(ends), failed, lasted_s)
    assert len(found) <= 61
    assert sum(each.answered for each in found) == sum(end <= lasted_s for end in ends)
    assert sum(each.failed for each in found) == sum(end <= lasted_s for end in failed)
    assert math.fsum(each.width_s for each in found) == pytest.approx(lasted_s)


def test_a_run_that_took_a_moment_longer_has_no_bin_for_the_moment() -> None:
    found = bins([0.05, 4.95, 5.0003], [0.001, 0.002, 0.004], [], 5.0003)
    assert len(found) == 50
    assert (found[0].p50_ms, found[1].p50_ms) == (1, None)
    assert (found[-1].answered, found[-1].p99_ms) == (2, 4)
    assert found[-1].width_s == pytest.approx(0.1003)
