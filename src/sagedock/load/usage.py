"""The CPU time of a process and of all that it started, as Linux counts it."""

import os
from pathlib import Path

from sagedock.errors import InvalidRequest

__all__ = ["cpu_seconds"]

_PROC = Path("/proc")


def cpu_seconds(pid: int) -> float:
    """Return the seconds of CPU that process ``pid`` and its living descendants have used.

    Children that ended count with their parents. Raises InvalidRequest where it does not run.
    """
    parents = {each: stat for each in _processes() if (stat := _stat(each)) is not None}
    if pid not in parents:
        raise InvalidRequest([f"pid: no process {pid} runs, or this system has no /proc"])
    family, added = {pid}, True
    while added:
        more = {each for each, (parent, _) in parents.items() if parent in family} - family
        family, added = family | more, bool(more)
    return sum(parents[each][1] for each in family)


def _processes() -> list[int]:
    if not _PROC.is_dir():
        return []
    return [int(each.name) for each in _PROC.iterdir() if each.name.isdigit()]


def _stat(pid: int) -> tuple[int, float] | None:
    """Return a process's parent and seconds of CPU; None where it has ended.

    Source: proc(5), /proc/PID/stat: ppid is field 4, utime, stime, cutime and cstime 14 to 17.
    """
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()
    ticks = sum(int(each) for each in fields[11:15])
    return int(fields[1]), ticks / os.sysconf("SC_CLK_TCK")
