"""Early stopping: give up what is worse than the middle of what went before.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-early-stopping.html
"""

from collections.abc import Sequence
from statistics import fmean, median

__all__ = ["is_worse_than_median"]

#: From how many others on one is given up. The page does not say; a median of fewer is of no use.
_FEWEST = 3


def is_worse_than_median(losses: Sequence[float], others: Sequence[Sequence[float]]) -> bool:
    """Say whether the latest of ``losses``, one for each epoch, is worse than the median of the
    others' running averages up to the same epoch. ``others`` are those that ended before.
    """
    told = [each for each in others if each]
    if not losses or len(told) < _FEWEST:
        return False
    return losses[-1] > median(fmean(each[: len(losses)]) for each in told)
