"""When the requests of an open loop are due: evenly spaced, or at random as users come."""

import random
from collections.abc import Iterator
from itertools import count
from typing import Literal, assert_never

__all__ = ["Arrivals", "offsets"]

Arrivals = Literal["constant", "poisson"]


def offsets(rate: float, arrivals: Arrivals, seed: int) -> Iterator[float]:
    """Yield, without end, when each request is due, in seconds from the start, in order.

    ``rate`` is requests per second; the same ``seed`` gives the same Poisson process.
    """
    match arrivals:
        case "constant":
            return (number / rate for number in count())
        case "poisson":
            return _poisson(rate, random.Random(seed))
        case _:
            assert_never(arrivals)


def _poisson(rate: float, chance: random.Random) -> Iterator[float]:
    at = 0.0
    while True:
        at += chance.expovariate(rate)
        yield at
