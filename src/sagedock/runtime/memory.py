"""How often the kernel has killed a process of this container for want of memory."""

from pathlib import Path

__all__ = ["kernel_kills"]

#: cgroup v2, then v1; each has a line `oom_kill N`.
_COUNTERS = (
    Path("/sys/fs/cgroup/memory.events"),
    Path("/sys/fs/cgroup/memory/memory.oom_control"),
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
