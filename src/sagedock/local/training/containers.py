"""The containers of one training job: one per host, laid out as the platform does."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagedock.contract import paths
from sagedock.engine import BindMount, ContainerSpec, Network, OverlayMount, VolumeMount
from sagedock.local.endpoints import container_variables
from sagedock.local.hosts import HOST_LABEL, HOSTNAME, Hosts
from sagedock.local.platform import JOB_LABEL, Platform
from sagedock.local.resources import Key
from sagedock.local.training import layout
from sagedock.local.training.file_systems import FileSystemAbsent, local_folder
from sagedock.local.training.inputs import FileSystem, Input
from sagedock.local.training.layout import checkpoint_path
from sagedock.local.training.machine_limits import Share, share_of
from sagedock.local.training.pipes import Pipe, clear_pipes
from sagedock.local.training.unreadable import ChannelUnreadable

__all__ = [
    "POOL_LABEL",
    "REGION_LABEL",
    "Cluster",
    "channel_folder",
    "checkpoint_folder",
    "job_folder",
    "job_labels",
    "network_name",
    "plan_file",
    "pool_volume",
]

REGION_LABEL = "sagedock.region"
#: On the volumes of a warm pool, which outlive the job that made them.
POOL_LABEL = "sagedock.warm-pool"
_ANYBODY_MAY_LOOK = 0o755
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


def checkpoint_folder(platform: Platform, key: Key) -> Path:
    """Return where the checkpoints that S3 has are staged."""
    return job_folder(platform, key) / "checkpoints"


def plan_file(platform: Platform, key: Key, channel: str) -> Path:
    """Return where is written what a Pipe channel sends."""
    return job_folder(platform, key) / "plans" / channel


def pool_volume(platform: Platform, pool: str, host: str) -> str:
    """Return the name of the volume that a host of a warm pool keeps from job to job."""
    return f"{platform.network}-pool-{pool}-{host}"


def network_name(platform: Platform, key: Key) -> str:
    """Return the name of the network of a job with several hosts; each region has its own names."""
    return f"{platform.network}-{key.region}-{key.name}"


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """The hosts of one job, and what each of their containers is made of.

    ``pool`` is the warm pool that it runs on, if it does.
    """

    platform: Platform
    key: Key
    arn: str
    request: Mapping[str, Any]
    pool: str | None = None

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts, algo-1 first."""
        return tuple(host for group in layout.host_groups(self.request) for host in group.hosts)

    def share(self, host: str) -> Share:
        """Return a host's share of this machine."""
        group = next(each for each in layout.host_groups(self.request) if host in each.hosts)
        return share_of(group.instance_type, self.platform.machine, self.platform.settings)

    @property
    def isolated(self) -> bool:
        """Whether the job asked for no network."""
        return bool(self.request.get("EnableNetworkIsolation", False))

    def network(self) -> Network:
        """Return the network that the hosts share, made if need be; see ``Hosts``."""
        return self._hosts().joined()

    def lay_out(self, host: str) -> None:
        """Write one host's configuration files and empty folders where its container sees them."""
        for path in (paths.CHANNELS.path, paths.OUTPUT_DATA.path):
            self._staged(host, path).mkdir(parents=True, exist_ok=True)
        for path, content in layout.config_files(self.request, host).items():
            self._staged(host, path).parent.mkdir(exist_ok=True)
            self._staged(host, path).write_bytes(content)
        pipes = self.pipes(host)
        if pipes:
            self._lay_out_pipes(host)
            clear_pipes(pipes)

    def pipes(self, host: str) -> tuple[Pipe, ...]:
        """Return one host's Pipe channels."""
        job = job_folder(self.platform, self.key)
        return tuple(
            Pipe(
                channel=channel,
                share=channel.share_of(host),
                plan=plan_file(self.platform, self.key, channel.name),
                folder=self._pipes_folder(host),
                begun=job / "epochs" / host / channel.name,
            )
            for channel in layout.inputs(self.request, host)
            if channel.mode == "Pipe"
        )

    def spec(self, host: str, network: Network) -> ContainerSpec:
        """Return the container of one host, which was laid out."""
        command = layout.command(self.request)
        share = self.share(host)
        seat = self._hosts().seat(host, network)
        return ContainerSpec(
            name=f"{network_name(self.platform, self.key)}-{host}",
            image=self.platform.images.find(
                self.request["AlgorithmSpecification"]["TrainingImage"]
            ).id,
            entrypoint=command.entrypoint,
            command=command.arguments,
            environment={
                **({} if self.isolated else container_variables(self.platform.container_url)),
                **layout.environment(
                    self.request, arn=self.arn, region=self.key.region, warm=self.pool is not None
                ),
            },
            labels={**job_labels(self.platform, self.key), HOST_LABEL: host},
            network=network.name,
            aliases=seat.aliases,
            address=seat.address,
            extra_hosts=seat.extra_hosts,
            hostname=HOSTNAME,
            overlays=tuple(self._overlays(host)),
            binds=tuple(self._binds(host)),
            volumes=tuple(self._volumes(host)),
            memory_mib=share.memory_mib,
            cpus=share.cpus,
            shm_size_mib=share.shm_mib,
            gpus=share.gpus,
            devices=share.devices,
        )

    def _hosts(self) -> Hosts:
        return Hosts(
            platform=self.platform,
            names=self.hosts,
            network=network_name(self.platform, self.key),
            labels=job_labels(self.platform, self.key),
            isolated=self.isolated,
        )

    def _volumes(self, host: str) -> Iterator[VolumeMount]:
        yield VolumeMount(target=paths.MODEL.path)
        if self.pool is not None:
            yield VolumeMount(
                target=paths.WARM_POOL_CACHE.path,
                name=pool_volume(self.platform, self.pool, host),
                labels={**self.platform.labels, POOL_LABEL: self.pool},
            )

    def _staged(self, host: str, path: str) -> Path:
        """Return where a path of one host's container is staged on this machine."""
        return job_folder(self.platform, self.key) / "hosts" / host / path.lstrip("/")

    def _pipes_folder(self, host: str) -> Path:
        return job_folder(self.platform, self.key) / "pipes" / host

    def _lay_out_pipes(self, host: str) -> None:
        """Make the folder of a host's FIFOs, which stands for the folder of its channels.

        The container sees it read-only, so what the other channels are mounted on is made here.
        """
        self._pipes_folder(host).mkdir(parents=True, exist_ok=True)
        self._pipes_folder(host).chmod(_ANYBODY_MAY_LOOK)  # whoever the container runs as
        for channel in layout.inputs(self.request, host):
            if channel.mode != "Pipe":
                (self._pipes_folder(host) / channel.name).mkdir(exist_ok=True)

    def _overlays(self, host: str) -> Iterator[OverlayMount]:
        for place in _LAID_OUT:
            yield OverlayMount(target=place.path, lower=self._staged(host, place.path))
        for channel in layout.inputs(self.request, host):
            if channel.mode == "File" and channel.file_system is None:
                yield OverlayMount(
                    target=paths.channel(channel.name), lower=self._channel_folder(channel, host)
                )
        if checkpoints := checkpoint_path(self.request):
            lower = checkpoint_folder(self.platform, self.key)
            yield OverlayMount(target=checkpoints, lower=lower)

    def _binds(self, host: str) -> Iterator[BindMount]:
        if self.pipes(host):
            yield BindMount(
                target=paths.CHANNELS.path, source=self._pipes_folder(host), read_only=True
            )
        for channel in layout.inputs(self.request, host):
            target = paths.channel(channel.name)
            if channel.file_system is not None:
                folder = self._folder_of(channel.file_system)
                yield BindMount(
                    target=target, source=folder, read_only=channel.file_system.read_only
                )
            elif channel.mode == "FastFile":
                folder = self._channel_folder(channel, host)
                yield BindMount(target=target, source=folder, read_only=True)

    def _folder_of(self, system: FileSystem) -> Path:
        try:
            return local_folder(self.platform.settings.file_systems, system)
        except FileSystemAbsent as error:  # it was there when the job was created
            raise ChannelUnreadable(f"Failed to mount {error}") from error

    def _channel_folder(self, channel: Input, host: str) -> Path:
        own = host if channel.sharded else None
        return channel_folder(self.platform, self.key, channel.name, own)
