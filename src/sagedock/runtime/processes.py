"""Which processes belong to the job, and which of them a stop signal is for."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Process", "audience", "members", "process_table", "programs"]

#: How far into a command line the name of a launcher is looked for: `python -m NAME`.
_NAME_WITHIN = 3


@dataclass(frozen=True, kw_only=True)
class Process:
    """One running process: its parent, its session, and its command line as the kernel keeps it."""

    parent: int
    session: int
    command: bytes


def process_table(root: Path = Path("/proc")) -> dict[int, Process]:
    """Return the running processes by pid; those already dead are left out."""
    return dict(_read_all(root))


def _read_all(root: Path) -> Iterator[tuple[int, Process]]:
    for folder in root.glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_bytes()
            command = (folder / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):  # it ended while we looked
            continue
        # `pid (name) state ppid pgrp session`: the name may hold spaces and brackets
        state, parent, _, session, *_ = stat.rpartition(b")")[2].split()
        if state not in (b"Z", b"X"):
            process = Process(parent=int(parent), session=int(session), command=command)
            yield int(folder.name), process


def members(table: Mapping[int, Process], script: int, launcher: int) -> set[int]:
    """Return the pids of the job: the script, what it started, and orphans of those.

    ``script`` leads a session of its own. Orphans come to the launcher where that is PID 1; the
    launcher's own forked helpers (the same command line) are no part of the job.
    """
    found = {pid for pid, process in table.items() if script in (pid, process.session)}
    if launcher == 1:
        found |= {
            pid
            for pid, process in table.items()
            if process.parent == launcher and process.command != table[launcher].command
        }
    return _with_descendants(table, found)


def _with_descendants(table: Mapping[int, Process], found: set[int]) -> set[int]:
    while more := {pid for pid, p in table.items() if p.parent in found} - found:
        found = found | more
    return found


def audience(table: Mapping[int, Process], job: set[int], launchers: Container[str]) -> set[int]:
    """Return the pids among ``job`` that a stop concerns: what its launchers have started.

    A launcher (torchrun, mpirun) that got the signal would end its workers within seconds, before
    they have saved their state; it ends when they have. Where none runs, that is all of the job.
    """
    leaders = {pid for pid in job & set(table) if _runs(table[pid], launchers)}
    workers = _with_descendants(table, leaders) - leaders
    return workers & job or job


def _runs(process: Process, launchers: Container[str]) -> bool:
    words = process.command.split(b"\0")[:_NAME_WITHIN]
    return any(word.rpartition(b"/")[2].decode("utf-8", "replace") in launchers for word in words)


def programs(table: Mapping[int, Process], job: set[int], script: int) -> set[int]:
    """Return the pids among ``job`` that a stop signal is for at once.

    A multiprocessing worker (a DataLoader's, a pool's) belongs to its program. If it died of the
    signal first, a script that is saving its state would fail with `DataLoader worker is killed
    by signal`; so it is left to the script.
    """
    return {pid for pid in job & set(table) if pid == script or not _is_worker(table, pid)}


def _is_worker(table: Mapping[int, Process], pid: int) -> bool:
    command = table[pid].command
    parent = table.get(table[pid].parent)
    forked = parent is not None and parent.command == command
    return forked or b"from multiprocessing." in command  # started by fork; by spawn, forkserver
