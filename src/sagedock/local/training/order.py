"""In which order the items of a channel come."""

import random
from array import array

__all__ = ["positions"]


def positions(count: int, seed: int | None, *, epoch: int) -> "array[int]":
    """Return the numbers 0 to ``count`` - 1 in their order, or shuffled: each epoch otherwise.

    The same seed gives the same orders, on every host. Eight bytes a number. Source:
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ShuffleConfig.html
    """
    numbers = array("Q", range(count))
    if seed is not None:
        random.Random(f"{seed}/{epoch}").shuffle(numbers)
    return numbers
