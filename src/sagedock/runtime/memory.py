"""This container's memory: how much it may use, how often the kernel killed for want of it."""

import os
from pathlib import Path

__all__ = ["kernel_kills", "limit_bytes"]

#: cgroup v2, then v1; each has a line `oom_kill N`.
_COUNTERS = (
    Path("/sys/fs/cgroup/memory.events"),
    Path("/sys/fs/cgroup/memory/memory.oom_control"),
)
#: cgroup v2, which may say `max`, then v1, which says a number above any machine's.
_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def kernel_kills(counters: tuple[Path, ...] = _COUNTERS) -> int:
    """Return the number of kills so far; 0 where the kernel does not say."""
    for counter in counters:
        try:
            text = counter.read_text(encoding="ascii")
        except OSError:
            continue
        for line in text.splitlines():
            name, _, count = line.partition(" ")
            if name == "oom_kill":
                return int(count)
    return 0


def limit_bytes(limits: tuple[Path, ...] = _LIMITS) -> int:
    """Return how much memory this container may use: its limit, at most what the machine has."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in limits:
        try:
            return min(whole, int(limit.read_text(encoding="ascii")))
        except (OSError, ValueError):  # another cgroup version, or `max`
            continue
    return whole
