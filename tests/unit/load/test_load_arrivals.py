"""When the requests of an open loop are due."""

import statistics
from itertools import islice, pairwise

import pytest

from sagedock.load.arrivals import offsets


def test_constant_arrivals_do_not_drift() -> None:
    found = list(islice(offsets(3, "constant", 0), 300_001))
    assert found[:2] == [0, 1 / 3]
    assert found[300_000] == 100_000


def test_poisson_arrivals_have_the_rate_and_the_spread_of_chance() -> None:
    found = list(islice(offsets(50, "poisson", 7), 20_000))
    gaps = [b - a for a, b in pairwise(found)]
    assert min(gaps) >= 0
    assert statistics.fmean(gaps) == pytest.approx(1 / 50, rel=0.03)
    assert statistics.stdev(gaps) == pytest.approx(1 / 50, rel=0.05)  # that of an exponential


def test_a_seed_repeats_them() -> None:
    first, again, other = (list(islice(offsets(9, "poisson", s), 50)) for s in (1, 1, 2))
    assert first == again != other
