"""The transform jobs that run now."""

import shutil

from sagedock.local.platform import Platform
from sagedock.local.resources import Key
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


class TransformJobs(Runs[Run]):
    """Starts, stops and takes up transform jobs; every one of them in a thread of its own.

    ``slots`` is the queue of all jobs of this machine.
    """

    def __init__(self, platform: Platform, slots: Slots, serving: ServingContainers) -> None:
        super().__init__(
            platform.resources,
            KIND,
            TERMINAL,
            lambda job, ended: Run(platform, slots, serving, job, ended),
            lambda run: run.ask_to_stop(),
            self._remove_all_but,
        )
        self._platform = platform
        self._serving = serving

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
