"""The training jobs that run now."""

import logging
import shutil
import threading
from collections.abc import Callable, Mapping

from sagedock.errors import EngineError, InvalidRequest
from sagedock.local.platform import ENDPOINT_LABEL, JOB_LABEL, Platform
from sagedock.local.resources import Key, Resource
from sagedock.local.training.containers import (
    POOL_LABEL,
    REGION_LABEL,
    job_folder,
    network_name,
)
from sagedock.local.training.events import StopAsked
from sagedock.local.training.run import Run
from sagedock.local.training.slots import Slots, default_width
from sagedock.local.training.steps import KIND, TERMINAL
from sagedock.local.training.warm_pools import WarmPools

__all__ = ["TrainingJobs"]

_log = logging.getLogger(__name__)


class TrainingJobs:
    """Starts, stops and takes up training jobs; every one of them in a thread of its own."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        width = platform.settings.max_containers or default_width(platform.machine.cpus)
        self._slots = Slots(width)
        self.pools = WarmPools(platform)
        self._runs: dict[Key, Run] = {}
        self._lock = threading.Lock()
        self._ending = False

    @property
    def slots(self) -> Slots:
        """The queue of this machine: other kinds of jobs stand in it too."""
        return self._slots

    def start(self, job: Resource) -> bool:
        """Carry ``job`` out, and return True; False, with nothing done, if the server is ending."""
        with self._lock:
            if self._ending:
                return False
            run = Run(self._platform, self._slots, self.pools, job, lambda: self._forget(run))
            self._runs[job.key] = run
            if self._is_stopping(job.key):
                run.ask_to_stop(self._stop_asked())
            run.start()
        return True

    def stop(self, key: Key) -> None:
        """Stop a job as StopTrainingJob does: SIGTERM, 120 seconds, SIGKILL."""
        with self._lock:
            run = self._runs.get(key)
        if run is not None:
            run.ask_to_stop(self._stop_asked())

    def interrupt(self, key: Key, after_s: float = 0.0) -> bool:
        """Take a spot job's machines away, in ``after_s`` seconds, as AWS does: SIGTERM, the grace,
        SIGKILL; then it starts again. One that does not train by then is interrupted once it does.

        Returns False, and does nothing, while its machines are being taken away already. Raises
        InvalidRequest where there is nothing to interrupt.
        """
        job = self._platform.resources.get(key)
        with self._lock:
            run = self._runs.get(key)
        if job is None or run is None or job.status in TERMINAL:
            state = f"is {job.status}" if job else f"does not exist in {key.region}"
            raise InvalidRequest([f"job: {key.name} {state}: name a job that runs"])
        if not job.document["EnableManagedSpotTraining"]:
            raise InvalidRequest(
                [
                    f"job: {key.name} is no spot job, and only those are interrupted: create it "
                    "with EnableManagedSpotTraining, or let it lose a host (the fault lost-host)"
                ]
            )
        if job.document["SecondaryStatus"] == "Interrupted" and not after_s:
            return False
        timer = threading.Timer(after_s, run.interrupt)
        timer.daemon = True
        timer.start()
        return True

    def wait_until_gone(self, key: Key) -> None:
        """Return once nothing is left of a job that has ended, in the engine or on disk."""
        with self._lock:
            run = self._runs.get(key)
        if run is not None:
            run.join()

    def resume(self) -> None:
        """Take up the jobs that a killed server left, and remove what it left of ended ones."""
        unfinished = self._platform.resources.unfinished(KIND, TERMINAL)
        alive = {job.key for job in unfinished}
        self._remove_all_but(alive, self.pools.resume(alive))
        for job in sorted(unfinished, key=lambda job: job.created):
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
        self.pools.shut_down()

    def _forget(self, run: Run) -> None:
        with self._lock:
            self._runs = {key: each for key, each in self._runs.items() if each is not run}

    def _stop_asked(self) -> StopAsked:
        return StopAsked(grace_s=self._platform.settings.stop_grace_s)

    def _remove_all_but(self, alive: set[Key], pools: set[str]) -> None:
        """Remove the containers, networks, volumes and folders of all other jobs and pools, but
        for what somebody else uses.
        """
        platform, engine = self._platform, self._platform.engine
        for each in engine.containers(platform.labels):
            if ENDPOINT_LABEL not in each.labels and _job_of(each.labels) not in alive:
                _try_to(engine.remove, each.id)
        networks = set(engine.networks({**platform.labels, JOB_LABEL: ""}))
        for network in networks - {network_name(platform, key) for key in alive}:
            _try_to(engine.remove_network, network)
        for volume, labels in engine.volumes(platform.labels).items():
            if _job_of(labels) not in alive and labels.get(POOL_LABEL) not in pools:
                _try_to(engine.remove_volume, volume)
        folders = set(platform.jobs_folder.glob("*/*"))
        for folder in folders - {job_folder(platform, key) for key in alive}:
            shutil.rmtree(folder, ignore_errors=True)

    def _is_stopping(self, key: Key) -> bool:
        """Say whether a stop came before there was a run that could be told of it."""
        job = self._platform.resources.get(key)
        return job is not None and job.status == "Stopping"


def _try_to(remove: Callable[[str], None], name: str) -> None:
    """Remove something; where that fails, as with what somebody's own container uses, say so."""
    try:
        remove(name)
    except EngineError as error:
        _log.warning("%s", error)


def _job_of(labels: Mapping[str, str]) -> Key:
    """Return whose container or volume it is, by its labels."""
    return Key(region=labels.get(REGION_LABEL, ""), kind=KIND, name=labels.get(JOB_LABEL, ""))
