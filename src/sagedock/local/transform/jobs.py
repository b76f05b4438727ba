"""The transform jobs that run now."""

import shutil
import threading

from sagedock.local.platform import Platform
from sagedock.local.resources import Key, Resource
from sagedock.local.training.slots import Slots
from sagedock.local.transform.names import (
    KIND,
    REGION_LABEL,
    TERMINAL,
    TRANSFORM_LABEL,
    job_folder,
)
from sagedock.local.transform.run import Run
from sagedock.local.transform.serving import ServingContainers

__all__ = ["TransformJobs"]


class TransformJobs:
    """Starts, stops and takes up transform jobs; every one of them in a thread of its own.

    ``slots`` is the queue of all jobs of this machine.
    """

    def __init__(self, platform: Platform, slots: Slots, serving: ServingContainers) -> None:
        self._platform = platform
        self._slots = slots
        self._serving = serving
        self._runs: dict[Key, Run] = {}
        self._lock = threading.Lock()
        self._ending = False

    def start(self, job: Resource) -> bool:
        """Carry ``job`` out, and return True; False, with nothing done, if the server is ending."""
        with self._lock:
            if self._ending:
                return False
            run = Run(
                self._platform, self._slots, self._serving, job, lambda: self._forget(job.key)
            )
            self._runs[job.key] = run
            if self._is_stopping(job.key):
                run.ask_to_stop()
            run.start()
        return True

    def stop(self, key: Key) -> None:
        """Stop a job; returns at once."""
        with self._lock:
            run = self._runs.get(key)
        if run is not None:
            run.ask_to_stop()

    def wait_until_gone(self, key: Key) -> None:
        """Return once nothing is left of a job that has ended, in the engine or on disk."""
        with self._lock:
            run = self._runs.get(key)
        if run is not None:
            run.join()

    def resume(self) -> None:
        """Take up the jobs that a killed server left, and remove what it left of ended ones."""
        unfinished = self._platform.resources.unfinished(KIND, TERMINAL)
        self._remove_all_but({job.key for job in unfinished})
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

    def _forget(self, key: Key) -> None:
        with self._lock:
            self._runs.pop(key, None)

    def _is_stopping(self, key: Key) -> bool:
        """Say whether a stop came before there was a run that could be told of it."""
        job = self._platform.resources.get(key)
        return job is not None and job.status == "Stopping"

    def _remove_all_but(self, alive: set[Key]) -> None:
        """Remove the containers and the folders of all other jobs."""
        platform = self._platform
        found = platform.engine.containers({**platform.labels, TRANSFORM_LABEL: ""})
        labelled = {(each.labels[REGION_LABEL], each.labels[TRANSFORM_LABEL]) for each in found}
        folders = platform.transforms_folder.glob("*/*")
        left = labelled | {(folder.parent.name, folder.name) for folder in folders}
        for region, name in left:
            key = Key(region=region, kind=KIND, name=name)
            if key not in alive:
                labels = {**platform.labels, TRANSFORM_LABEL: name, REGION_LABEL: region}
                self._serving.remove(key, labels)
                shutil.rmtree(job_folder(platform, key), ignore_errors=True)
