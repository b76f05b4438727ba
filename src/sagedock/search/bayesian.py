"""Bayesian search: try where the objective is likeliest to become better.

A Gaussian process is fitted to what is known; the next try is where the expected improvement is
largest. Tries that run count as if they had ended as expected, so that those in parallel differ.
Sources: Jones and others, Efficient Global Optimization (1998); Ginsbourger and others, Kriging is
well-suited to parallelize optimization (2010), "kriging believer".
AWS says that its search treats tuning as a regression problem, not how:
https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-how-it-works.html
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sagedock.search.by_chance import ByChance
from sagedock.search.snapping import snapped
from sagedock.search.space import Space
from sagedock.search.trials import Tried, Values

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sagedock.search.gaussian_process import Array

__all__ = ["Bayesian"]

#: How many tries are spread out before a model has anything to say: so many, and for each
#: coordinate.
_FIRST, _FIRST_FOR_EACH, _MOST_FIRST = 3, 1, 10
#: And so many losses.
_LEAST = 2
#: The model knows so many tries at most, and its lengths are fitted to so many: the best, and the
#: latest. Beyond that, each costs more than it tells.
_KNOWN, _FITTED = 80, 40
#: How many points are looked at: anywhere, near the best, and in each round around the best found.
_ANYWHERE, _NEAR, _ROUNDS, _KEPT, _EACH = 300, 200, 8, 5, 20
_FIRST_RADIUS = 0.08
#: Losses beyond the middle by so many times its distance from the best are all alike bad.
_FAR = 4.0
#: The positive root of x^(d+1) = x + 1 spreads points of d coordinates evenly.
_ITERATIONS = 40


@dataclass(frozen=True, kw_only=True)
class Bayesian:
    """Proposes where the expected improvement is largest."""

    space: Space
    seed: int

    def propose(self, number: int, tried: Sequence[Tried]) -> Values:
        """Return the values of try ``number``; see ``Search``."""
        placed = self._placed(tried)
        known = [(at, each) for at, each in placed if each.loss is not None]
        if not self.has_model(tried):
            values = self.space.values(_spread(self.space.width, number, self.seed))
            before = [each.values for each in tried]
            by_chance = ByChance(space=self.space, seed=self.seed)
            return values if values not in before else by_chance.propose(number, tried)
        return self._improving(number, tried, known, [at for at, each in placed if each.is_open])

    def has_model(self, tried: Sequence[Tried]) -> bool:
        """Say whether enough was tried for a model; before, tries are spread out."""
        placed = self._placed(tried)
        first = min(_FIRST + _FIRST_FOR_EACH * len(self.space.ranges), _MOST_FIRST)
        return len(placed) >= first and sum(each.loss is not None for _, each in placed) >= _LEAST

    def _placed(self, tried: Sequence[Tried]) -> list[tuple[tuple[float, ...], Tried]]:
        return [(at, each) for each in tried if (at := self.space.coordinates(each.values))]

    def _improving(
        self,
        number: int,
        tried: Sequence[Tried],
        known: Sequence[tuple[tuple[float, ...], Tried]],
        running: Sequence[tuple[float, ...]],
    ) -> Values:
        import numpy as np

        from sagedock.search.gaussian_process import GaussianProcess, fitted

        chance = np.random.default_rng([self.seed, number])
        points = np.array([at for at, _ in known])
        losses = _even([each for _, each in known])
        telling = _telling(losses, _FITTED)
        settings = fitted(points[telling], losses[telling])
        kept = _telling(losses, _KNOWN)
        points, losses = points[kept], losses[kept]
        process = GaussianProcess(points, losses, settings)
        if running:
            open_points = np.array(running)
            expected, _ = process.at(open_points)
            points, losses = np.vstack([points, open_points]), np.append(losses, expected)
            process = GaussianProcess(points, losses, settings)

        # Parents of a warm start may have been where this search may not go.
        reachable = np.all((points >= 0.0) & (points <= 1.0), axis=1)
        within = np.where(reachable, losses, np.inf)
        best = points[int(np.argmin(within if reachable.any() else losses))]
        candidates = self._candidates(np.clip(best, 0.0, 1.0), chance)
        goal = float(within.min() if reachable.any() else process.at(candidates)[0].min())

        def improvement(candidates: "Array") -> "Array":
            return _expected_improvement(*process.at(candidates), goal)

        scores = improvement(candidates)
        radius = _FIRST_RADIUS
        for _ in range(_ROUNDS):
            top = candidates[np.argsort(-scores, kind="stable")[:_KEPT]]
            around = np.repeat(top, _EACH, axis=0)
            around = snapped(self.space, around + chance.normal(0.0, radius, around.shape))
            candidates = np.vstack([top, around])
            scores = improvement(candidates)
            radius *= 0.5
        before = [each.values for each in tried]
        for index in np.argsort(-scores, kind="stable"):
            values = self.space.values(candidates[index])
            if values not in before:
                return values
        return ByChance(space=self.space, seed=self.seed).propose(number, tried)

    def _candidates(self, best: "Array", chance: "np.random.Generator") -> "Array":
        """Return points anywhere, and near the best one."""
        import numpy as np

        anywhere = chance.random((_ANYWHERE, len(best)))
        radius = 10.0 ** chance.uniform(-2.5, -0.5, (_NEAR, 1))
        near = best + chance.normal(0.0, 1.0, (_NEAR, len(best))) * radius
        # Most move in some coordinates only: that of many, few matter.
        stays = chance.random(near.shape) > chance.uniform(0.2, 1.0, (_NEAR, 1))
        return snapped(self.space, np.vstack([anywhere, np.where(stays, best, near)]))


def _spread(width: int, number: int, seed: int) -> list[float]:
    """Return point ``number`` of a sequence that fills the unit cube evenly, shifted by the seed.
    Source: Roberts, The unreasonable effectiveness of quasirandom sequences (2018).
    """
    import random

    root = 2.0
    for _ in range(_ITERATIONS):
        root = (1.0 + root) ** (1.0 / (width + 1))
    shift = random.Random(f"{seed}/shift")
    return [(shift.random() + number / root ** (each + 1)) % 1.0 for each in range(width)]


def _even(tried: Sequence[Tried]) -> "Array":
    """Return the losses with a mean of 0 and a deviation of 1 in each group. Those that are far off
    are brought nearer: one that exploded says no more than that it is bad.
    """
    import numpy as np

    losses = np.array([each.loss for each in tried], dtype=float)
    groups = np.array([each.group for each in tried])
    for group in set(groups.tolist()):
        mine = groups == group
        some = losses[mine]
        middle = float(np.median(some))
        some = np.minimum(some, middle + _FAR * (middle - some.min()))
        deviation = float(some.std())
        losses[mine] = (some - some.mean()) / (deviation if deviation > 0 else 1.0)
    return losses


def _telling(losses: "Array", most: int) -> "NDArray[np.intp]":
    """Return the places of at most so many: the best ones are half of them, the latest the rest."""
    import numpy as np

    if len(losses) <= most:
        return np.arange(len(losses), dtype=np.intp)
    best = set(np.argsort(losses, kind="stable")[: most // 2].tolist())
    latest = [each for each in range(len(losses) - 1, -1, -1) if each not in best]
    return np.array(sorted([*best, *latest[: most - len(best)]]), dtype=np.intp)


def _expected_improvement(mean: "Array", deviation: "Array", best: float) -> "Array":
    import numpy as np

    gain = (best - mean) / deviation
    below = 0.5 * (1.0 + np.vectorize(math.erf, otypes=[float])(gain / math.sqrt(2.0)))
    density = np.exp(-0.5 * gain**2) / math.sqrt(2.0 * math.pi)
    found: Array = deviation * (gain * below + density)
    return found
