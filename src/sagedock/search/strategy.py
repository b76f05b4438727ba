"""What proposes the next try."""

from collections.abc import Sequence
from typing import Literal, Protocol

from sagedock.search.bayesian import Bayesian
from sagedock.search.by_chance import ByChance
from sagedock.search.grid import Grid
from sagedock.search.space import Space
from sagedock.search.trials import Tried, Values

__all__ = ["Search", "Strategy", "search_of"]

Strategy = Literal["Bayesian", "Random", "Hyperband", "Grid"]


class Search(Protocol):
    """Proposes hyperparameters. It keeps nothing: it is told at each call all that is known, so
    that a server which was killed goes on by telling it again.
    """

    def propose(self, number: int, tried: Sequence[Tried]) -> Values | None:
        """Return the values of try ``number``, from 1, after those in ``tried``; the same ones for
        the same arguments. None where nothing is left to try.
        """
        ...


def search_of(strategy: Strategy, space: Space, seed: int) -> Search:
    """Return the search of a strategy. Hyperband's tries are by chance: it chooses by ending those
    that have no prospects. How AWS draws them is not documented.
    """
    match strategy:
        case "Bayesian":
            return Bayesian(space=space, seed=seed)
        case "Grid":
            return Grid(space=space)
        case "Random" | "Hyperband":
            return ByChance(space=space, seed=seed)
