"""The training jobs that run now."""

import logging
import shutil
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from sagedock.errors import EngineError, InvalidRequest
from sagedock.local.platform import JOB_LABEL, Platform
from sagedock.local.resources import Key
from sagedock.local.runs import Runs
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
#: Jobs of other kinds: their words, and what to do instead of interrupting them.
_NOT_SPOT: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "processing-job": ("processing", "let it lose a host (the fault lost-host)"),
        "transform-job": ("transform", "name a training job"),
        "hyper-parameter-tuning-job": ("tuning", "name one of its training jobs"),
    }
)


class TrainingJobs(Runs[Run]):
    """Starts, stops and takes up training jobs; every one of them in a thread of its own."""

    def __init__(self, platform: Platform) -> None:
        width = platform.settings.max_containers or default_width(platform.machine.cpus)
        self._platform = platform
        self._slots = slots = Slots(width)
        self.pools = pools = WarmPools(platform)
        super().__init__(
            platform.resources,
            KIND,
            TERMINAL,
            lambda job, ended: Run(platform, slots, pools, job, ended),
            lambda run: run.ask_to_stop(StopAsked(grace_s=platform.settings.stop_grace_s)),
            lambda alive: self._remove_all_but(alive, pools.resume(alive)),
        )

    @property
    def slots(self) -> Slots:
        """The queue of this machine: other kinds of jobs stand in it too."""
        return self._slots

    def interrupt(self, key: Key, after_s: float = 0.0) -> bool:
        """Take a spot job's machines away, in ``after_s`` seconds, as AWS does: SIGTERM, the grace,
        SIGKILL; then it starts again. One that does not train by then is interrupted once it does.

        Returns False, and does nothing, while its machines are being taken away already. Raises
        InvalidRequest where there is nothing to interrupt.
        """
        job = self._platform.resources.get(key)
        run = self.get(key)
        if job is None or run is None or job.status in TERMINAL:
            if job is not None:
                raise InvalidRequest([f"job: {key.name} is {job.status}: name a job that runs"])
            raise InvalidRequest([f"job: {key.name} {self._what_else(key)}"])
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

    def _what_else(self, key: Key) -> str:
        """Return what has the name of a training job that does not exist, and what to do."""
        for kind, (words, remedy) in _NOT_SPOT.items():
            if self._platform.resources.get(replace(key, kind=kind)) is not None:
                return f"is a {words} job, and only spot training jobs are interrupted: {remedy}"
        return f"does not exist in {key.region}: name a job that runs"

    def shut_down(self, grace_s: float) -> None:
        """Stop every job, and the pools, and return when none is left. No job starts any more."""
        super().shut_down(grace_s)
        self.pools.shut_down()

    def _remove_all_but(self, alive: set[Key], pools: set[str]) -> None:
        """Remove the containers, networks, volumes and folders of all other training jobs and
        pools, but for what somebody else uses.
        """
        platform, engine = self._platform, self._platform.engine
        ours = {**platform.labels, JOB_LABEL: ""}
        for each in engine.containers(ours):
            if _job_of(each.labels) not in alive:
                _try_to(engine.remove, each.id)
        networks = set(engine.networks(ours))
        for network in networks - {network_name(platform, key) for key in alive}:
            _try_to(engine.remove_network, network)
        for volume, labels in engine.volumes(platform.labels).items():
            of_others = JOB_LABEL not in labels and POOL_LABEL not in labels
            if of_others or _job_of(labels) in alive or labels.get(POOL_LABEL) in pools:
                continue
            _try_to(engine.remove_volume, volume)
        folders = set(platform.jobs_folder.glob("*/*"))
        for folder in folders - {job_folder(platform, key) for key in alive}:
            shutil.rmtree(folder, ignore_errors=True)


def _try_to(remove: Callable[[str], None], name: str) -> None:
    """Remove something; where that fails, as with what somebody's own container uses, say so."""
    try:
        remove(name)
    except EngineError as error:
        _log.warning("%s", error)


def _job_of(labels: Mapping[str, str]) -> Key:
    """Return whose container or volume it is, by its labels."""
    return Key(region=labels.get(REGION_LABEL, ""), kind=KIND, name=labels.get(JOB_LABEL, ""))
