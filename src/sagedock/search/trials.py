"""What is known of the tries so far."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["Tried", "Values"]

#: Hyperparameters by name, as the strings that a training job is sent.
Values: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Tried:
    """One try. ``loss`` is what is to become small; None while it is not known, or never will be,
    in which case ``is_open`` is false. Those of one ``group`` were measured on the same data.
    """

    values: Values
    loss: float | None = None
    is_open: bool = False
    group: int = 0
