"""The training jobs that run now."""

import threading

from sagedock.local.platform import JOB_LABEL, Platform
from sagedock.local.resources import Key, Resource
from sagedock.local.training.containers import REGION_LABEL
from sagedock.local.training.run import Run
from sagedock.local.training.steps import KIND, TERMINAL
from sagedock.local.training.watch import StopAsked

__all__ = ["TrainingJobs"]


class TrainingJobs:
    """Starts, stops and takes up training jobs; every one of them in a thread of its own."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._runs: dict[Key, Run] = {}
        self._lock = threading.Lock()
        self._ending = False

    def start(self, job: Resource) -> bool:
        """Carry ``job`` out, and return True; False, with nothing done, if the server is ending."""
        run = Run(self._platform, job)
        with self._lock:
            if self._ending:
                return False
            self._runs = {key: each for key, each in self._runs.items() if not each.join(0)}
            self._runs[job.key] = run
            if self._is_stopping(job.key):
                run.ask_to_stop(StopAsked())
            run.start()
        return True

    def stop(self, key: Key) -> None:
        """Stop a job as StopTrainingJob does: SIGTERM, 120 seconds, SIGKILL."""
        with self._lock:
            run = self._runs.get(key)
        if run is not None:
            run.ask_to_stop(StopAsked())

    def wait_until_gone(self, key: Key) -> None:
        """Return once nothing is left of a job that has ended, in the engine or on disk."""
        with self._lock:
            run = self._runs.get(key)
        if run is not None:
            run.join()

    def resume(self) -> None:
        """Take up the jobs that a killed server left, and remove what it left of ended ones."""
        unfinished = self._platform.resources.unfinished(KIND, TERMINAL)
        alive = {(job.key.region, job.key.name) for job in unfinished}
        for each in self._platform.engine.containers(self._platform.labels):
            if (each.labels.get(REGION_LABEL), each.labels.get(JOB_LABEL)) not in alive:
                self._platform.engine.remove(each.id)
        for job in unfinished:
            self.start(job)

    def shut_down(self, grace_s: float) -> None:
        """Stop every job, and return when none is left. Jobs get ``grace_s`` after SIGTERM.

        No job starts any more.
        """
        with self._lock:
            self._ending = True
            runs = list(self._runs.values())
        for run in runs:
            run.shut_down(grace_s)
        for run in runs:
            run.join()

    def _is_stopping(self, key: Key) -> bool:
        """Say whether a stop came before there was a run that could be told of it."""
        job = self._platform.resources.get(key)
        return job is not None and job.status == "Stopping"
