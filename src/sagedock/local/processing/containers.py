"""The containers of one processing job: one per host, laid out as the platform does."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagedock.contract import paths
from sagedock.engine import ContainerSpec, Network, OverlayMount
from sagedock.local.endpoints import container_variables
from sagedock.local.hosts import HOST_LABEL, HOSTNAME, Hosts
from sagedock.local.platform import Platform
from sagedock.local.processing import layout
from sagedock.local.processing.names import job_folder, job_labels, network_name
from sagedock.local.processing.transfers import uploads
from sagedock.local.resources import Resource
from sagedock.local.training.machine_limits import Share, share_of

__all__ = ["Cluster"]

#: What the platform lays out anew for every host.
_LAID_OUT = (paths.PROCESSING, paths.PROCESSING_CONFIG, paths.OUTPUT)


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """The hosts of one job, and what each of their containers is made of."""

    platform: Platform
    job: Resource

    @property
    def request(self) -> Mapping[str, Any]:
        """What created the job."""
        return self.job.request

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts, algo-1 first."""
        return layout.hosts(self.request)

    def share(self) -> Share:
        """Return a host's share of this machine."""
        instance_type = self.request["ProcessingResources"]["ClusterConfig"]["InstanceType"]
        return share_of(instance_type, self.platform.machine, self.platform.settings)

    def folder(self, host: str, path: str) -> Path:
        """Return where a path of one host's container is staged on this machine."""
        return job_folder(self.platform, self.job.key) / "hosts" / host / path.lstrip("/")

    def found(self) -> Mapping[str, str]:
        """Return the containers (host to id) that a killed server had started, all or none."""
        found = self.platform.engine.containers(self._labels)
        started = {each.labels[HOST_LABEL]: each.id for each in found if each.state != "created"}
        is_whole = set(started) == set(self.hosts)
        return {host: started[host] for host in self.hosts} if is_whole else {}

    def lay_out(self, host: str) -> None:
        """Write one host's configuration files, and make its empty folders."""
        for place in _LAID_OUT:
            self.folder(host, place.path).mkdir(parents=True, exist_ok=True)
        for each in uploads(self.request):
            folder = self.folder(host, f"{paths.PROCESSING}/{each.below}")
            folder.mkdir(parents=True, exist_ok=True)
        arn = self.job.document["ProcessingJobArn"]
        for path, content in layout.config_files(self.request, host, arn).items():
            self.folder(host, path).write_bytes(content)

    def create(self, check_stop: Callable[[], None]) -> Mapping[str, str]:
        """Create a container for each host, which was laid out, and return them, host to id.

        Raises what ``check_stop`` raises while an image is pulled.
        """
        network, images = self._hosts.joined(), self.platform.images
        return {host: images.create(self.spec(host, network), check_stop) for host in self.hosts}

    def spec(self, host: str, network: Network) -> ContainerSpec:
        """Return the container of one host."""
        command = layout.command(self.request)
        share, seat = self.share(), self._hosts.seat(host, network)
        url = self.platform.container_url
        return ContainerSpec(
            name=f"{network_name(self.platform, self.job.key)}-{host}",
            image=self.platform.images.find(self.request["AppSpecification"]["ImageUri"]).id,
            entrypoint=command.entrypoint,
            command=command.arguments,
            environment={
                **({} if self._isolated else container_variables(url)),
                **layout.environment(self.request, self.job.key.region),
            },
            labels={**self._labels, HOST_LABEL: host},
            network=network.name,
            aliases=seat.aliases,
            address=seat.address,
            extra_hosts=seat.extra_hosts,
            hostname=HOSTNAME,
            overlays=tuple(
                OverlayMount(target=place.path, lower=self.folder(host, place.path))
                for place in _LAID_OUT
            ),
            memory_mib=share.memory_mib,
            cpus=share.cpus,
            shm_size_mib=share.shm_mib,
            gpus=share.gpus,
            devices=share.devices,
        )

    def remove(self) -> None:
        """Remove what the job has in the engine and on disk."""
        engine = self.platform.engine
        for each in engine.containers(self._labels):
            engine.remove(each.id)
        shutil.rmtree(job_folder(self.platform, self.job.key), ignore_errors=True)
        # Those of a container that somebody else removed, or that could not be created.
        for volume in engine.volumes(self._labels):
            engine.remove_volume(volume)
        for name in engine.networks(self._labels):
            engine.remove_network(name)

    @property
    def _labels(self) -> Mapping[str, str]:
        return job_labels(self.platform, self.job.key)

    @property
    def _isolated(self) -> bool:
        return bool(self.request.get("NetworkConfig", {}).get("EnableNetworkIsolation"))

    @property
    def _hosts(self) -> Hosts:
        return Hosts(
            platform=self.platform,
            names=self.hosts,
            network=network_name(self.platform, self.job.key),
            labels=self._labels,
            isolated=self._isolated,
        )
