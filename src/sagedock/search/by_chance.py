"""Random search: every try by chance, the same ones for the same seed."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sagedock.search.space import Category, Space
from sagedock.search.trials import Tried, Values

__all__ = ["ByChance", "unlike"]

#: How often one that was tried before is drawn anew, before it is tried again.
_DRAWS = 1000


@dataclass(frozen=True, kw_only=True)
class ByChance:
    """Draws each hyperparameter evenly on its scale."""

    space: Space
    seed: int

    def propose(self, number: int, tried: Sequence[Tried]) -> Values:
        """Return the values of try ``number``; see ``Search``."""
        chance = random.Random(f"{self.seed}/{number}")
        return unlike(tried, lambda: self.space.values(_drawn(self.space, chance)))


def unlike(tried: Sequence[Tried], draw: Callable[[], Values]) -> Values:
    """Return what ``draw`` draws that was not tried before, if it can be had."""
    before = [each.values for each in tried]
    for _ in range(_DRAWS):
        values = draw()
        if values not in before:
            return values
    return draw()


def _drawn(space: Space, chance: random.Random) -> list[float]:
    point: list[float] = []
    for each in space.ranges:
        if isinstance(each, Category):
            chosen = chance.randrange(each.width)
            point += [float(index == chosen) for index in range(each.width)]
        else:
            point.append(chance.random())
    return point
