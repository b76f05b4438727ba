"""The tuning jobs that run now."""

from sagedock.local.calls import Calls
from sagedock.local.platform import Platform
from sagedock.local.resources import Key, Resource
from sagedock.local.runs import Runs
from sagedock.local.tuning.names import KIND, TERMINAL
from sagedock.local.tuning.run import Run

__all__ = ["TuningJobs"]


class TuningJobs:
    """Starts, stops and takes up tuning jobs; every one of them in a thread of its own."""

    def __init__(self, platform: Platform, calls: Calls) -> None:
        self._platform = platform
        self._runs = Runs(
            platform.resources,
            lambda job, ended: Run(platform, calls, job, ended),
            lambda run: run.ask_to_stop(),
        )

    def start(self, job: Resource) -> bool:
        """Carry ``job`` out, and return True; False, with nothing done, if the server is ending."""
        return self._runs.start(job)

    def stop(self, key: Key) -> None:
        """Stop a job and its training jobs; returns at once."""
        self._runs.stop(key)

    def wait_until_gone(self, key: Key) -> None:
        """Return once nothing runs of a job that has ended."""
        self._runs.wait_until_gone(key)

    def resume(self) -> None:
        """Take up the jobs that a killed server left."""
        unfinished = self._platform.resources.unfinished(KIND, TERMINAL)
        for job in sorted(unfinished, key=lambda job: job.created):
            self.start(job)

    def shut_down(self, grace_s: float) -> None:
        """Stop every job, and return when none goes on. Their training jobs are not waited for.

        No job starts any more.
        """
        self._runs.shut_down(grace_s)
