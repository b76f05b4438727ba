"""One attempt of a training job: its containers, from the staging of their data to their end."""

import queue
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sagedock.local.hosts import HOST_LABEL
from sagedock.local.platform import Platform
from sagedock.local.slow_download import slow_down
from sagedock.local.training import lifecycle
from sagedock.local.training.checkpoints import checkpoint_mirror, restore
from sagedock.local.training.containers import (
    Cluster,
    checkpoint_folder,
    job_folder,
    job_labels,
)
from sagedock.local.training.events import Broke, Event
from sagedock.local.training.faults_in_training import Planned, planned
from sagedock.local.training.metrics import measured
from sagedock.local.training.pipes import Feeds
from sagedock.local.training.record import Record
from sagedock.local.training.staging import stage_channels
from sagedock.local.training.steps import messages
from sagedock.local.training.watch import Cause, Limit, Watch, Watched

__all__ = ["Attempt"]

#: How long a container may print nothing new before a look at whether it is to stop.


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """The containers of one job, once. A job that is interrupted or retried has another."""

    platform: Platform
    cluster: Cluster
    record: Record
    events: "queue.Queue[Event]"
    check_stop: Callable[[], None]

    def found(self) -> Mapping[str, str]:
        """Return the containers (host to id) that a killed server had started, all or none."""
        labels = job_labels(self.platform, self.cluster.key)
        found = self.platform.engine.containers(labels)
        started = {each.labels[HOST_LABEL]: each.id for each in found if each.state != "created"}
        return started if set(started) == set(self.cluster.hosts) else {}

    def forget(self) -> None:
        """Remove every container of the job, and what is staged for it."""
        engine = self.platform.engine
        for each in engine.containers(job_labels(self.platform, self.cluster.key)):
            engine.remove(each.id)
        self.record.expect_new_containers()
        shutil.rmtree(job_folder(self.platform, self.cluster.key), ignore_errors=True)

    def feeds(self) -> Feeds:
        """Return what feeds the hosts' pipes; data that cannot be read breaks the attempt."""

        def broke(error: Exception) -> None:
            number = lifecycle.attempt(self.record.document)
            self.events.put(Broke(attempt=number, error=error))

        pipes = [pipe for host in self.cluster.hosts for pipe in self.cluster.pipes(host)]
        return Feeds(self.platform.objects, self.cluster.key.region, pipes, broke)

    def start(self, feeds: Feeds) -> Mapping[str, str]:
        """Stage the data, and start a container for each host; return them, host to id.

        ``feeds`` are started before the containers. Raises ChannelUnreadable,
        ContainerNotStarted, or what ``check_stop`` raises.
        """
        self._stage()
        containers = self._create()
        self.check_stop()
        feeds.start()
        for host in containers:
            for warning in self.cluster.share(host).warnings:
                self.record.log_line(host, f"sagedock: {warning}")
        for container in containers.values():
            self.platform.engine.start(container)
        self.record.enter("Training")
        return containers

    def watch(
        self, containers: Mapping[str, str], limits: Mapping[Limit, float], *, taken_up: bool
    ) -> Watched:
        """Follow the containers until all have ended, their checkpoints mirrored to S3."""
        document = self.record.document
        number = lifecycle.attempt(document)
        request, key = self.cluster.request, self.cluster.key
        restored = None if taken_up else checkpoint_folder(self.platform, key)
        sync = checkpoint_mirror(self.platform, request, containers.values(), restored)
        is_spot = bool(document["EnableManagedSpotTraining"])
        faults = Planned(
            [*planned(self.platform.faults, key.name, number, self.cluster.hosts, is_spot=is_spot)],
            self.events.put,
        )
        watch = Watch(
            engine=self.platform.engine,
            containers=containers,
            follow=self._follow,
            on_stop=self._on_stop,
            events=self.events,
            attempt=number,
            grace_s=self.platform.settings.stop_grace_s,
        )
        sync.start()
        try:
            with measured(self.platform, key, request, containers):
                watched = watch.until(limits)
        finally:
            faults.cancel()
            sync.abandon()
        sync.close()
        return watched

    def _stage(self) -> None:
        data, image = messages("Downloading")
        self.record.enter("Downloading", data)
        key, request = self.cluster.key, self.cluster.request
        stage_channels(self.platform, key, request, self.check_stop)
        restore(self.platform, request, checkpoint_folder(self.platform, key))
        staged = job_folder(self.platform, key) / "channels"
        slow_down(self.platform.faults, key.name, [staged], self.check_stop)
        self.check_stop()
        self.record.enter("Downloading", image)

    def _create(self) -> Mapping[str, str]:
        network = self.cluster.network()
        containers = {}
        for host in self.cluster.hosts:
            self.cluster.lay_out(host)
            containers[host] = self.platform.images.create(
                self.cluster.spec(host, network), self.check_stop
            )
        return containers

    def _follow(self, host: str, container: str) -> None:
        stream = self.record.stream_name(host)
        self.record.logs.store(self.platform.engine, container, stream)

    def _on_stop(self, cause: Cause) -> None:
        match cause:
            case "interrupted":
                self.record.enter("Interrupted")
            case "host-lost":
                return
            case _:
                self.record.enter("Stopping")
