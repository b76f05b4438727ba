"""An engine without Docker: a container is a Python function, run in a thread.

It keeps the interface that the rooms above know, so that everything but the container is real.
"""

import hashlib
import io
import tarfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sagedock.engine import (
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
from sagedock.errors import ContainerNotStarted, ImageNotFound

__all__ = ["Container", "FakeEngine"]

_KILLED = 137
_STARTED_NOTHING = "exec: no such program"


@dataclass
class Container:
    """What a fake container's function works with: its spec, its files, its log, its signals.

    ``usage``, ``written_bytes`` and ``gpus`` are what the engine measures while it runs;
    ``measured`` is set once its usage was. ``address`` is where its server listens, if it has one:
    see ``serving``.
    """

    spec: ContainerSpec
    id: str
    files: dict[str, bytes] = field(default_factory=dict)
    terminated: threading.Event = field(default_factory=threading.Event)
    state: str = "created"
    out_of_memory: bool = False
    code: int = 0
    usage: Usage | None = None
    written_bytes: int | None = None
    gpus: Sequence[Gpu] = ()
    measured: threading.Event = field(default_factory=threading.Event)
    address: tuple[str, int] | None = None
    ended: threading.Event = field(default_factory=threading.Event)
    _frames: list[LogFrame] = field(default_factory=list)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def on_host(self, path: str) -> Path:
        """Return where a path below one of the container's bind mounts lies on this machine."""
        for bind in sorted(self.spec.binds, key=lambda each: len(each.target), reverse=True):
            if path == bind.target or path.startswith(f"{bind.target}/"):
                return bind.source / path[len(bind.target) :].lstrip("/")
        raise FileNotFoundError(f"{path} is below no bind mount")

    def print(self, text: str, stream: Literal["stdout", "stderr"] = "stdout") -> None:
        """Write a line to the container's log."""
        self.write(f"{text}\n".encode(), stream)

    def write(self, data: bytes, stream: Literal["stdout", "stderr"] = "stdout") -> None:
        """Write bytes to the container's log."""
        with self._changed:
            self._frames.append(LogFrame(stream=stream, time_s=time.time(), data=data))
            self._changed.notify_all()

    def follow(self) -> Iterator[LogFrame]:
        """Yield the log from its start until the container ends."""
        position = 0
        while True:
            with self._changed:
                while position == len(self._frames) and not self.ended.is_set():
                    self._changed.wait(0.05)
                if position == len(self._frames):
                    return
                frame = self._frames[position]
            position += 1
            yield frame

    def end(self, code: int) -> None:
        """End with ``code``, unless it ended before."""
        if not self.ended.is_set():
            self.code, self.state = code, "exited"
            self.ended.set()


Program = Callable[[Container], int]


class FakeEngine:
    """Runs ``program`` for every container. ``images`` are the names it knows; each has ``labels``,
    ``architecture``, ``image_bytes``, ``media_type``, ``layers_of_images``, and what is saved of
    it, ``archive_of_images``. What a name means is built anew by ``rebuild``: it has another id
    then, and the old one is known by its id only. ``registry`` is what can be pulled, by name, with
    its id; ``pushed`` are the names that were pushed there, each with its digest.

    The program gets the container and returns its exit code; it should return once
    ``container.terminated`` is set. A program that is None cannot be started.
    """

    def __init__(self, program: Program | None, images: Sequence[str] = ()) -> None:
        self.program = program
        self.images = set(images)
        self._builds: dict[str, list[str]] = {}
        self.registry: dict[str, str] = {}
        self.pushed: dict[str, str] = {}
        self.labels: Mapping[str, str] = {}
        self.image_bytes = 0
        self.architecture = "amd64"
        self.archive_of_images = b""
        self.layers_of_images: Sequence[ImageLayer] = ()
        self.media_type: str | None = None
        self.hardware = Machine(cpus=2, memory_mib=8192)
        self.all: dict[str, Container] = {}
        self.all_networks: dict[str, Mapping[str, str]] = {}
        self._numbers = iter(range(1, 1_000_000))

    def image(self, reference: str) -> Image:
        """Return an image of that name or id, if it is one of ``images``."""
        name = reference if reference in self.images else self._of_id(reference)
        if name is None:
            raise ImageNotFound(f"the engine has no image {reference}")
        return Image(
            id=self._ids(name)[-1] if reference in self.images else reference,
            tags=(name,),
            digests=(),
            size=self.image_bytes,
            architecture=self.architecture,
            labels=self.labels,
            media_type=self.media_type,
        )

    def layers(self, image: str) -> Sequence[ImageLayer]:
        """Return ``layers_of_images``, whichever image is asked for."""
        self.image(image)
        return self.layers_of_images

    def saved(self, image: str) -> Iterator[bytes]:
        """Yield ``archive_of_images``, whichever image is asked for."""
        self.image(image)
        yield self.archive_of_images

    def rebuild(self, name: str) -> None:
        """Let the image of that name be another one from now on."""
        ids = self._ids(name)
        ids.append(_id_of(f"{name} {len(ids)}"))

    def _ids(self, name: str) -> list[str]:
        return self._builds.setdefault(name, [_id_of(name)])

    def _of_id(self, image: str) -> str | None:
        return next((name for name in self.images if image in self._ids(name)), None)

    def pull(self, reference: str, *, user: str, password: str) -> Image:  # noqa: ARG002 - the interface
        """Have an image of ``registry`` by that name."""
        if reference not in self.registry:
            raise ImageNotFound(f"manifest unknown: {reference}")
        self.tag(self.registry[reference], reference)
        return self.image(reference)

    def push(self, reference: str, *, user: str, password: str) -> Iterator[Transfer]:  # noqa: ARG002 - the interface
        """Put an image into ``registry``; its digest follows from its id."""
        image = self.image(reference).id
        digest = _id_of(f"manifest of {image}")
        yield Transfer(layer="layer", status="Pushed")
        self.registry[reference], self.pushed[reference] = image, digest
        yield Transfer(layer="", status="", digest=digest, total=self.image_bytes)

    def tag(self, image: str, reference: str) -> None:
        """Have ``reference`` mean an image."""
        known = image in self.images
        self._builds[reference] = [self._ids(image)[-1] if known else image]
        self.images.add(reference)

    def untag(self, reference: str) -> None:
        """Have ``reference`` mean nothing any more."""
        self.images.discard(reference)
        self._builds.pop(reference, None)

    def create(self, spec: ContainerSpec) -> str:
        """Create a container; its files are those of the folders it would see."""
        seen = [(each.target, each.lower) for each in spec.overlays]
        seen += [(each.target, each.source) for each in spec.binds]
        files = {
            f"{target}/{path.relative_to(folder)}": path.read_bytes()
            for target, folder in seen
            for path in folder.rglob("*")
            if path.is_file()
        }
        made = Container(spec=spec, id=f"fake-{next(self._numbers)}", files=files)
        self.all[made.id] = made
        return made.id

    def start(self, container: str) -> None:
        """Run the program in a thread; again, if it had ended."""
        made = self.all[container]
        program = self.program
        if program is None:
            raise ContainerNotStarted(_STARTED_NOTHING)
        made.terminated.clear()
        made.ended.clear()
        made.state = "running"
        threading.Thread(target=lambda: made.end(program(made)), daemon=True).start()

    def logs(self, container: str) -> Iterator[LogFrame]:
        """Yield what the program printed."""
        return self.all[container].follow()

    def wait(self, container: str) -> Exit:
        """Wait for the program."""
        made = self.all[container]
        made.ended.wait()
        return Exit(
            code=made.code, out_of_memory=made.out_of_memory, error="", finished_at_s=time.time()
        )

    def stop(self, container: str, grace_s: float) -> None:
        """Set ``terminated``; after the grace, end it as SIGKILL does."""
        made = self.all[container]
        if made.state == "created":  # it does not run
            return
        made.terminated.set()
        if not made.ended.wait(grace_s):
            made.end(_KILLED)

    def kill(self, container: str) -> None:
        """End it as SIGKILL does."""
        self.all[container].end(_KILLED)

    def files(
        self,
        container: str,  # noqa: ARG002 - the interface
        target: str,  # noqa: ARG002 - the interface
        below: str = "",  # noqa: ARG002 - the interface
    ) -> Iterator[OverlayFile] | None:
        """Return None: the archive has them."""
        return None

    def machine(self) -> Machine:
        """Return ``hardware``."""
        return self.hardware

    def archive(self, container: str, path: str) -> Iterator[bytes]:
        """Yield a tar of the container's files below ``path``."""
        files = {
            name: content
            for name, content in self.all[container].files.items()
            if name == path or name.startswith(f"{path}/")
        }
        if not files:
            return
        buffer = io.BytesIO()
        root = path.rpartition("/")[0]
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for name, content in files.items():
                entry = tarfile.TarInfo(name.removeprefix(f"{root}/"))
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        yield buffer.getvalue()

    def usage(self, container: str) -> Usage | None:
        """Return what the program says that it uses."""
        made = self.all.get(container)
        if made is None or made.state != "running" or made.usage is None:
            return None
        usage = made.usage
        made.measured.set()
        return usage

    def written_bytes(self, container: str) -> int | None:
        """Return what the program says that it has written."""
        made = self.all.get(container)
        return made.written_bytes if made else None

    def gpus(self, container: str) -> Sequence[Gpu]:
        """Return what the program says of its GPUs."""
        made = self.all.get(container)
        return made.gpus if made and made.state == "running" else ()

    def address(self, container: str, port: int) -> tuple[str, int] | None:  # noqa: ARG002 - the interface
        """Return where the program says that it listens, on whatever port."""
        made = self.all.get(container)
        return made.address if made and made.state == "running" else None

    def remove(self, container: str) -> None:
        """Forget a container."""
        made = self.all.pop(container, None)
        if made is not None:
            made.end(_KILLED)

    def containers(self, labels: Mapping[str, str]) -> Sequence[Found]:
        """Return the containers with those labels."""
        return [
            Found(id=each.id, name=each.spec.name, state=each.state, labels=each.spec.labels)
            for each in list(self.all.values())
            if _carries(each.spec.labels, labels)
        ]

    def ensure_network(
        self, name: str, labels: Mapping[str, str], *, isolated: bool = False
    ) -> Network:
        """Remember a network; it has no gateway."""
        self.all_networks[name] = {**labels, "isolated": str(isolated)}
        return Network(name=name, gateway=None)

    def remove_network(self, name: str) -> None:
        """Forget a network."""
        self.all_networks.pop(name, None)

    def networks(self, labels: Mapping[str, str]) -> Sequence[str]:
        """Return the networks with those labels."""
        return [name for name, own in self.all_networks.items() if _carries(own, labels)]

    def volumes(self, labels: Mapping[str, str]) -> Mapping[str, Mapping[str, str]]:  # noqa: ARG002 - the interface
        """Return nothing: what its containers write goes with them."""
        return {}

    def remove_volume(self, name: str) -> None:
        """Do nothing: there is none."""


def _carries(own: Mapping[str, str], labels: Mapping[str, str]) -> bool:
    """Say whether all of ``labels`` are there; an empty value asks for the label only."""
    return all(own.get(key) == value if value else key in own for key, value in labels.items())


def _id_of(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
