"""One training job, carried out in a thread of its own, from Starting to its end."""

import logging
import queue
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from sagedock.errors import (
    ContainerNotStarted,
    EngineError,
    ImageNotFound,
    SagedockError,
    StorageError,
)
from sagedock.local.platform import Platform
from sagedock.local.resources import Resource
from sagedock.local.training import reasons
from sagedock.local.training.attempt import Attempt
from sagedock.local.training.channels import ChannelUnreadable
from sagedock.local.training.conclusion import Conclusion
from sagedock.local.training.containers import Cluster, job_folder, job_labels, network_name
from sagedock.local.training.course import CapacityFailed, Course, StoppedEarly
from sagedock.local.training.deadlines import runtime_deadline, wait_deadline
from sagedock.local.training.events import Event, Granted, HostLost, Interrupted, StopAsked
from sagedock.local.training.record import Outcome, Record
from sagedock.local.training.slots import Slots, Ticket
from sagedock.local.training.warm_pools import WarmPools
from sagedock.local.training.watch import Limit, Watched
from sagedock.local.uploads import UploadFailed

__all__ = ["Run"]

_log = logging.getLogger(__name__)
_NOT_STARTED_CODE = 1
_RETRY_S = 1.0


class Run:
    """One training job. ``start`` begins it, or takes it up again after the server was killed.

    ``ended`` is called, once, when nothing of the job is left.
    """

    def __init__(
        self,
        platform: Platform,
        slots: Slots,
        pools: WarmPools,
        job: Resource,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self._platform = platform
        self._slots = slots
        self._pools = pools
        self._job = job
        self._key = job.key
        self._request = job.request
        self._ended = ended
        self._record = Record(platform=platform, key=job.key)
        self._events: queue.Queue[Event] = queue.Queue()
        self._stop = threading.Event()
        self._shut_down = threading.Event()
        self._course = Course(
            record=self._record, faults=platform.faults, events=self._events, stop=self._stop
        )
        self._ticket = self._join_the_queue()
        self._thread = threading.Thread(target=self._run, name=f"job {job.key.name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def ask_to_stop(self, asked: StopAsked) -> None:
        """Stop the job; returns at once."""
        self._stop.set()
        self._events.put(asked)

    def interrupt(self) -> None:
        """Take the machines of the attempt that runs, or runs next, away; returns at once."""
        self._events.put(Interrupted())

    def lose_host(self, host: str | None) -> None:
        """Let a machine of the attempt that runs, or runs next, fail; returns at once."""
        self._events.put(HostLost(host=host))

    def shut_down(self, grace_s: float) -> None:
        """Stop the job because the server ends; returns at once."""
        self._shut_down.set()
        self.ask_to_stop(StopAsked(grace_s=grace_s))

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait until the job has ended and nothing of it is left; say whether it has."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            outcome = self._carried_out()
        except Exception:  # noqa: BLE001 - the job must end whatever broke; the log says what
            _log.exception("training job %s broke", self._key.name)
            outcome = Outcome.failed(reasons.INTERNAL_ERROR)
        try:
            self._finish(outcome)
        finally:  # whatever broke, the jobs behind this one get its place
            self._slots.leave(self._ticket)
            self._ended()

    def _carried_out(self) -> Outcome:
        """Attempt the job until it ends, is stopped, or its time is over."""
        retries = int(self._request.get("RetryStrategy", {}).get("MaximumRetryAttempts", 0))
        is_first = True
        while True:
            try:
                outcome = self._attempted(is_first=is_first)
            except StoppedEarly as early:
                self._record.enter("Stopping")
                return Outcome(status="Stopped", secondary=early.secondary)
            except CapacityFailed:
                return Outcome.failed(reasons.NO_CAPACITY)
            except ChannelUnreadable as why:
                return Outcome.failed(reasons.download_failed(str(why)))
            except UploadFailed as why:
                return Outcome.failed(reasons.upload_failed(str(why)))
            except ImageNotFound as error:  # it was there when the job was created
                _log.warning("training job %s: %s", self._key.name, error)
                return Outcome.failed(reasons.IMAGE_NOT_PULLED)
            except SagedockError as error:
                _log.error("training job %s: %s", self._key.name, error)
                outcome = Outcome.failed(f"{reasons.INTERNAL_ERROR} {error}")
            if outcome is not None:
                if retries == 0 or not reasons.is_internal(outcome.reason) or self._stop.is_set():
                    return outcome
                retries -= 1
                self._record.enter("Restarting")
            is_first = False
            self._slots.leave(self._ticket)
            self._ticket = self._join_the_queue()

    def _attempted(self, *, is_first: bool) -> Outcome | None:
        """Carry one attempt out; None if its machines were taken away. The first one of this
        server may be one that a killed server began.
        """
        place = self._pools.take(self._job)
        attempt = self._attempt(place.pool if place else None)
        containers = attempt.found() if is_first else {}
        taken_up = bool(containers) and self._goes_on()
        with closing(attempt.feeds()) as feeds:
            if taken_up:
                self._slots.claim(self._ticket)
                feeds.start()
            else:
                attempt.forget()
                self._course.wait_for_room(warm=place is not None and place.warm)
                try:
                    containers = attempt.start(feeds)
                except ContainerNotStarted as error:
                    self._record.log_engine_error(attempt.cluster.hosts[0], str(error))
                    self._record.enter("Uploading")
                    return Outcome.failed(reasons.algorithm_error("", _NOT_STARTED_CODE))
            if place is not None:
                self._record.add({"WarmPoolStatus": {"Status": "InUse"}})
            watched = attempt.watch(containers, self._limits(), taken_up=taken_up)
        return self._concluded(containers, watched)

    def _concluded(self, containers: Mapping[str, str], watched: Watched) -> Outcome | None:
        if watched.cause == "interrupted":
            return None
        if watched.cause == "host-lost":
            return Outcome.failed(reasons.INTERNAL_ERROR)
        conclusion = Conclusion(
            platform=self._platform,
            record=self._record,
            request=self._request,
            containers=containers,
        )
        return conclusion.drawn(watched)

    def _attempt(self, pool: str | None) -> Attempt:
        return Attempt(
            platform=self._platform,
            cluster=self._cluster(pool),
            record=self._record,
            events=self._events,
            check_stop=self._course.check_stop,
        )

    def _cluster(self, pool: str | None = None) -> Cluster:
        return Cluster(
            platform=self._platform,
            key=self._key,
            arn=self._job.document["TrainingJobArn"],
            request=self._request,
            pool=pool,
        )

    def _limits(self) -> Mapping[Limit, float]:
        document = self._record.document
        return {
            "max-runtime": runtime_deadline(document, time.time()),
            "max-wait": wait_deadline(document),
        }

    def _goes_on(self) -> bool:
        """Say whether an attempt that a killed server left goes on, and let it train, or, where its
        machines were being taken away, have the rest of its grace.
        """
        status: str = self._record.document["SecondaryStatus"]
        if status in ("Starting", "Pending", "Downloading"):
            self._record.enter("Training")
        if status == "Interrupted":
            self._events.put(Interrupted())
        return status != "Restarting"

    def _join_the_queue(self) -> Ticket:
        hosts = len(self._cluster().hosts)
        return self._slots.join(hosts, lambda: self._events.put(Granted()))

    def _finish(self, outcome: Outcome) -> None:
        """Write down how the job ended. A disk that is full is waited for; a server that ends
        meanwhile leaves the job to the next one.
        """
        while True:
            try:
                kept = self._keep_pool(outcome)
                self._record.end(outcome, kept)
                if kept is None and outcome.status != "Stopped":
                    self._pools.tell_quota(self._key, self._record.document)
            except StorageError as error:
                _log.error("training job %s: %s; trying again", self._key.name, error)
                if self._shut_down.wait(_RETRY_S):
                    return
            else:
                break
        self._clean_up()

    def _keep_pool(self, outcome: Outcome) -> Mapping[str, Any] | None:
        if outcome.status == "Stopped":
            return None
        return self._pools.keep(self._key, self._record.document)

    def _clean_up(self) -> None:
        """Remove what the job had in the engine and on disk; what cannot go is said, and retried
        when the server starts next.
        """
        engine = self._platform.engine
        try:
            for each in engine.containers(job_labels(self._platform, self._key)):
                engine.remove(each.id)
            if len(self._cluster().hosts) > 1:
                engine.remove_network(network_name(self._platform, self._key))
            # Those of a container that somebody else removed, or that could not be created.
            for volume in engine.volumes(job_labels(self._platform, self._key)):
                engine.remove_volume(volume)
            self._pools.release_unless_kept(self._key)
        except (EngineError, StorageError) as error:
            _log.warning("training job %s: cleaning up: %s", self._key.name, error)
        shutil.rmtree(job_folder(self._platform, self._key), ignore_errors=True)
