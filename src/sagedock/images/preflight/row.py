"""What a preflight says: one row for each check."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Report", "Row", "Verdict"]


class Verdict(StrEnum):
    """What a check came to. ``CANNOT_SAY``: a page or a file that would tell is not there."""

    OK = "ok"
    WARNS = "warns"
    FAILS = "fails"
    CANNOT_SAY = "cannot say"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One check: what was found in the image, what is needed, and where that is written.

    ``remedy`` is what to do, empty where nothing is. ``instance_type`` is None for what is the
    same on all of them.
    """

    check: str
    verdict: Verdict
    found: str
    needed: str
    source: str
    remedy: str = ""
    instance_type: str | None = None


@dataclass(frozen=True, kw_only=True)
class Report:
    """All rows about one image. ``reading_s`` is how long its files took to read."""

    image: str
    id: str
    use: str
    data_of: str
    rows: Sequence[Row]
    reading_s: float

    @property
    def fails(self) -> bool:
        """Whether any check fails."""
        return any(row.verdict == Verdict.FAILS for row in self.rows)
