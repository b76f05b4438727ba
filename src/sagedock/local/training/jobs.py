"""The training jobs that run now."""

import logging
import shutil
import threading
from collections.abc import Mapping

from sagedock.errors import EngineError
from sagedock.local.platform import JOB_LABEL, Platform
from sagedock.local.resources import Key, Resource
from sagedock.local.training.containers import REGION_LABEL, job_folder, network_name
from sagedock.local.training.run import Run
from sagedock.local.training.steps import KIND, TERMINAL
from sagedock.local.training.watch import StopAsked

__all__ = ["TrainingJobs"]

_log = logging.getLogger(__name__)


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
        self._remove_all_but({job.key for job in unfinished})
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

    def _remove_all_but(self, alive: set[Key]) -> None:
        """Remove the containers, networks, volumes and folders of all other jobs."""
        platform, engine = self._platform, self._platform.engine
        for each in engine.containers(platform.labels):
            if _job_of(each.labels) not in alive:
                engine.remove(each.id)
        networks = set(engine.networks({**platform.labels, JOB_LABEL: ""}))
        for network in networks - {network_name(platform, key) for key in alive}:
            try:
                engine.remove_network(network)
            except EngineError as error:  # somebody's own container is on it
                _log.warning("%s", error)
        for volume, labels in engine.volumes(platform.labels).items():
            if _job_of(labels) not in alive:
                engine.remove_volume(volume)
        folders = set(platform.jobs_folder.glob("*/*"))
        for folder in folders - {job_folder(platform, key) for key in alive}:
            shutil.rmtree(folder, ignore_errors=True)

    def _is_stopping(self, key: Key) -> bool:
        """Say whether a stop came before there was a run that could be told of it."""
        job = self._platform.resources.get(key)
        return job is not None and job.status == "Stopping"


def _job_of(labels: Mapping[str, str]) -> Key:
    """Return whose container or volume it is, by its labels."""
    return Key(region=labels.get(REGION_LABEL, ""), kind=KIND, name=labels.get(JOB_LABEL, ""))
