"""When a tuning job is over, and how: a pure function of its trials and the time.

Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-progress.html,
API_TuningJobCompletionCriteria, API_ResourceLimits, and rows 100 and 102 of the fidelity corpus.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sagedock.local.tuning import reasons
from sagedock.local.tuning.definitions import Definition
from sagedock.local.tuning.trial import Trial, loss_of

__all__ = ["Limits", "Outcome", "has_converged", "not_improving", "verdict"]

Request = Mapping[str, Any]

#: What an objective must gain to count as improved.
_GAIN = 0.01
#: After so many training jobs without a success a tuning job fails. Source:
#: aws/amazon-sagemaker-examples#2436 ("No training job succeeded after 5 attempts").
_ATTEMPTS = 5
#: How many training jobs a job launches at most that sets itself no number. Source: the guide's
#: "Resource limits" of automatic model tuning.
_MOST_JOBS = 750
#: Converged: after so many objectives, none of the last half of them, and of as many at least,
#: improved. AWS's criterion is not documented.
_FEWEST_CONVERGED = 10


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a tuning job ends; ``reason`` is FailureReason."""

    status: str
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a tuning job may use, and what is enough for it."""

    jobs: int
    parallel: int
    runtime_s: float
    target: float | None
    not_improving: int | None
    until_converged: bool

    @classmethod
    def of(cls, request: Request) -> "Limits":
        """Return the limits that a request sets."""
        config = request["HyperParameterTuningJobConfig"]
        limits = config["ResourceLimits"]
        criteria = config.get("TuningJobCompletionCriteria", {})
        converged = criteria.get("ConvergenceDetected", {}).get("CompleteOnConvergence")
        automatic = "Autotune" in request and converged is None
        return cls(
            jobs=limits.get("MaxNumberOfTrainingJobs", _MOST_JOBS),
            parallel=limits["MaxParallelTrainingJobs"],
            runtime_s=limits.get("MaxRuntimeInSeconds", math.inf),
            target=criteria.get("TargetObjectiveMetricValue"),
            not_improving=criteria.get("BestObjectiveNotImproving", {}).get(
                "MaxNumberOfTrainingJobsNotImproving"
            ),
            until_converged=automatic or converged == "Enabled",
        )


def verdict(
    limits: Limits,
    trials: Sequence[Trial],
    definitions: Sequence[Definition],
    *,
    runs_s: float,
    is_exhausted: bool = False,
) -> Outcome | None:
    """Return how the tuning job is to end, or None while it goes on. Training jobs that still run
    are to be stopped then. ``is_exhausted`` says that there is nothing left to try.
    """
    if runs_s >= limits.runtime_s:
        return Outcome(status="Stopped")
    ended = [each for each in trials if each.has_ended]
    succeeded = any(each.status in ("Completed", "Stopped") for each in ended)
    over = (is_exhausted or len(trials) >= limits.jobs) and len(ended) == len(trials)
    if ended and not succeeded and over:
        return Outcome(status="Failed", reason=_nothing_succeeded(len(ended)))
    if not succeeded and len(ended) >= _ATTEMPTS:
        return Outcome(status="Failed", reason=_nothing_succeeded(len(ended)))
    if over or _is_enough(limits, trials, definitions):
        return Outcome(status="Completed")
    return None


def _nothing_succeeded(count: int) -> str:
    return reasons.none_succeeded(_ATTEMPTS) if count >= _ATTEMPTS else reasons.ALL_FAILED


def _is_enough(limits: Limits, trials: Sequence[Trial], definitions: Sequence[Definition]) -> bool:
    losses = _losses(trials, definitions)
    if limits.target is not None and losses:
        wanted = definitions[0].loss(limits.target)
        if min(losses) <= wanted:
            return True
    stale = not_improving(trials, definitions)
    if limits.not_improving is not None and stale >= limits.not_improving:
        return True
    return limits.until_converged and has_converged(trials, definitions)


def has_converged(trials: Sequence[Trial], definitions: Sequence[Definition]) -> bool:
    """Say whether the objective does not improve any more."""
    count = len(_losses(trials, definitions))
    return not_improving(trials, definitions) >= max(_FEWEST_CONVERGED, math.ceil(count / 2))


def not_improving(trials: Sequence[Trial], definitions: Sequence[Definition]) -> int:
    """Return after how many objectives the best one last improved by 1 percent, in order of their
    ends. Source: API_BestObjectiveNotImproving.
    """
    stale, best = 0, math.inf
    for loss in _losses(trials, definitions):
        if loss < best - _GAIN * abs(best) if math.isfinite(best) else True:
            stale, best = 0, loss
        else:
            stale += 1
    return stale


def _losses(trials: Sequence[Trial], definitions: Sequence[Definition]) -> list[float]:
    """Return what is known, in the order of the ends."""
    known = [
        (each.ended or each.created, loss)
        for each in trials
        if (loss := loss_of(each, definitions)) is not None
    ]
    return [loss for _, loss in sorted(known, key=lambda one: one[0])]
