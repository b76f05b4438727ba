"""The example of a compiled operator, built as an image of its own name, which is removed again."""

import dataclasses
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sagedock.images import Image, build_image, find_matrix, load_images

__all__ = ["EXAMPLE", "ROOT", "built_example", "entry", "run_in"]

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "custom-op"


def entry(name: str, root: Path = ROOT) -> Image:
    """Return an image of a project's images.toml."""
    return next(each for each in load_images(find_matrix(root)) if each.name == name)


@contextmanager
def built_example(device: str) -> Iterator[str]:
    """Build what compiles, then the example with it; yield its name."""
    build_image(entry(f"ops-{device}"), root=ROOT, progress=print)
    found = entry(f"custom-op-{device}", EXAMPLE)
    found = dataclasses.replace(found, tag=f"{found.tag}-{uuid.uuid4().hex[:8]}")
    build_image(found, root=EXAMPLE, progress=print)
    try:
        yield found.reference
    finally:
        subprocess.run(["docker", "image", "rm", "--force", found.reference], check=True)


def run_in(image: str, *command: str, options: tuple[str, ...] = ()) -> str:
    """Return what a command prints in a container, both ways; fail where the command does."""
    done = subprocess.run(
        ["docker", "run", "--rm", *options, image, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
