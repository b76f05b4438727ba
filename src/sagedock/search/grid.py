"""Grid search: every combination of categorical values, once."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from sagedock.search.space import Category, Space
from sagedock.search.trials import Tried, Values

__all__ = ["Grid"]


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Tries the combinations in the order of the ranges, the last one fastest. Ranges of numbers
    have none, and are refused before.
    """

    space: Space

    def propose(self, number: int, tried: Sequence[Tried]) -> Values | None:  # noqa: ARG002 - Search
        """Return the first combination that was not tried; None where none is left."""
        names = [each.name for each in self.space.ranges]
        choices = [each.choices for each in self.space.ranges if isinstance(each, Category)]
        before = [each.values for each in tried]
        combinations = (dict(zip(names, each, strict=True)) for each in itertools.product(*choices))
        return next((values for values in combinations if values not in before), None)
