"""The transform jobs that run now."""

import shutil

from sagedock.local.platform import Platform
from sagedock.local.resources import Key, Resource
from sagedock.local.runs import Runs
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
        self._serving = serving
        self._runs = Runs(
            platform.resources,
            lambda job, ended: Run(platform, slots, serving, job, ended),
            lambda run: run.ask_to_stop(),
        )

    def start(self, job: Resource) -> bool:
        """Carry ``job`` out, and return True; False, with nothing done, if the server is ending."""
        return self._runs.start(job)

    def stop(self, key: Key) -> None:
        """Stop a job; returns at once."""
        self._runs.stop(key)

    def wait_until_gone(self, key: Key) -> None:
        """Return once nothing is left of a job that has ended, in the engine or on disk."""
        self._runs.wait_until_gone(key)

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
        self._runs.shut_down(grace_s)

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
