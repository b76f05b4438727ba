"""Points moved to the nearest ones that stand for values, many at once."""

from typing import TYPE_CHECKING

from sagedock.search.space import Category, Space

if TYPE_CHECKING:
    from sagedock.search.gaussian_process import Array

__all__ = ["snapped"]

#: Integers of wider ranges lie so near to each other that they may as well be continuous.
_MOST_PLACES = 1000


def snapped(space: Space, points: "Array") -> "Array":
    """Return ``points``, a row for each, with integers and categories where values are."""
    import numpy as np

    moved = np.clip(points, 0.0, 1.0)
    first = 0
    for each in space.ranges:
        columns = slice(first, first + each.width)
        first += each.width
        if isinstance(each, Category):
            chosen = np.argmax(moved[:, columns], axis=1)
            moved[:, columns] = np.eye(each.width)[chosen]
        elif each.whole and each.count <= _MOST_PLACES:
            places = [each.coordinates(str(round(each.low) + n)) for n in range(int(each.count))]
            ends = np.array([place[0] for place in places if place])
            nearest = np.searchsorted((ends[1:] + ends[:-1]) / 2, moved[:, columns.start])
            moved[:, columns.start] = ends[nearest]
    return moved
