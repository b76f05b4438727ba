"""Ranges of hyperparameters, as coordinates from 0 to 1 on the scales that they are searched by."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, assert_never

from sagedock.search.trials import Values

__all__ = ["Category", "Numbers", "Scaling", "Space"]

Scaling = Literal["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"]

#: From how many times its least value on a range is searched by its logarithm, where the service
#: is to choose. How AWS chooses is not documented.
_WIDE = 100.0


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """A range of numbers, both ends included; of integers if it is ``whole``.

    ``Auto`` is Logarithmic for positive ranges over two orders of magnitude or more, else Linear.
    """

    name: str
    low: float
    high: float
    whole: bool = False
    scaling: Scaling = "Linear"

    #: How many coordinates a value has.
    width = 1

    @property
    def count(self) -> float:
        """How many values there are."""
        if self.low == self.high:
            return 1.0
        return self.high - self.low + 1 if self.whole else math.inf

    def value(self, at: Sequence[float]) -> str:
        """Return the value at a coordinate."""
        low, high = self._ends
        found = self._from_scale(low + min(max(at[0], 0.0), 1.0) * (high - low))
        kept = min(max(found, self.low), self.high)
        return str(round(kept)) if self.whole else repr(float(kept))

    def coordinates(self, text: str) -> tuple[float, ...] | None:
        """Return where a value lies, also outside of 0 to 1; None where it has no place at all."""
        low, high = self._ends
        try:
            there = self._to_scale(float(text))
        except ValueError:  # no number, or one that has no logarithm
            return None
        if not math.isfinite(there):
            return None
        return ((there - low) / (high - low) if high > low else 0.5,)

    @property
    def chosen(self) -> Literal["Linear", "Logarithmic", "ReverseLogarithmic"]:
        """The scale that is searched by."""
        if self.scaling != "Auto":
            return self.scaling
        return "Logarithmic" if self.low > 0 and self.high / self.low >= _WIDE else "Linear"

    @cached_property
    def _ends(self) -> tuple[float, float]:
        """The ends on the scale. Each integer has its share of it, the first and the last too."""
        share = 0.5 if self.whole else 0.0
        return self._to_scale(self.low - share), self._to_scale(self.high + share)

    def _to_scale(self, value: float) -> float:
        match self.chosen:
            case "Linear":
                return value
            case "Logarithmic":
                return math.log(value)
            case "ReverseLogarithmic":
                return -math.log(1.0 - value)
            case _:
                assert_never(self.chosen)

    def _from_scale(self, there: float) -> float:
        match self.chosen:
            case "Linear":
                return there
            case "Logarithmic":
                return math.exp(there)
            case "ReverseLogarithmic":
                return 1.0 - math.exp(-there)
            case _:
                assert_never(self.chosen)


@dataclass(frozen=True, kw_only=True)
class Category:
    """Some values without an order. Each is a corner: 1 in its coordinate, 0 in the others'."""

    name: str
    choices: Sequence[str]

    @property
    def width(self) -> int:
        """How many coordinates a value has."""
        return len(self.choices)

    @property
    def count(self) -> float:
        """How many values there are."""
        return float(len(self.choices))

    def value(self, at: Sequence[float]) -> str:
        """Return the value whose coordinate is the largest."""
        return self.choices[max(range(len(self.choices)), key=lambda each: at[each])]

    def coordinates(self, text: str) -> tuple[float, ...] | None:
        """Return where a value lies; None for one that is no choice."""
        if text not in self.choices:
            return None
        return tuple(float(text == choice) for choice in self.choices)


@dataclass(frozen=True, kw_only=True)
class Space:
    """All that is searched, one hyperparameter after another."""

    ranges: Sequence[Numbers | Category]

    @property
    def width(self) -> int:
        """How many coordinates a point has."""
        return sum(each.width for each in self.ranges)

    @property
    def count(self) -> float:
        """How many points there are; infinite where one hyperparameter is continuous."""
        return math.prod(each.count for each in self.ranges)

    def values(self, at: Sequence[float]) -> Values:
        """Return the values at a point."""
        found, first = {}, 0
        for each in self.ranges:
            found[each.name] = each.value(at[first : first + each.width])
            first += each.width
        return found

    def coordinates(self, values: Values) -> tuple[float, ...] | None:
        """Return where values lie; None where one is missing, or has no place."""
        point: list[float] = []
        for each in self.ranges:
            part = each.coordinates(values[each.name]) if each.name in values else None
            if part is None:
                return None
            point += part
        return tuple(point)
