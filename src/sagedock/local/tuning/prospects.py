"""Which of the training jobs that run have no prospects, by what they and the others reached."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sagedock.local.tuning.definitions import Definition
from sagedock.local.tuning.trial import Trial
from sagedock.search import is_worse_than_median

__all__ = ["Prospects", "stops_early"]


def stops_early(request: Mapping[str, Any]) -> bool:
    """Say whether a request's TrainingJobEarlyStoppingType is Auto: with Autotune, unless it says
    otherwise (unverified).
    """
    config = request["HyperParameterTuningJobConfig"]
    automatic = "Autotune" in request and config["Strategy"] != "Hyperband"
    default = "Auto" if automatic else "Off"
    return bool(config.get("TrainingJobEarlyStoppingType", default) == "Auto")


@dataclass(frozen=True, kw_only=True)
class Prospects:
    """Looks at the objective over time. ``objectives`` returns a metric's values of a training job.

    With Hyperband all are compared, otherwise those that run with those that have ended.
    """

    request: Mapping[str, Any]
    definitions: Sequence[Definition]
    objectives: Callable[[str, str], list[float]]
    #: The losses of those that have ended, which change no more.
    _ended: dict[str, list[float]] = field(default_factory=dict)

    @property
    def are_watched(self) -> bool:
        """Whether any may be stopped early."""
        return stops_early(self.request) or any(each.hyperband for each in self.definitions)

    def without(self, trials: Sequence[Trial]) -> list[Trial]:
        """Return the trials that are to be stopped."""
        if not self.are_watched:
            return []
        losses = {each.number: self._losses(each) for each in trials if each.is_created}
        return [
            each
            for each in trials
            if each.is_created and not each.has_ended and self._is_over(each, trials, losses)
        ]

    def _is_over(
        self, trial: Trial, trials: Sequence[Trial], losses: Mapping[int, list[float]]
    ) -> bool:
        others = [
            each
            for each in trials
            if each.number in losses
            and each.definition == trial.definition
            and each.number != trial.number
        ]
        mine, hyperband = losses[trial.number], self.definitions[trial.definition].hyperband
        if hyperband is not None:
            courses = [(each.number, losses[each.number]) for each in others]
            return hyperband.is_over(trial.number, mine, courses)
        return is_worse_than_median(
            mine, [losses[each.number] for each in others if each.objective_status == "Succeeded"]
        )

    def _losses(self, trial: Trial) -> list[float]:
        if trial.name in self._ended:
            return self._ended[trial.name]
        definition = self.definitions[trial.definition]
        found = [definition.loss(each) for each in self.objectives(trial.name, definition.metric)]
        if trial.has_ended:
            self._ended[trial.name] = found
        return found
