"""What the rooms above ask of an engine. ``DockerEngine`` keeps it; so does the tests' fake."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

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

__all__ = ["Engine"]


class Engine(Protocol):
    """A container engine. Every method is safe to call from several threads at once."""

    def image(self, reference: str) -> Image:
        """Return the image of that name, tag, digest or id, or raise ImageNotFound."""
        ...

    def layers(self, image: str) -> Sequence[ImageLayer]:
        """Return the layers of an image, the lowest first. Raises ImageNotFound."""
        ...

    def saved(self, image: str) -> Iterator[bytes]:
        """Yield the archive of an image, as ``docker save`` writes it. Nothing runs."""
        ...

    def pull(self, reference: str, *, user: str, password: str) -> Image:
        """Pull an image from its registry, by tag or digest, and return it. Raises ImageNotFound
        where that has none, EngineError with the registry's words where it refuses.
        """
        ...

    def push(self, reference: str, *, user: str, password: str) -> Iterator[Transfer]:
        """Push an image to the registry that its name begins with; yield what happens. Layers that
        are there already are not sent again. Raises EngineError with the registry's words.
        """
        ...

    def tag(self, image: str, reference: str) -> None:
        """Give an image another name; who had it loses it."""
        ...

    def untag(self, reference: str) -> None:
        """Take a name from an image, which goes with its last. One that is gone is no error."""
        ...

    def create(self, spec: ContainerSpec) -> str:
        """Create a container and return its id. Nothing runs yet."""
        ...

    def start(self, container: str) -> None:
        """Start it, or raise ContainerNotStarted with the engine's words."""
        ...

    def logs(self, container: str) -> Iterator[LogFrame]:
        """Yield its output from the first byte on, until it ends."""
        ...

    def wait(self, container: str) -> Exit:
        """Block until it ends."""
        ...

    def stop(self, container: str, grace_s: float) -> None:
        """Send SIGTERM, and SIGKILL once ``grace_s`` seconds have passed. Returns when it ended."""
        ...

    def kill(self, container: str) -> None:
        """Send SIGKILL without notice, as when a machine fails. One that ended is no error."""
        ...

    def files(self, container: str, target: str, below: str = "") -> Iterator[OverlayFile] | None:
        """Yield what a container's overlay at ``target`` holds now, running or ended; with
        ``below``, a path in it, only what lies in that folder.

        None where this process may not read the engine's folders: ``archive`` can. A file may be
        gone, or other, by the time it is opened.
        """
        ...

    def machine(self) -> Machine:
        """Return what the engine's machine has for containers."""
        ...

    def archive(self, container: str, path: str) -> Iterator[bytes]:
        """Yield a tar of a file or folder inside it, running or not; nothing if it is absent."""
        ...

    def usage(self, container: str) -> Usage | None:
        """Return what it uses now, or None if it does not run."""
        ...

    def written_bytes(self, container: str) -> int | None:
        """Return how much it holds in its own layer and volumes, not counting what it was given;
        None where that cannot be measured.
        """
        ...

    def gpus(self, container: str) -> Sequence[Gpu]:
        """Return how busy its GPUs are; nothing if it has none, or does not run."""
        ...

    def address(self, container: str, port: int) -> tuple[str, int] | None:
        """Return where this machine reaches a port of a running container: published on the
        loopback where its spec says so, else on its network. None while there is no such place.
        """
        ...

    def remove(self, container: str) -> None:
        """Kill it if it runs, and remove it with its volumes. One that is gone is no error."""
        ...

    def containers(self, labels: Mapping[str, str]) -> Sequence[Found]:
        """Return the containers that carry all of ``labels``, running or not."""
        ...

    def ensure_network(
        self, name: str, labels: Mapping[str, str], *, isolated: bool = False
    ) -> Network:
        """Return the bridge network of that name, made if it is absent."""
        ...

    def remove_network(self, name: str) -> None:
        """Remove a network. One that is gone is no error."""
        ...

    def networks(self, labels: Mapping[str, str]) -> Sequence[str]:
        """Return the names of the networks that carry all of ``labels``."""
        ...

    def volumes(self, labels: Mapping[str, str]) -> Mapping[str, Mapping[str, str]]:
        """Return the volumes that carry all of ``labels``: their labels, by name."""
        ...

    def remove_volume(self, name: str) -> None:
        """Remove a volume that no container uses. One that is gone is no error."""
        ...
