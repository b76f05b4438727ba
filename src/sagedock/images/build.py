"""An image, built: its base, its packages, then its Dockerfile."""

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sagedock.errors import BuildFailed
from sagedock.images.arguments import stages
from sagedock.images.builder import Builder, find_builder
from sagedock.images.failure import BuildLog
from sagedock.images.hints import hint
from sagedock.images.image import Image
from sagedock.images.labels import image_labels
from sagedock.images.plan import build_command, own_base
from sagedock.images.running import kept_in, run_lines
from sagedock.images.secrets import TEMPORARY, build_secrets
from sagedock.images.steps import StepLines
from sagedock.images.wheels import gather
from sagedock.images.writing import writing

__all__ = ["BuiltImage", "build_image", "log_of"]

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class BuiltImage:
    """An image that is built: its name in the matrix, its tag and its id, ``sha256:...``."""

    name: str
    reference: str
    id: str


def build_image(
    image: Image,
    *,
    root: Path,
    progress: Progress,
    environ: Mapping[str, str] = os.environ,
    release: str | None = None,
    no_cache: bool = False,
    no_network: bool = False,
) -> BuiltImage:
    """Build ``image`` and tag it ``image.reference``.

    ``root`` is the folder that holds ``containers/``, ``release`` the Debian that the image stands
    on, where its base does not tell. ``progress`` receives a line for each step; the whole output
    goes to ``root/build/logs/NAME.log``. Raises BuildFailed with the step that failed.
    """
    builder = find_builder(environ)
    containers = root / "containers"
    log = _empty_log(log_of(image, root))
    _make_base(image, containers, builder, log, progress, environ)
    if image.locks:
        gather(image, containers, progress, environ, log=log)
    with _private_folder() as folder:
        command = build_command(
            image,
            builder=builder,
            root=root,
            id_file=folder / "id",
            secrets=build_secrets(containers, release or own_base(image), folder, environ),
            environ=environ,
            labels=image_labels(image, root, environ),
            no_cache=no_cache,
            no_network=no_network,
        )
        progress(f"{image.name}: building {image.reference}")
        order = _stages(containers / image.dockerfile)
        own = {**environ, **builder.environment}
        _carry_out(image, command, own, log, progress, order=order)
        return BuiltImage(name=image.name, reference=image.reference, id=_id(image, folder / "id"))


def log_of(image: Image, root: Path) -> Path:
    """Return the file that has the whole output of an image's last build."""
    return root / "build" / "logs" / f"{image.name}.log"


@contextmanager
def _private_folder() -> Iterator[Path]:
    """Yield a folder that nobody else may read, for the time of a build."""
    with writing(Path(tempfile.gettempdir()), TEMPORARY):
        private = tempfile.TemporaryDirectory(prefix="sagedock-build-")
    with private as folder:
        yield Path(folder)


def _id(image: Image, file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise BuildFailed(
            f"{image.name}: the docker client did not tell which image it made: build it again"
        ) from error


def _stages(dockerfile: Path) -> tuple[str, ...]:
    """Return its stages in their order; none of a file that is absent, as the client will say."""
    if not dockerfile.is_file():
        return ()
    return stages(dockerfile.read_text(encoding="utf-8", errors="replace"))


def _make_base(
    image: Image,
    containers: Path,
    builder: Builder,
    log: Path,
    progress: Progress,
    environ: Mapping[str, str],
) -> None:
    """Make the base that this project makes itself; in a project without its script, the engine
    has to have it.
    """
    script, codename = containers / "base" / "build.sh", own_base(image)
    if codename and script.is_file():
        words = (str(script), image.base, codename)
        _carry_out(image, words, {**environ, "DOCKER": builder.docker}, log, progress)


def _carry_out(
    image: Image,
    argv: Sequence[str],
    environ: Mapping[str, str],
    log: Path,
    progress: Progress,
    *,
    order: Sequence[str] | None = None,
) -> None:
    """Run a program of the build; raise BuildFailed with the step that failed, and what to do.

    ``progress`` is told the steps of BuildKit, whose stages have that ``order``; without one, every
    line.
    """
    read, steps = BuildLog(), StepLines(order or ())
    with kept_in(log) as keep:

        def tell(lines: Sequence[str]) -> None:
            for line in lines:
                progress(f"{image.name}: {line}")

        def each(line: str) -> None:
            keep(line)
            read.read(line)
            if order is None:
                progress(line)
            else:
                tell(steps.read(line))

        code = run_lines(argv, environ, each, quiet=lambda: tell(steps.settle()))
    if code:
        root = log.parents[2]  # as log_of has it
        dockerfile = root / "containers" / image.dockerfile
        remedy = hint(read.failure(), root=root, dockerfile=dockerfile) or read.remedy()
        raise BuildFailed(
            f"{image.name} was not built: {Path(argv[0]).name} ended with {code}"
            f"{f': {remedy}' if remedy else ''}\n{read.failure()}\nthe whole output is in {log}",
            step=read.failed_step(),
        )


def _empty_log(path: Path) -> Path:
    with writing(path, "make it writable"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return path
