"""Bayesian search by Optuna: its tree-structured Parzen estimator is told what is known, and asked.

A study is made anew for each try: nothing is kept, so that a server which was killed goes on by
telling all of it again. Tries that run are told as such, so that those in parallel differ.
Source: https://optuna.readthedocs.io/en/stable/reference/samplers/generated/optuna.samplers.TPESampler.html
AWS says that its search treats tuning as a regression problem, not how:
https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-how-it-works.html
"""

import random
import statistics
import warnings
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sagedock.search.by_chance import ByChance
from sagedock.search.space import Category, Space
from sagedock.search.trials import Tried, Values

if TYPE_CHECKING:
    import optuna

__all__ = ["Bayesian"]

#: How many tries are spread out before a model has anything to say, and how many losses it needs.
_FIRST, _LEAST = 10, 2
#: The model is told so many tries at most, the latest: each costs time.
_TOLD = 200
#: The positive root of x^(d+1) = x + 1 spreads points of d coordinates evenly.
_ITERATIONS = 40
#: How often one that was tried before is asked for anew.
_ASKED = 5


@dataclass(frozen=True, kw_only=True)
class Bayesian:
    """Proposes what Optuna's sampler does, on the scales of the space."""

    space: Space
    seed: int

    def propose(self, number: int, tried: Sequence[Tried]) -> Values:
        """Return the values of try ``number``; see ``Search``."""
        before = [each.values for each in tried]
        by_chance = ByChance(space=self.space, seed=self.seed)
        if not self.has_model(tried):
            values = self.space.values(_spread(self.space.width, number, self.seed))
            return values if values not in before else by_chance.propose(number, tried)
        study = self._told(number, tried)
        for _ in range(_ASKED):
            values = self._asked(study)
            if values not in before:
                return values
        return by_chance.propose(number, tried)

    def has_model(self, tried: Sequence[Tried]) -> bool:
        """Say whether enough was tried for a model; before, tries are spread out."""
        placed = [each for each in tried if self.space.coordinates(each.values) is not None]
        return len(placed) >= _FIRST and sum(each.loss is not None for each in placed) >= _LEAST

    def _told(self, number: int, tried: Sequence[Tried]) -> "optuna.Study":
        """Return a study that knows what was tried."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of options that are experimental
            sampler = optuna.samplers.TPESampler(
                seed=random.Random(f"{self.seed}/{number}").randrange(2**31),
                n_startup_trials=0,
                multivariate=True,
                constant_liar=True,
            )
        study = optuna.create_study(sampler=sampler)
        distributions = self._distributions()
        for each, loss in _even(tried[-_TOLD:]):
            params = self._params(each.values)
            if params is None:
                continue
            state = optuna.trial.TrialState.FAIL
            if loss is not None:
                state = optuna.trial.TrialState.COMPLETE
            elif each.is_open:
                state = optuna.trial.TrialState.RUNNING
            study.add_trial(
                optuna.trial.create_trial(
                    params=params, distributions=distributions, value=loss, state=state
                )
            )
        return study

    def _asked(self, study: "optuna.Study") -> Values:
        params = study.ask(self._distributions()).params
        point: list[float] = []
        for each in self.space.ranges:
            if isinstance(each, Category):
                point += each.coordinates(params[each.name]) or ()
            else:
                point.append(params[each.name])
        return self.space.values(point)

    def _distributions(self) -> "dict[str, optuna.distributions.BaseDistribution]":
        """Return what Optuna searches: each number on its scale, from 0 to 1."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution

        return {
            each.name: CategoricalDistribution(tuple(each.choices))
            if isinstance(each, Category)
            else FloatDistribution(0.0, 1.0)
            for each in self.space.ranges
        }

    def _params(self, values: Values) -> dict[str, Any] | None:
        """Return a try as Optuna knows it: parents of a warm start may lie beyond the ends."""
        if self.space.coordinates(values) is None:
            return None
        found: dict[str, Any] = {}
        for each in self.space.ranges:
            if isinstance(each, Category):
                found[each.name] = values[each.name]
            else:
                (at,) = each.coordinates(values[each.name]) or (0.5,)
                found[each.name] = min(max(at, 0.0), 1.0)
        return found


def _spread(width: int, number: int, seed: int) -> list[float]:
    """Return point ``number`` of a sequence that fills the unit cube evenly, shifted by the seed.
    Source: Roberts, The unreasonable effectiveness of quasirandom sequences (2018).
    """
    root = 2.0
    for _ in range(_ITERATIONS):
        root = (1.0 + root) ** (1.0 / (width + 1))
    shift = random.Random(f"{seed}/shift")
    return [(shift.random() + number / root ** (each + 1)) % 1.0 for each in range(width)]


def _even(tried: Sequence[Tried]) -> list[tuple[Tried, float | None]]:
    """Return each try with its loss on a scale that all groups share: those of parents of a warm
    start were measured on other data.
    """
    losses: dict[int, list[float]] = defaultdict(list)
    for each in tried:
        if each.loss is not None:
            losses[each.group].append(each.loss)
    if len(losses) <= 1:
        return [(each, each.loss) for each in tried]
    middle = {group: statistics.mean(some) for group, some in losses.items()}
    width = {group: statistics.pstdev(some) or 1.0 for group, some in losses.items()}
    return [
        (
            each,
            None if each.loss is None else (each.loss - middle[each.group]) / width[each.group],
        )
        for each in tried
    ]
