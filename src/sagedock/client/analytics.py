"""What a tuning job tried and reached: as rows, as a table of text, as a picture."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

__all__ = ["TrialRow", "TuningAnalytics", "aligned", "short"]

_GAP = "  "


@dataclass(frozen=True, kw_only=True)
class TrialRow:
    """One training job of a tuning job. ``number`` is by its creation, from 1."""

    number: int
    name: str
    status: str
    objective: float | None
    values: Mapping[str, str]
    created: datetime
    began: datetime | None
    seconds: float | None
    failure_reason: str | None

    @classmethod
    def of(cls, number: int, summary: Mapping[str, Any]) -> "TrialRow":
        """Return the row of a summary that ListTrainingJobsForHyperParameterTuningJob answers."""
        metric = summary.get("FinalHyperParameterTuningJobObjectiveMetric", {})
        began, ended = summary.get("TrainingStartTime"), summary.get("TrainingEndTime")
        return cls(
            number=number,
            name=summary["TrainingJobName"],
            status=summary["TrainingJobStatus"],
            objective=metric.get("Value"),
            values=summary["TunedHyperParameters"],
            created=summary["CreationTime"],
            began=began,
            seconds=(ended - began).total_seconds() if began and ended else None,
            failure_reason=summary.get("FailureReason"),
        )

    def lasted_s(self, now: datetime) -> float | None:
        """Return how long it has trained, or had when it ended; None before it began."""
        if self.seconds is not None or self.began is None:
            return self.seconds
        return max(0.0, (now - self.began).total_seconds())

    @property
    def line(self) -> str:
        """The row as a line: what was tried, and what came of it."""
        values = " ".join(f"{name}={short(value)}" for name, value in self.values.items())
        reached = "" if self.objective is None else f"{_GAP}{self.objective:.6g}"
        why = f"{_GAP}{self.failure_reason}" if self.failure_reason else ""
        return f"{self.number:>4} {self.status:<10} {values}{reached}{why}"


@dataclass(frozen=True, kw_only=True)
class TuningAnalytics:
    """A tuning job and its training jobs, as they were when it was asked for."""

    name: str
    status: str
    metric: str
    objective_type: Literal["Maximize", "Minimize"]
    trials: Sequence[TrialRow]

    @property
    def best(self) -> TrialRow | None:
        """The best training job so far, None while none has an objective."""
        known = [each for each in self.trials if each.objective is not None]
        return min(known, key=self._loss) if known else None

    def rows(self) -> list[dict[str, Any]]:
        """Return a map for each training job, in order of creation: what ``pandas.DataFrame``
        takes. Numbers among the hyperparameters are numbers.
        """
        return [
            {
                **{name: _number(value) for name, value in each.values.items()},
                "TrainingJobName": each.name,
                "TrainingJobStatus": each.status,
                "FinalObjectiveValue": each.objective,
                "TrainingElapsedTimeSeconds": each.seconds,
            }
            for each in self.trials
        ]

    def text(self) -> str:
        """Return a table, the best training job marked."""
        return "\n".join(self._lines())

    def save(self, path: str | Path) -> None:
        """Draw what was reached into ``path``, a .png or .svg; see ``tuning_picture``."""
        from sagedock.client.tuning_picture import save_tuning

        save_tuning(self, Path(path))

    def best_so_far(self) -> list[tuple[int, float]]:
        """Return (number, objective) of each training job that was the best one until then."""
        found: list[tuple[int, float]] = []
        for each in self.trials:
            if each.objective is not None and (
                not found or self._sign * each.objective < self._sign * found[-1][1]
            ):
                found.append((each.number, each.objective))
        return found

    @property
    def _sign(self) -> int:
        return -1 if self.objective_type == "Maximize" else 1

    def _loss(self, row: TrialRow) -> float:
        return self._sign * (row.objective or 0.0)

    def _lines(self) -> Iterator[str]:
        names = list(dict.fromkeys(name for each in self.trials for name in each.values))
        best = self.best
        table = [["", "#", "status", *names, self.metric]]
        for each in self.trials:
            reached = "" if each.objective is None else f"{each.objective:.6g}"
            values = [short(each.values.get(name, "")) for name in names]
            mark = "*" if best is not None and each.name == best.name else ""
            table.append([mark, str(each.number), each.status, *values, reached])
        yield from aligned(table)


def aligned(table: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a line for each row, its cells below those of the row before."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        yield _GAP.join(cells).rstrip()


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text.strip('"')


def short(text: str) -> str:
    """Return a value in few digits; what is no number stays."""
    number = _number(text)
    if isinstance(number, str):
        return number
    return text if text.lstrip("-").isdecimal() else f"{number:.4g}"
