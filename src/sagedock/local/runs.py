"""The jobs of one kind that run now, each in a thread of its own."""

import threading
from collections.abc import Callable, Iterable
from typing import Generic, Protocol, TypeVar

from sagedock.local.resources import Key, Resource, Resources

__all__ = ["Runs"]


class _Run(Protocol):
    """One job that is carried out."""

    def start(self) -> None:
        """Begin."""

    def shut_down(self, grace_s: float) -> None:
        """Stop because the server ends; returns at once."""

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait until nothing of it is left."""
        ...


R = TypeVar("R", bound=_Run)


class Runs(Generic[R]):
    """Starts, stops and takes up the jobs of one kind. ``make`` returns the run of a job, and is
    given what to call when nothing of it is left; ``stop`` asks one to stop; ``clean`` removes what
    is left of all jobs but those that it is given.
    """

    def __init__(
        self,
        resources: Resources,
        kind: str,
        terminal: Iterable[str],
        make: Callable[[Resource, Callable[[], None]], R],
        stop: Callable[[R], None],
        clean: Callable[[set[Key]], None] | None = None,
    ) -> None:
        self._resources = resources
        self._kind, self._terminal = kind, tuple(terminal)
        self._make = make
        self._ask_to_stop = stop
        self._clean = clean
        self._runs: dict[Key, R] = {}
        self._lock = threading.Lock()
        self._ending = False

    def start(self, job: Resource) -> bool:
        """Carry ``job`` out, and return True; False, with nothing done, if the server is ending."""
        with self._lock:
            if self._ending:
                return False
            run = self._make(job, lambda: self._forget(run))
            self._runs[job.key] = run
            if self._is_stopping(job.key):
                self._ask_to_stop(run)
            run.start()
        return True

    def get(self, key: Key) -> R | None:
        """Return the run of a job, or None where nothing of it is left."""
        with self._lock:
            return self._runs.get(key)

    def stop(self, key: Key) -> None:
        """Ask a job to stop; returns at once."""
        if (run := self.get(key)) is not None:
            self._ask_to_stop(run)

    def wait_until_gone(self, key: Key) -> None:
        """Return once nothing is left of a job that has ended, in the engine or on disk."""
        if (run := self.get(key)) is not None:
            run.join()

    def resume(self) -> None:
        """Take up the jobs that a killed server left, and remove what it left of ended ones."""
        unfinished = self._resources.unfinished(self._kind, self._terminal)
        if self._clean:
            self._clean({job.key for job in unfinished})
        for job in sorted(unfinished, key=lambda job: job.created):
            self.start(job)

    def shut_down(self, grace_s: float) -> None:
        """Stop every job, and return when none is left. Containers get ``grace_s`` after SIGTERM.

        No job starts any more.
        """
        with self._lock:
            self._ending = True
            runs = list(self._runs.values())
        for run in runs:
            run.shut_down(grace_s)
        for run in runs:
            run.join()

    def _forget(self, run: R) -> None:
        with self._lock:
            self._runs = {key: each for key, each in self._runs.items() if each is not run}

    def _is_stopping(self, key: Key) -> bool:
        """Say whether a stop came before there was a run that could be told of it."""
        job = self._resources.get(key)
        return job is not None and job.status == "Stopping"
