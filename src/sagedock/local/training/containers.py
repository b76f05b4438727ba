"""The containers of one training job: one per host, laid out as the platform does."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagedock.contract import network as names
from sagedock.contract import paths
from sagedock.engine import ContainerSpec, Network, OverlayMount, VolumeMount
from sagedock.local.ecr import find_image
from sagedock.local.endpoints import container_variables
from sagedock.local.platform import JOB_LABEL, Platform
from sagedock.local.resources import Key
from sagedock.local.training import layout
from sagedock.local.training.host_names import in_both_forms

__all__ = [
    "HOST_LABEL",
    "REGION_LABEL",
    "Cluster",
    "channel_folder",
    "job_folder",
    "job_labels",
    "network_name",
]

HOST_LABEL = "sagedock.host"
REGION_LABEL = "sagedock.region"
#: What ``gethostname`` answers on the platform. Source: aws/deep-learning-containers,
#: start_with_right_hostname.sh, which exists because of it.
_HOSTNAME = "aws"
_LOOPBACK = "127.0.0.1"
#: The hosts' first address in their subnet, behind the gateway's.
_FIRST_ADDRESS = 10
#: The bucket-free halves of /opt/ml that the platform lays out anew for every host.
_LAID_OUT = (paths.INPUT, paths.OUTPUT)


def job_labels(platform: Platform, key: Key) -> Mapping[str, str]:
    """Return the labels of everything that one job has in the engine."""
    return {**platform.labels, JOB_LABEL: key.name, REGION_LABEL: key.region}


def job_folder(platform: Platform, key: Key) -> Path:
    """Return where a job's files are staged while it runs."""
    return platform.jobs_folder / key.region / key.name


def channel_folder(platform: Platform, key: Key, channel: str, host: str | None = None) -> Path:
    """Return where a channel is staged: once for all hosts, or for one that gets its own shard."""
    return job_folder(platform, key) / "channels" / (host or "all") / channel


def network_name(platform: Platform, key: Key) -> str:
    """Return the name of the network of a job with several hosts; each region has its own names."""
    return f"{platform.network}-{key.region}-{key.name}"


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """The hosts of one job, and what each of their containers is made of."""

    platform: Platform
    key: Key
    arn: str
    request: Mapping[str, Any]

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts, algo-1 first."""
        return tuple(host for group in layout.host_groups(self.request) for host in group.hosts)

    @property
    def isolated(self) -> bool:
        """Whether the job asked for no network."""
        return bool(self.request.get("EnableNetworkIsolation", False))

    def network(self) -> Network:
        """Return the network that the hosts share, made if need be.

        One host has the server's network, or none; several have one of their own.
        """
        if len(self.hosts) == 1:
            name = "none" if self.isolated else self.platform.network
            return Network(name=name, gateway=None)
        return self.platform.engine.ensure_network(
            network_name(self.platform, self.key),
            job_labels(self.platform, self.key),
            isolated=self.isolated,
        )

    def addresses(self, network: Network) -> Mapping[str, str]:
        """Return each host's address, fixed for the whole job.

        A name that the engine resolves is gone when its container ends; on the platform it stays.
        """
        if len(self.hosts) == 1:
            return {names.hosts(1)[0]: _LOOPBACK}
        if network.subnet is None:
            return {}
        first = ipaddress.ip_network(network.subnet)[_FIRST_ADDRESS]
        return {host: str(first + number) for number, host in enumerate(self.hosts)}

    def lay_out(self, host: str) -> None:
        """Write one host's configuration files and empty folders where its container sees them."""
        for path in (paths.CHANNELS.path, paths.OUTPUT_DATA.path):
            self._staged(host, path).mkdir(parents=True, exist_ok=True)
        for path, content in layout.config_files(self.request, host).items():
            self._staged(host, path).parent.mkdir(exist_ok=True)
            self._staged(host, path).write_bytes(content)

    def spec(self, host: str, network: Network) -> ContainerSpec:
        """Return the container of one host, which was laid out."""
        command = layout.command(self.request)
        settings = self.platform.settings
        alone = len(self.hosts) == 1
        addresses = self.addresses(network)
        return ContainerSpec(
            name=f"{network_name(self.platform, self.key)}-{host}",
            image=find_image(
                self.platform.engine, self.request["AlgorithmSpecification"]["TrainingImage"]
            ).id,
            entrypoint=command.entrypoint,
            command=command.arguments,
            environment={
                **({} if self.isolated else container_variables(self.platform.container_url)),
                **layout.environment(self.request, arn=self.arn, region=self.key.region),
            },
            labels={**job_labels(self.platform, self.key), HOST_LABEL: host},
            network=network.name,
            aliases=() if alone else (host,),
            address=None if alone else addresses.get(host),
            extra_hosts={**self.platform.container_hosts, **in_both_forms(addresses)},
            hostname=_HOSTNAME,
            overlays=tuple(self._overlays(host)),
            volumes=(VolumeMount(target=paths.MODEL.path),),
            memory_mib=settings.container_memory_mib,
            shm_size_mib=settings.container_shm_mib,
        )

    def _staged(self, host: str, path: str) -> Path:
        """Return where a path of one host's container is staged on this machine."""
        return job_folder(self.platform, self.key) / "hosts" / host / path.lstrip("/")

    def _overlays(self, host: str) -> list[OverlayMount]:
        mounts = [
            OverlayMount(target=place.path, lower=self._staged(host, place.path))
            for place in _LAID_OUT
        ]
        for channel in self.request.get("InputDataConfig", ()):
            name = channel["ChannelName"]
            own = channel_folder(self.platform, self.key, name, host)
            shared = channel_folder(self.platform, self.key, name)
            mounts.append(
                OverlayMount(target=paths.channel(name), lower=own if own.exists() else shared)
            )
        return mounts
