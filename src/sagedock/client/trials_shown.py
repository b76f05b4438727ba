"""A tuning job's training jobs as people see them while it runs: lines, or a table drawn anew."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from sagedock.client.analytics import TrialRow, TuningAnalytics, aligned, short
from sagedock.client.show import Draw, Show

__all__ = ["TrialsShown", "trials_table"]

#: What is there beside the rows: what the tuning job is doing, and the columns' titles.
_HEAD_LINES = 2


class TrialsShown:
    """Shows a line when a training job begins and one when it ends; with ``draw`` a table of all
    in its place.
    """

    def __init__(self, show: Show, draw: Draw | None) -> None:
        self._show = show
        self._draw = draw
        self._told: dict[str, str] = {}

    def update(self, found: TuningAnalytics) -> int:
        """Show what changed; return how many lines that took."""
        if self._draw is not None:
            now = datetime.now(UTC)
            self._draw(lambda rows: trials_table(found, rows, now))
            return 0
        news = [each for each in found.trials if self._told.get(each.name) != each.status]
        for each in news:
            self._told[each.name] = each.status
            self._show(each.line)
        return len(news)


def trials_table(found: TuningAnalytics, rows: int | None, now: datetime) -> list[str]:
    """Return a table of ``rows`` lines at most, the best training job marked.

    Where there is no room for all, the best one and those that run are kept, then the newest.
    """
    shown = _chosen(found, rows)
    names = list(dict.fromkeys(name for each in found.trials for name in each.values))
    best = found.best
    cells = [["", "#", "status", found.metric, *names, "seconds"]]
    for each in shown:
        lasted = each.lasted_s(now)
        cells.append(
            [
                "*" if best is not None and each.name == best.name else "",
                str(each.number),
                each.status,
                "" if each.objective is None else f"{each.objective:.6g}",
                *(short(each.values.get(name, "")) for name in names),
                "" if lasted is None else f"{lasted:.0f}",
            ]
        )
    lines = [f"{found.name}: {found.status}, {_counted(found.trials)}", *aligned(cells)]
    hidden = [each for each in found.trials if each not in shown]
    if hidden:
        lines.append(f"... and {_counted(hidden)}")
    return lines if rows is None else lines[:rows]


def _chosen(found: TuningAnalytics, rows: int | None) -> list[TrialRow]:
    """Return the training jobs that there is room for, by their numbers."""
    if rows is None or len(found.trials) + _HEAD_LINES <= rows:
        return list(found.trials)
    best = found.best
    by_weight = sorted(
        found.trials,
        key=lambda each: (each != best, each.status != "InProgress", -each.number),
    )
    room = max(0, rows - _HEAD_LINES - 1)
    return sorted(by_weight[:room], key=lambda each: each.number)


def _counted(trials: Sequence[TrialRow]) -> str:
    if not trials:
        return "no training job yet"
    counts = Counter(each.status for each in trials)
    each = ", ".join(f"{number} {status}" for status, number in counts.items())
    return f"{len(trials)} training job{'s' if len(trials) > 1 else ''} ({each})"
