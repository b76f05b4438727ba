"""How far a load test is."""

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Progress", "Watch"]


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a load test is: seconds, requests so far, and good answers per second lately."""

    at_s: float
    of_s: float
    is_warming_up: bool
    answered: int
    failed: int
    under_way: int
    rate: float


Watch = Callable[[Progress], None]
