"""The processing jobs that run now."""

import logging

from sagedock.errors import EngineError
from sagedock.local.platform import Platform
from sagedock.local.processing.containers import Cluster
from sagedock.local.processing.names import KIND, PROCESSING_LABEL, REGION_LABEL, TERMINAL
from sagedock.local.processing.run import Run
from sagedock.local.resources import Key, Resource
from sagedock.local.runs import Runs
from sagedock.local.training.slots import Slots

__all__ = ["ProcessingJobs"]

_log = logging.getLogger(__name__)


class ProcessingJobs(Runs[Run]):
    """Starts, stops and takes up processing jobs; every one of them in a thread of its own.

    ``slots`` is the queue of all jobs of this machine.
    """

    def __init__(self, platform: Platform, slots: Slots) -> None:
        super().__init__(
            platform.resources,
            KIND,
            TERMINAL,
            lambda job, ended: Run(platform, slots, job, ended),
            lambda run: run.ask_to_stop(platform.settings.stop_grace_s),
            self._remove_all_but,
        )
        self._platform = platform

    def _remove_all_but(self, alive: set[Key]) -> None:
        """Remove the containers, networks, volumes and folders of all other jobs."""
        platform, engine = self._platform, self._platform.engine
        labels = {**platform.labels, PROCESSING_LABEL: ""}
        labelled = [each.labels for each in engine.containers(labels)]
        labelled += engine.volumes(labels).values()
        left = {(each[REGION_LABEL], each[PROCESSING_LABEL]) for each in labelled}
        folders = platform.processing_folder.glob("*/*")
        left |= {(folder.parent.name, folder.name) for folder in folders}
        for region, name in left:
            key = Key(region=region, kind=KIND, name=name)
            if key not in alive:
                try:
                    Cluster(platform=platform, job=_only_named(key)).remove()
                except EngineError as error:
                    _log.warning("%s", error)


def _only_named(key: Key) -> Resource:
    """Return a job of which nothing but its name is known any more."""
    return Resource(key=key, created=0, modified=0, status="", document={}, request={})
