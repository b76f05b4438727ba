"""Hyperband, asynchronous: of those that reach a rung, the best third goes on.

A rung is a number of epochs. Brackets differ in their first rung: some give up early, some late.
Sources: Li and others, Hyperband (2018); Li and others, A System for Massively Parallel
Hyperparameter Tuning (2020), in its form that stops and does not pause; for MinResource and
MaxResource: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_HyperbandStrategyConfig.html.
How AWS chooses rungs and brackets is not documented.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Hyperband"]

#: One of so many goes on.
_ETA = 3


@dataclass(frozen=True, kw_only=True)
class Hyperband:
    """``least`` and ``most`` are MinResource and MaxResource, in values of the objective."""

    least: int
    most: int
    seed: int

    def bracket(self, number: int) -> int:
        """Return the bracket of try ``number``: how many rungs it has below ``most``."""
        deepest = int(math.log(self.most / self.least, _ETA) + 1e-9)
        depths = range(deepest + 1)
        shares = [math.ceil((deepest + 1) / (depth + 1) * _ETA**depth) for depth in depths]
        return random.Random(f"{self.seed}/bracket/{number}").choices(depths, shares)[0]

    def is_over(self, number: int, losses: Sequence[float], others: Sequence["Course"]) -> bool:
        """Say whether try ``number``, which had ``losses`` so far, one for each epoch, ends now.

        ``others`` are all the other tries' numbers and losses.
        """
        if len(losses) >= self.most:
            return True
        bracket = self.bracket(number)
        rung = max((each for each in self._rungs(bracket) if each <= len(losses)), default=None)
        if rung is None:
            return False
        mine = losses[rung - 1]
        there = [
            each[rung - 1]
            for other, each in others
            if len(each) >= rung and self.bracket(other) == bracket
        ]
        if len(there) + 1 < _ETA:
            return False
        return sum(each < mine for each in there) >= math.ceil((len(there) + 1) / _ETA)

    def _rungs(self, bracket: int) -> list[int]:
        """Return the rungs below ``most``, none below ``least``."""
        rungs = [round(self.most / _ETA ** (bracket - step)) for step in range(bracket)]
        return [max(each, self.least) for each in rungs]


#: The number of a try, and its losses.
Course = tuple[int, Sequence[float]]
