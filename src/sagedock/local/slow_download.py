"""Input data that arrives slowly, on request."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from sagedock.local.faults import Faults, SlowDownload

__all__ = ["slow_down"]

_PAUSE_S = 0.2


def slow_down(
    faults: Faults, job: str, staged: Iterable[Path], check_stop: Callable[[], None]
) -> None:
    """Wait as long as the data of ``job`` would take to arrive, where a fault says so.

    ``staged`` are folders that arrive at the same time; what ``check_stop`` raises ends the wait.
    """
    slow = faults.take(SlowDownload, job)
    if slow is None:
        return
    largest = max((_size(folder) for folder in staged), default=0)
    ends = time.monotonic() + largest / slow.bytes_per_s
    while (left_s := ends - time.monotonic()) > 0:
        check_stop()
        time.sleep(min(left_s, _PAUSE_S))


def _size(folder: Path) -> int:
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())
