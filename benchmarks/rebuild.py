"""A change of one file of the runtime, built anew: `sagedock build` against the bare client."""

import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path

from benchmarks.table import Row, interleaved, timed
from sagedock.images import Image, build_image, find_matrix, load_images
from sagedock.images.builder import find_builder
from sagedock.images.plan import build_command

__all__ = ["rows"]

_ROOT = Path(__file__).resolve().parent.parent
_CHANGED = "src/sagedock/runtime/__init__.py"
_SEEN = (".dockerignore", "src/sagedock", "containers")
_ROUNDS, _GOAL_S = 5, 5.0
_CLI = (sys.executable, "-m", "sagedock.cli", "build")


def rows() -> Iterator[Row]:
    """Yield the seconds of a rebuild, a median."""
    with tempfile.TemporaryDirectory(prefix="sagedock-rebuild-") as folder:
        project = Path(folder)
        with _project(project) as image:
            build_image(image, root=project, progress=lambda _: None)
            numbers = count()
            ours, theirs, ratio = interleaved(
                _ROUNDS,
                lambda: timed(lambda: _ours(project, image, next(numbers))),
                lambda: timed(lambda: _theirs(project, image, next(numbers))),
            )
    yield Row(
        what="rebuild of training-cpu, one file of the runtime changed",
        ours=f"{ours:.2f} s",
        against=f"bare docker build {theirs:.2f} s",
        ratio=f"{ratio:.2f}",
        goal=f"under {_GOAL_S:.0f} s",
        met=ours < _GOAL_S,
    )


@contextmanager
def _project(folder: Path) -> Iterator[Image]:
    """Lay out what a build sees, its files as links; yield its image, under a name of its own."""
    for name in _SEEN:
        source, target = _ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, copy_function=_linked)
        else:
            shutil.copy2(source, target)
    found = next(i for i in load_images(find_matrix(folder)) if i.name == "training-cpu")
    image = replace(found, repository="sagedock-rebuild", tag=uuid.uuid4().hex[:12])
    matrix = find_matrix(folder)
    text = matrix.read_text(encoding="utf-8").partition('[[image]]\nname = "training-cuda"')[0]
    matrix.unlink()
    text = text.replace('"sagedock-training"', f'"{image.repository}"')
    matrix.write_text(text.replace('tag = "cpu"', f'tag = "{image.tag}"'), encoding="utf-8")
    try:
        yield image
    finally:
        docker = find_builder().docker
        subprocess.run([docker, "image", "rm", image.reference], capture_output=True, check=False)


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _change(project: Path, number: int) -> None:
    """Change a file as an editor does: by another in its place."""
    file = project / _CHANGED
    new = file.with_suffix(".new")
    text = (_ROOT / _CHANGED).read_text(encoding="utf-8")
    new.write_text(f"{text}\n# {uuid.uuid4().hex} {number}\n", encoding="utf-8")
    new.replace(file)


def _ours(project: Path, image: Image, number: int) -> None:
    _change(project, number)
    subprocess.run([*_CLI, image.name], cwd=project, check=True, capture_output=True)


def _theirs(project: Path, image: Image, number: int) -> None:
    _change(project, number)
    builder = find_builder()
    with tempfile.TemporaryDirectory() as private:
        command = build_command(
            image,
            builder=builder,
            root=project,
            id_file=Path(private) / "id",
            secrets={},
            environ={},
            labels={},
        )
        environ = {**os.environ, **builder.environment}
        subprocess.run(command, env=environ, check=True, capture_output=True)
