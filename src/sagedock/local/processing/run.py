"""One processing job, carried out in a thread of its own."""

import logging
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import assert_never

from sagedock.contract import paths
from sagedock.errors import (
    ContainerNotStarted,
    EngineError,
    ImageNotFound,
    SagedockError,
    StorageError,
)
from sagedock.local.faults import NoCapacity
from sagedock.local.host_logs import engine_words
from sagedock.local.mirror import Mirror, Mirrored
from sagedock.local.platform import Platform
from sagedock.local.processing import reasons
from sagedock.local.processing.containers import Cluster
from sagedock.local.processing.document import deadline_s
from sagedock.local.processing.exit_message import NotText, exit_message
from sagedock.local.processing.names import host_logs, stream_name
from sagedock.local.processing.record import Outcome, Record
from sagedock.local.processing.staging import stage
from sagedock.local.processing.transfers import uploads
from sagedock.local.processing.usage import measured
from sagedock.local.resources import Resource
from sagedock.local.slow_download import slow_down
from sagedock.local.training.course import CapacityFailed
from sagedock.local.training.events import Event, StopAsked
from sagedock.local.training.faults_in_training import Planned, planned
from sagedock.local.training.slots import Slots
from sagedock.local.training.unreadable import ChannelUnreadable
from sagedock.local.training.watch import Cause, Watch, Watched
from sagedock.local.uploads import UploadFailed

__all__ = ["Run"]

_log = logging.getLogger(__name__)
_RETRY_S = 1.0
#: A job has one attempt.
_ATTEMPT = 1


class _Stopped(Exception):
    """The job is to stop, and no container runs."""


class Run:
    """One processing job. ``start`` begins it, or takes it up again after the server was killed.

    ``ended`` is called, once, when nothing of the job is left.
    """

    def __init__(
        self,
        platform: Platform,
        slots: Slots,
        job: Resource,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self._platform = platform
        self._slots = slots
        self._job = job
        self._ended = ended
        self._record = Record(platform=platform, key=job.key)
        self._cluster = Cluster(platform=platform, job=job)
        self._logs = host_logs(platform, job.key)
        self._events: queue.Queue[Event] = queue.Queue()
        self._stop = threading.Event()
        self._woken = threading.Event()
        self._shut_down = threading.Event()
        self._ticket = slots.join(len(self._cluster.hosts), self._woken.set)
        name = f"processing {job.key.name}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def ask_to_stop(self, grace_s: float) -> None:
        """Stop the job; SIGKILL follows SIGTERM after ``grace_s``. Returns at once."""
        self._stop.set()
        self._woken.set()
        self._events.put(StopAsked(grace_s=grace_s))

    def shut_down(self, grace_s: float) -> None:
        """Stop the job because the server ends; returns at once."""
        self._shut_down.set()
        self.ask_to_stop(grace_s)

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait until the job has ended and nothing of it is left; say whether it has."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            outcome = self._carried_out()
        except Exception:  # noqa: BLE001 - the job must end whatever broke; the log says what
            _log.exception("processing job %s broke", self._job.key.name)
            outcome = Outcome.failed(reasons.INTERNAL_ERROR)
        try:
            self._finish(outcome)
        finally:  # whatever broke, the jobs behind this one get its place
            self._slots.leave(self._ticket)
            self._ended()

    def _carried_out(self) -> Outcome:
        image: str = self._job.request["AppSpecification"]["ImageUri"]
        try:
            return self._processed()
        except _Stopped:
            return Outcome(status="Stopped")
        except CapacityFailed:
            return Outcome.failed(reasons.NO_CAPACITY)
        except ChannelUnreadable as why:
            return Outcome.failed(reasons.download_failed(str(why)))
        except ImageNotFound as error:
            _log.warning("processing job %s: %s", self._job.key.name, error)
            return Outcome.failed(reasons.image_not_found(image))
        except ContainerNotStarted as error:
            self._say(self._cluster.hosts[0], engine_words(str(error)))
            return Outcome.failed(reasons.SEE_LOGS)
        except SagedockError as error:
            _log.error("processing job %s: %s", self._job.key.name, error)
            return Outcome.failed(reasons.INTERNAL_ERROR)

    def _processed(self) -> Outcome:
        containers = self._cluster.found()
        if containers:
            self._slots.claim(self._ticket)
        else:
            self._cluster.remove()  # what a killed server left
            self._logs.begin_anew()
            self._await_capacity()
            self._woken.wait()
            self._check_stop()
            containers = self._started()
        mirror = self._mirror(containers)
        mirror.start()
        try:
            watched = self._watched(containers)
        finally:
            mirror.abandon()
        return self._concluded(containers, watched, mirror)

    def _await_capacity(self) -> None:
        """Wait where a fault says that there are no machines. Raises CapacityFailed: the words are
        those of training jobs (unverified).
        """
        lack = self._platform.faults.take(NoCapacity, self._job.key.name)
        if lack is None:
            return
        self._stop.wait(lack.wait_s)
        self._check_stop()
        if lack.fails:
            raise CapacityFailed

    def _started(self) -> Mapping[str, str]:
        """Stage the data, and start a container for each host; return them, host to id."""
        stage(self._cluster, self._check_stop)
        folders = [self._cluster.folder(host, "/") for host in self._cluster.hosts]
        slow_down(self._platform.faults, self._job.key.name, folders, self._check_stop)
        containers = self._cluster.create(self._check_stop)
        self._check_stop()
        for warning in self._cluster.share().warnings:
            for host in containers:
                self._say(host, f"sagedock: {warning}")
        self._record.begin()
        for container in containers.values():
            self._platform.engine.start(container)
        return containers

    def _watched(self, containers: Mapping[str, str]) -> Watched:
        watch = Watch(
            engine=self._platform.engine,
            containers=containers,
            follow=self._follow,
            on_stop=self._on_stop,
            events=self._events,
            attempt=_ATTEMPT,
            grace_s=self._platform.settings.stop_grace_s,
        )
        faults, job = self._platform.faults, self._job.key.name
        lost = planned(faults, job, _ATTEMPT, self._cluster.hosts, is_spot=False)
        events = Planned([*lost], self._events.put)
        try:
            with measured(self._platform, self._job, containers):
                return watch.until({"max-runtime": deadline_s(self._record.document)})
        finally:
            events.cancel()

    def _mirror(self, containers: Mapping[str, str]) -> Mirror:
        """Return what stores the outputs. Of several hosts that write the same name, the last one's
        is what stays (unverified).
        """
        folders = [
            Mirrored(
                container=container,
                target=paths.PROCESSING.path,
                below=each.below,
                uri=each.uri,
                at_once=each.at_once,
            )
            for container in containers.values()
            for each in uploads(self._job.request)
        ]
        return Mirror(self._platform, folders)

    def _concluded(
        self, containers: Mapping[str, str], watched: Watched, mirror: Mirror
    ) -> Outcome:
        """Store the outputs, however the job ended (unverified), and return how that was. Those of
        a machine that failed are lost, but for what was stored before.
        """
        outcome = _judged(watched)
        if watched.cause == "host-lost":
            return outcome
        try:
            mirror.close()
        except UploadFailed as why:
            reason = outcome.reason or reasons.upload_failed(str(why), why.uri)
            outcome = Outcome.failed(reason)
        try:
            message = exit_message(self._platform.engine, containers.values())
        except NotText:
            return Outcome.failed(outcome.reason or reasons.MESSAGE_NOT_TEXT)
        return replace(outcome, message=message)

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise _Stopped

    def _stream(self, host: str) -> str:
        return stream_name(self._job.key, host, self._job.created)

    def _say(self, host: str, text: str) -> None:
        self._logs.say(self._stream(host), text)

    def _follow(self, host: str, container: str) -> None:
        self._logs.store(self._platform.engine, container, self._stream(host))

    def _on_stop(self, cause: Cause) -> None:
        if cause != "host-lost":
            self._record.stop()

    def _finish(self, outcome: Outcome) -> None:
        """Write down how the job ended, then remove what it had: a server that is killed in between
        loses nothing. A disk that is full is waited for; a server that ends meanwhile leaves the
        job to the next one.
        """
        while True:
            try:
                self._record.end(outcome)
            except StorageError as error:
                _log.error("processing job %s: %s; trying again", self._job.key.name, error)
                if self._shut_down.wait(_RETRY_S):
                    return
            else:
                break
        try:
            self._cluster.remove()
        except (EngineError, StorageError) as error:  # retried when the server starts next
            _log.warning("processing job %s: cleaning up: %s", self._job.key.name, error)


def _judged(watched: Watched) -> Outcome:
    """Return how a job ends whose containers have. That a limit stops it, as it does a training
    job, is unverified.
    """
    match watched.cause:
        case "stopped" | "max-runtime":
            return Outcome(status="Stopped")
        case "ended" if watched.failed_first is None:
            return Outcome(status="Completed")
        case "ended":
            return Outcome.failed(reasons.SEE_LOGS)
        case "host-lost":
            return Outcome.failed(reasons.INTERNAL_ERROR)
        case "max-wait" | "interrupted":
            raise ValueError(f"no processing job ends because it was {watched.cause}")
        case _:
            assert_never(watched.cause)
