"""One training job, carried out in a thread of its own, from Starting to its end."""

import logging
import queue
import re
import shutil
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sagedock.engine import LogFrame
from sagedock.errors import ContainerNotStarted, EngineError, SagedockError, StorageError
from sagedock.local.logs import follow
from sagedock.local.platform import Platform
from sagedock.local.resources import Resource
from sagedock.local.training import lifecycle, reasons
from sagedock.local.training.channels import ChannelUnreadable
from sagedock.local.training.collect import (
    LOG_GROUP,
    UploadFailed,
    failure_reason,
    model_uri,
    upload,
)
from sagedock.local.training.containers import (
    HOST_LABEL,
    Cluster,
    job_folder,
    job_labels,
    network_name,
)
from sagedock.local.training.metrics import final_metrics, measured
from sagedock.local.training.staging import stage_channels
from sagedock.local.training.steps import messages
from sagedock.local.training.watch import Event, StopAsked, Watch, Watched

__all__ = ["Run"]

_log = logging.getLogger(__name__)
_NOT_STARTED_CODE = 1
_RETRY_S = 1.0


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    """How a job ends. ``secondary`` differs from ``status`` for a limit that was reached.

    ``metrics`` is what FinalMetricDataList answers.
    """

    status: str
    secondary: str | None = None
    reason: str | None = None
    metrics: Sequence[Mapping[str, Any]] = ()


class _StoppedEarly(Exception):
    """The job is to stop, and no container has started."""


class Run:
    """One training job. ``start`` begins it, or takes it up again after the server was killed."""

    def __init__(self, platform: Platform, job: Resource) -> None:
        self._platform = platform
        self._key = job.key
        self._request = job.request
        self._created = job.created
        self._cluster = Cluster(
            platform=platform,
            key=job.key,
            arn=job.document["TrainingJobArn"],
            request=job.request,
        )
        self._events: queue.Queue[Event] = queue.Queue()
        self._stop = threading.Event()
        self._shut_down = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"job {job.key.name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def ask_to_stop(self, asked: StopAsked) -> None:
        """Stop the job; returns at once."""
        self._stop.set()
        self._events.put(asked)

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
            outcome = self._carry_out()
        except _StoppedEarly:
            self._enter("Stopping")
            outcome = _Outcome(status="Stopped")
        except ChannelUnreadable as why:
            outcome = _failed(reasons.download_failed(str(why)))
        except SagedockError as error:
            _log.error("training job %s: %s", self._key.name, error)
            outcome = _failed(f"{reasons.INTERNAL_ERROR} {error}")
        except Exception:  # noqa: BLE001 - the job must end whatever broke; the log says what
            _log.exception("training job %s broke", self._key.name)
            outcome = _failed(reasons.INTERNAL_ERROR)
        self._finish(outcome)

    def _carry_out(self) -> _Outcome:
        containers = self._containers_from_before()
        if not containers:
            self._stage()
            containers = self._create()
            try:
                self._start_all(containers)
            except ContainerNotStarted as error:
                self._log_line(str(error))
                self._enter("Uploading")
                return _failed(reasons.algorithm_error("", _NOT_STARTED_CODE))
        watched = self._watch(containers)
        return self._collect(containers, watched)

    def _containers_from_before(self) -> Mapping[str, str]:
        """Return what a killed server had started of the job's; remove what it had half made."""
        found = self._platform.engine.containers(job_labels(self._platform, self._key))
        started = {each.labels[HOST_LABEL]: each.id for each in found if each.state != "created"}
        if set(started) == set(self._cluster.hosts):
            if self._job().document["SecondaryStatus"] in ("Starting", "Pending", "Downloading"):
                self._enter("Training")
            return started
        for each in found:
            self._platform.engine.remove(each.id)
        logs = self._platform.logs
        for stream in logs.streams(self._key.region, LOG_GROUP, f"{self._key.name}/"):
            logs.begin_anew(stream)
        shutil.rmtree(job_folder(self._platform, self._key), ignore_errors=True)
        return {}

    def _stage(self) -> None:
        """Wait for capacity, as the service does, and lay out the channels."""
        self._check_stop()
        for message in messages("Pending"):
            self._enter("Pending", message)
        data, image = messages("Downloading")
        self._enter("Downloading", data)
        stage_channels(self._platform, self._key, self._request, self._check_stop)
        self._enter("Downloading", image)

    def _create(self) -> Mapping[str, str]:
        network = self._cluster.network()
        containers = {}
        for host in self._cluster.hosts:
            self._cluster.lay_out(host)
            containers[host] = self._platform.engine.create(self._cluster.spec(host, network))
        return containers

    def _start_all(self, containers: Mapping[str, str]) -> None:
        self._check_stop()
        for container in containers.values():
            self._platform.engine.start(container)
        self._enter("Training")

    def _watch(self, containers: Mapping[str, str]) -> Watched:
        watch = Watch(
            engine=self._platform.engine,
            containers=containers,
            follow=self._follow,
            on_stop=lambda: self._enter("Stopping"),
            events=self._events,
        )
        with measured(self._platform, self._key, self._request, containers):
            return watch.until(self._deadline())

    def _follow(self, host: str, container: str) -> None:
        logs = self._platform.logs
        stream = logs.open(self._key.region, LOG_GROUP, self._stream_name(host))
        follow(self._platform.engine.logs(container), logs, stream)

    def _collect(self, containers: Mapping[str, str], watched: Watched) -> _Outcome:
        if watched.cause == "ended":
            self._enter("Uploading")
        outcome = replace(self._judged(containers, watched), metrics=self._metrics())
        try:
            has_model = upload(self._platform, self._request, list(containers.values()))
        except UploadFailed as why:
            reason = outcome.reason or reasons.upload_failed(str(why))
            return _Outcome(status="Failed", reason=reason, metrics=outcome.metrics)
        if has_model or outcome.status == "Completed":
            self._change({"ModelArtifacts": {"S3ModelArtifacts": str(model_uri(self._request))}})
        return outcome

    def _metrics(self) -> Sequence[Mapping[str, Any]]:
        return final_metrics(self._platform, self._key, self._request)

    def _judged(self, containers: Mapping[str, str], watched: Watched) -> _Outcome:
        match watched.cause:
            case "stopped":
                return _Outcome(status="Stopped")
            case "max-runtime":
                return _Outcome(status="Stopped", secondary="MaxRuntimeExceeded")
            case "ended" if watched.failed_first is None:
                return _Outcome(status="Completed")
            case "ended":
                return _failed(failure_reason(self._platform, containers, watched))

    def _finish(self, outcome: _Outcome) -> None:
        """Write down how the job ended. A disk that is full is waited for; a server that ends
        meanwhile leaves the job to the next one.
        """
        while True:
            try:
                self._write_end(outcome)
            except StorageError as error:
                _log.error("training job %s: %s; trying again", self._key.name, error)
                if self._shut_down.wait(_RETRY_S):
                    return
            else:
                break
        self._clean_up()

    def _write_end(self, outcome: _Outcome) -> None:
        members = {"FinalMetricDataList": outcome.metrics} if outcome.metrics else {}
        self._platform.resources.change(
            self._key,
            lambda job: _with_document(
                job,
                lifecycle.end(
                    {**job.document, **members},
                    outcome.status,
                    messages(outcome.secondary or outcome.status)[-1],
                    time.time(),
                    secondary=outcome.secondary,
                    reason=outcome.reason,
                ),
            ),
        )

    def _clean_up(self) -> None:
        """Remove what the job had in the engine and on disk; what cannot go is said, and retried
        when the server starts next.
        """
        engine = self._platform.engine
        try:
            for each in engine.containers(job_labels(self._platform, self._key)):
                engine.remove(each.id)
            if len(self._cluster.hosts) > 1:
                engine.remove_network(network_name(self._platform, self._key))
            # Those of a container that somebody else removed, or that could not be created.
            for volume in engine.volumes(job_labels(self._platform, self._key)):
                engine.remove_volume(volume)
        except EngineError as error:
            _log.warning("training job %s: cleaning up: %s", self._key.name, error)
        shutil.rmtree(job_folder(self._platform, self._key), ignore_errors=True)

    def _stream_name(self, host: str) -> str:
        return f"{self._key.name}/{host}-{int(self._created)}"

    def _log_line(self, text: str) -> None:
        """Put the engine's words into the first host's log, as the platform does."""
        logs = self._platform.logs
        stream = logs.open(self._key.region, LOG_GROUP, self._stream_name(self._cluster.hosts[0]))
        short = re.search(r'exec: ".*?": .*?(?=: unknown|$)', text)
        line = (short[0] if short else text).encode() + b"\n"
        follow(iter([LogFrame(stream="stderr", time_s=time.time(), data=line)]), logs, stream)

    def _deadline(self) -> float:
        """Return when MaxRuntimeInSeconds is over, counted from the start of Training."""
        job = self._job()
        began = next(
            (
                each["StartTime"]
                for each in job.document["SecondaryStatusTransitions"]
                if each["Status"] == "Training"
            ),
            time.time(),
        )
        return float(began) + float(job.document["StoppingCondition"]["MaxRuntimeInSeconds"])

    def _job(self) -> Resource:
        job = self._platform.resources.get(self._key)
        if job is None:
            raise LookupError(f"training job {self._key.name} vanished from the store")
        return job

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise _StoppedEarly

    def _enter(self, status: str, message: str | None = None) -> None:
        text = message or messages(status)[-1]
        self._platform.resources.change(
            self._key,
            lambda job: _with_document(
                job, lifecycle.enter(job.document, status, text, time.time())
            ),
        )

    def _change(self, members: Mapping[str, Any]) -> None:
        self._platform.resources.change(
            self._key, lambda job: _with_document(job, {**job.document, **members})
        )


def _failed(reason: str) -> _Outcome:
    return _Outcome(status="Failed", reason=reason)


def _with_document(job: Resource, document: Mapping[str, Any]) -> Resource:
    return replace(
        job,
        document=document,
        status=document["TrainingJobStatus"],
        modified=document["LastModifiedTime"],
    )
