"""Docker, behind the interface that the rooms above know."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import docker
from docker.errors import APIError, DockerException, NotFound
from docker.types import Mount
from docker.utils import parse_repository_tag
from requests import RequestException

from sagedock.engine.addresses import address_of
from sagedock.engine.frames import read_frames, timestamp_s
from sagedock.engine.host_config import gpu_count, host_config
from sagedock.engine.image_layers import image_layers
from sagedock.engine.networks import make_network, network_addresses
from sagedock.engine.overlay_files import overlay_files
from sagedock.engine.overlays import layers_of, overlay_mounts, scratch_name
from sagedock.engine.registries import pulled, pushed
from sagedock.engine.spec import (
    ContainerSpec,
    Exit,
    Found,
    Gpu,
    Image,
    ImageLayer,
    LogFrame,
    Machine,
    Network,
    OverlayFile,
    Transfer,
    Usage,
)
from sagedock.engine.usage import NVIDIA_SMI, gpus_of, has_gpus, usage_of, volumes_bytes
from sagedock.errors import ContainerNotStarted, EngineError, EngineUnavailable, ImageNotFound

__all__ = ["DockerEngine"]

_MIB = 1024 * 1024
_ARCHIVE_CHUNK_BYTES = 4 * _MIB
#: For each answer, and each piece of one, but not for logs and the end of a container: removing
#: many gigabytes takes minutes; an engine that hangs must not hang every caller with it.
_ANSWER_TIMEOUT_S = 300
_CONFLICT = 409
_GONE = 404
_HOW_TO_GET_ONE = (
    "install and start Docker (Debian: `make engine` does it; elsewhere see "
    "https://docs.docker.com/engine/install/), or set DOCKER_HOST to a running engine"
)


class DockerEngine:
    """The Docker engine that the environment names (DOCKER_HOST, or the default socket)."""

    def __init__(self, client: docker.DockerClient) -> None:
        self._client = client

    @classmethod
    def connect(cls) -> "DockerEngine":
        """Return the engine that answers, or raise EngineUnavailable with what to do."""
        try:
            client = docker.from_env(timeout=_ANSWER_TIMEOUT_S)
            client.ping()
        except (DockerException, RequestException) as error:
            raise EngineUnavailable(
                f"no Docker engine answers ({error}): {_HOW_TO_GET_ONE}"
            ) from error
        return cls(client)

    def image(self, reference: str) -> Image:
        """Return the image of that name, tag, digest or id, or raise ImageNotFound."""
        try:
            attributes = self._client.api.inspect_image(reference)
        except NotFound as error:
            raise ImageNotFound(f"the engine has no image {reference}") from error
        except (DockerException, RequestException) as error:
            raise EngineError(f"inspecting image {reference}: {error}") from error
        return Image(
            id=attributes["Id"],
            tags=tuple(attributes.get("RepoTags") or ()),
            digests=tuple(attributes.get("RepoDigests") or ()),
            size=attributes["Size"],
            architecture=attributes["Architecture"],
            labels=(attributes.get("Config") or {}).get("Labels") or {},
            # Engines from 28 on, where containerd keeps the images.
            media_type=(attributes.get("Descriptor") or {}).get("mediaType"),
        )

    def layers(self, image: str) -> Sequence[ImageLayer]:
        """Return an image's layers, the lowest first."""
        found = self.image(image).id
        with _engine_errors(f"reading the layers of {image}"):
            files = self._client.api.inspect_image(found).get("RootFS") or {}
            return image_layers(self._client.api.history(found), files.get("Layers") or ())

    def saved(self, image: str) -> Iterator[bytes]:
        """Yield the archive of an image, as ``docker save`` writes it. Nothing runs.

        Older engines lay it out on their disk before the first byte, which takes minutes.
        """
        api = self._client.api
        with _engine_errors(f"saving image {image}"):
            response = api.get(
                f"{api.base_url}/v{api.api_version}/images/{image}/get", stream=True, timeout=None
            )
            response.raise_for_status()
            with response:
                yield from response.iter_content(_ARCHIVE_CHUNK_BYTES)

    def pull(self, reference: str, *, user: str, password: str) -> Image:
        """Pull an image, and return it; see ``Engine``."""
        with _engine_errors(f"pulling {reference}"):
            pulled(self._client.api, reference, user=user, password=password)
        return self.image(reference)

    def push(self, reference: str, *, user: str, password: str) -> Iterator[Transfer]:
        """Push an image, and yield what happens; see ``Engine``."""
        with _engine_errors(f"pushing {reference}"):
            yield from pushed(self._client.api, reference, user=user, password=password)

    def tag(self, image: str, reference: str) -> None:
        """Give an image another name."""
        repository, tag = parse_repository_tag(reference)
        with _engine_errors(f"tagging {image} as {reference}"):
            self._client.api.tag(image, repository, tag)

    def untag(self, reference: str) -> None:
        """Take a name from an image. One that is gone is no error."""
        with _engine_errors(f"untagging {reference}"), suppress(NotFound):
            self._client.api.remove_image(reference, noprune=True)

    def create(self, spec: ContainerSpec) -> str:
        """Create a container and return its id. Nothing runs yet."""
        api = self._client.api
        with _engine_errors(f"creating container {spec.name}"):
            mounts = overlay_mounts(self._client, spec)
            mounts += [
                Mount(
                    target=each.target,
                    source=each.name,
                    type="volume",
                    no_copy=True,
                    labels=dict(each.labels if each.name else spec.labels),
                )
                for each in spec.volumes
            ]
            mounts += _bind_mounts(spec)
            created = api.create_container(
                spec.image,
                name=spec.name,
                entrypoint=_listed(spec.entrypoint),
                command=_listed(spec.command),
                environment=dict(spec.environment),
                labels=dict(spec.labels),
                hostname=spec.hostname,
                ports=list(spec.ports) or None,
                host_config=host_config(api, spec, mounts),
                networking_config=_networking(api, spec),
            )
        return str(created["Id"])

    def start(self, container: str) -> None:
        """Start it, or raise ContainerNotStarted with the engine's words."""
        try:
            self._client.api.start(container)
        except APIError as error:
            raise ContainerNotStarted(str(error.explanation or error)) from error
        except (DockerException, RequestException) as error:
            raise EngineError(f"starting container {container}: {error}") from error

    def logs(self, container: str) -> Iterator[LogFrame]:
        """Yield its output from the first byte on, until it ends.

        Docker 20.10 may end a log that is followed before its last lines: it is read once more.
        """
        seen = {"stdout": 0, "stderr": 0}
        for frame in self._frames(container, follow=1):
            seen[frame.stream] += len(frame.data)
            yield frame
        for frame in self._frames(container, follow=0):
            known = min(seen[frame.stream], len(frame.data))
            seen[frame.stream] -= known
            if known < len(frame.data):
                yield replace(frame, data=frame.data[known:])

    def _frames(self, container: str, follow: int) -> Iterator[LogFrame]:
        api = self._client.api
        url = f"{api.base_url}/v{api.api_version}/containers/{container}/logs"
        asked = {"stdout": 1, "stderr": 1, "follow": follow, "timestamps": 1}
        with _engine_errors(f"following container {container}"):
            response = api.get(url, params=asked, stream=True, timeout=None)
            if not follow and response.status_code == _GONE:
                return  # removed meanwhile
            response.raise_for_status()
            with response:
                yield from read_frames(response.raw)

    def wait(self, container: str) -> Exit:
        """Block until it ends."""
        with _engine_errors(f"waiting for container {container}"):
            self._client.api.wait(container, timeout=None)
            state = self._client.api.inspect_container(container)["State"]
        return Exit(
            code=state["ExitCode"],
            out_of_memory=state["OOMKilled"],
            error=state["Error"],
            finished_at_s=timestamp_s(state["FinishedAt"]),
        )

    def stop(self, container: str, grace_s: float) -> None:
        """Send SIGTERM, and SIGKILL once ``grace_s`` seconds have passed. Returns when it ended."""
        with _engine_errors(f"stopping container {container}"), suppress(NotFound):
            self._client.api.stop(container, timeout=max(0, round(grace_s)))

    def kill(self, container: str) -> None:
        """Send SIGKILL without notice, as when a machine fails. One that ended is no error."""
        with _engine_errors(f"killing container {container}"), suppress(NotFound):
            try:
                self._client.api.kill(container)
            except APIError as error:
                if error.status_code != _CONFLICT:  # it does not run
                    raise

    def files(self, container: str, target: str, below: str = "") -> Iterator[OverlayFile] | None:
        """Yield what a container's overlay at ``target`` holds now, or None; see ``Engine``."""
        with _engine_errors(f"looking into {target} of container {container}"):
            mounts = self._client.api.inspect_container(container)["Mounts"]
            name = next(each["Name"] for each in mounts if each["Destination"] == target)
            layers = layers_of(self._client.api.inspect_volume(name))
        return None if layers is None else overlay_files(*layers, below)

    def machine(self) -> Machine:
        """Return what the engine's machine has for containers."""
        with _engine_errors("asking what the machine has"):
            info = self._client.info()
        has_runtime = "nvidia" in (info.get("Runtimes") or {})
        return Machine(
            cpus=info["NCPU"],
            memory_mib=info["MemTotal"] // _MIB,
            gpus=gpu_count() if has_runtime else 0,
        )

    def archive(self, container: str, path: str) -> Iterator[bytes]:
        """Yield a tar of a file or folder inside it, running or not; nothing if it is absent."""
        with _engine_errors(f"reading {path} of container {container}"), suppress(NotFound):
            chunks, _ = self._client.api.get_archive(
                container, path, chunk_size=_ARCHIVE_CHUNK_BYTES
            )
            yield from chunks

    def usage(self, container: str) -> Usage | None:
        """Return what it uses now, or None if it does not run."""
        with _engine_errors(f"measuring container {container}"), suppress(NotFound):
            stats = self._client.api.stats(container, stream=False, one_shot=True)
            state = self._client.api.inspect_container(container)["State"]
            return usage_of(stats, state["StartedAt"])
        return None

    def written_bytes(self, container: str) -> int | None:
        """Return how much it holds in its own layer and volumes, not counting what it was given;
        None where that cannot be measured.
        """
        api = self._client.api
        with _engine_errors(f"measuring the files of container {container}"), suppress(NotFound):
            found = api.inspect_container(container)
            rows = api.containers(all=True, size=True, filters={"id": container})
            layer = next((row.get("SizeRw", 0) for row in rows), None)
            names = [mount["Name"] for mount in found["Mounts"] if mount.get("Name")]
            volumes = volumes_bytes(api, [scratch_name(found["Name"].lstrip("/")), *names])
            return None if layer is None or volumes is None else layer + volumes
        return None

    def gpus(self, container: str) -> Sequence[Gpu]:
        """Return how busy its GPUs are; nothing if it has none, or does not run.

        Asked inside it: what it sees there are its own GPUs, and no others.
        """
        api = self._client.api
        with _engine_errors(f"measuring the GPUs of container {container}"):
            if not has_gpus(api.inspect_container(container)):
                return ()
            asked = api.exec_create(container, list(NVIDIA_SMI), stderr=False)
            return gpus_of(api.exec_start(asked["Id"]))

    def address(self, container: str, port: int) -> tuple[str, int] | None:
        """Return where this machine reaches a port of a running container; see ``Engine``."""
        with _engine_errors(f"finding container {container}"), suppress(NotFound):
            found = self._client.api.inspect_container(container)["NetworkSettings"]
            return address_of(found, port)
        return None

    def remove(self, container: str) -> None:
        """Kill it if it runs, and remove it with its volumes. One that is gone is no error."""
        api = self._client.api
        with _engine_errors(f"removing container {container}"), suppress(NotFound):
            name = api.inspect_container(container)["Name"].lstrip("/")
            try:
                api.remove_container(container, v=True, force=True)
            except APIError as error:
                if error.status_code != _CONFLICT or "in progress" not in str(error):
                    raise
                with suppress(NotFound):  # somebody else removes it, and may have by now
                    api.wait(container, condition="removed")
            api.remove_volume(scratch_name(name), force=True)

    def containers(self, labels: Mapping[str, str]) -> Sequence[Found]:
        """Return the containers that carry all of ``labels``, running or not."""
        with _engine_errors("listing containers"):
            rows = self._client.api.containers(all=True, filters={"label": _filters(labels)})
        return [
            Found(
                id=row["Id"],
                name=row["Names"][0].lstrip("/"),
                state=row["State"],
                labels=row["Labels"],
            )
            for row in rows
        ]

    def ensure_network(
        self, name: str, labels: Mapping[str, str], *, isolated: bool = False
    ) -> Network:
        """Return the bridge network of that name, made if it is absent."""
        api = self._client.api
        with _engine_errors(f"making network {name}"):
            if not any(row["Name"] == name for row in api.networks(names=[name])):
                make_network(api, name, dict(labels), isolated)
            config = network_addresses(api, name)
        return Network(name=name, gateway=config.get("Gateway"), subnet=config.get("Subnet"))

    def remove_network(self, name: str) -> None:
        """Remove a network. One that is gone is no error."""
        with _engine_errors(f"removing network {name}"), suppress(NotFound):
            self._client.api.remove_network(name)

    def networks(self, labels: Mapping[str, str]) -> Sequence[str]:
        """Return the names of the networks that carry all of ``labels``."""
        with _engine_errors("listing networks"):
            rows = self._client.api.networks(filters={"label": _filters(labels)})
        return [row["Name"] for row in rows]

    def volumes(self, labels: Mapping[str, str]) -> Mapping[str, Mapping[str, str]]:
        """Return the volumes that carry all of ``labels``: their labels, by name."""
        with _engine_errors("listing volumes"):
            rows = self._client.api.volumes(filters={"label": _filters(labels)})["Volumes"]
        return {row["Name"]: row["Labels"] for row in rows or ()}

    def remove_volume(self, name: str) -> None:
        """Remove a volume that no container uses. One that is gone is no error."""
        with _engine_errors(f"removing volume {name}"):
            self._client.api.remove_volume(name, force=True)


@contextmanager
def _engine_errors(doing: str) -> Iterator[None]:
    try:
        yield
    except (DockerException, RequestException) as error:
        explanation = getattr(error, "explanation", None) or error
        raise EngineError(f"{doing}: {explanation}") from error


def _listed(words: tuple[str, ...] | None) -> list[str] | None:
    return None if words is None else list(words)


def _filters(labels: Mapping[str, str]) -> list[str]:
    return [f"{key}={value}" if value else key for key, value in labels.items()]


def _networking(api: Any, spec: ContainerSpec) -> Any:
    if spec.network == "none" or not (spec.aliases or spec.address):
        return None
    endpoint = api.create_endpoint_config(aliases=list(spec.aliases), ipv4_address=spec.address)
    return api.create_networking_config({spec.network: endpoint})


def _bind_mounts(spec: ContainerSpec) -> list[Mount]:
    return [
        Mount(target=each.target, source=str(each.source), type="bind", read_only=each.read_only)
        for each in spec.binds
    ]
