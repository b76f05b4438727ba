"""buildspec.yml carried out here, step by step, on the zip that CodeBuild would get.

`make check` is left out by the buildspec's own variable CHECK: the tests run it themselves.
"""

import json
import os
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagedock.images.image import Image
from sagedock.images.remote.packing import pack
from sagedock.images.remote.sources import project_sources
from sagedock.local.ecr import find_program
from tests.buildspec import Built, carried_out
from tests.conftest import REGION
from tests.docker.conftest import RealLocal
from tests.docker.tiny_images import TinyImages, tiny_images
from tests.unit.images.remote_builds import wanted

pytestmark = pytest.mark.skipif(
    find_program() is None, reason="no docker-registry: `make registry` gets it"
)

ROOT = Path(__file__).resolve().parents[2]
_DOCKERFILE = "ARG BASE\nFROM ${BASE} AS image\nCOPY containers/images.toml /images.toml\n"


@pytest.fixture
def tiny() -> Iterator[TinyImages]:
    """A maker of small images; what is built from them is removed with them."""
    with tiny_images() as made:
        yield made


@pytest.fixture
def image(tiny: TinyImages) -> Image:
    """An image of the project's, that starts from a tiny one."""
    base = tiny.make()
    repository = f"{base.partition(':')[0]}-built"
    return Image(
        name="tiny",
        kind="training",
        device="cpu",
        dockerfile="tiny/Dockerfile",
        target="image",
        repository=repository,
        tag="1",
        base=base,
    )


@pytest.fixture
def unpacked(tmp_path: Path, image: Image) -> Path:
    """This project as a build on AWS finds it: unzipped, without git, and with one image more."""
    folder = tmp_path / "src"
    zipped = pack(project_sources(ROOT), tmp_path / "sources.zip")
    with zipfile.ZipFile(zipped.path) as archive:
        archive.extractall(folder)
        for entry in archive.infolist():
            file = folder / entry.filename
            file.chmod(entry.external_attr >> 16 & 0o777)
            then = time.mktime((*entry.date_time, 0, 0, -1))
            os.utime(file, (then, then))
    (folder / "containers" / "tiny").mkdir()
    (folder / "containers" / image.dockerfile).write_text(_DOCKERFILE)
    fields = ("name", "kind", "device", "dockerfile", "target", "repository", "tag", "base")
    table = "".join(f'{name} = "{getattr(image, name)}"\n' for name in fields)
    with (folder / "containers" / "images.toml").open("a", encoding="utf-8") as matrix:
        matrix.write(f"\n[[image]]\n{table}")
    _lend_environment(folder)
    return folder


def _lend_environment(folder: Path) -> None:
    """Give it the Python environment of these tests: to install one takes minutes, and a network.

    What `make setup` compares says that it is there.
    """
    own = folder / ".venv"
    own.mkdir()
    for entry in Path(sys.prefix).iterdir():
        if not entry.name.startswith("."):
            (own / entry.name).symlink_to(entry)
    (own / ".installed").touch()


def carried(real: RealLocal, folder: Path, image: Image, **changes: str) -> Built:
    build = wanted(images=(image,), revision=f"{'1' * 40}-dirty").variables()
    environ = {
        **os.environ,
        **real.server.environment(),
        "PYTHONPATH": str(folder / "src"),
        "CODEBUILD_BUILD_ID": "p:6e2a",
        "CODEBUILD_SRC_DIR": str(folder),
        **build,
        "PUSH": build["PUSH"].replace("--target aws", "--target local"),
        **changes,
    }
    return carried_out(folder, environ, timeout_s=500)


def images_of(real: RealLocal, image: Image) -> list[dict[str, Any]]:
    ecr = real.client("ecr")
    if image.repository not in [
        each["repositoryName"] for each in ecr.describe_repositories()["repositories"]
    ]:
        return []
    found: list[dict[str, Any]] = ecr.describe_images(
        repositoryName=image.repository, filter={"tagStatus": "TAGGED"}
    )["imageDetails"]
    return found


@pytest.mark.slow
def test_at_its_end_the_image_is_in_ecr_and_recorded(
    real: RealLocal, unpacked: Path, image: Image
) -> None:
    built = carried(real, unpacked, image)
    assert built.succeeded, built.output
    assert [code for _, code in built.commands] == [0, 0, 0, 0]
    (found,) = images_of(real, image)
    assert found["imageTags"] == ["1"]
    records = list((unpacked / "build" / "pushed").rglob("*.json"))
    assert [each.relative_to(unpacked / "build" / "pushed").as_posix() for each in records] == [
        f"{image.repository}/1.{REGION}.json"
    ]
    record = json.loads(records[0].read_text())
    assert record["digest"] == found["imageDigest"]
    assert record["image_uri"].endswith(f"{image.repository}@{found['imageDigest']}")
    assert record["image_revision"] == f"{'1' * 40}-dirty"
    assert (record["git_revision"], record["git_dirty"]) == ("1" * 40, True)

    again = carried(real, unpacked, image)
    assert again.succeeded, again.output
    assert "nothing to do" in again.output
    assert images_of(real, image) == [found]


@pytest.mark.slow
def test_what_failed_to_build_is_not_pushed(real: RealLocal, unpacked: Path, image: Image) -> None:
    (unpacked / "containers" / image.dockerfile).write_text(
        f"{_DOCKERFILE}RUN ['/bin/sh', '-c', 'exit 3']\n"
    )
    built = carried(real, unpacked, image)
    assert not built.succeeded
    commands = [command for command, _ in built.commands]
    assert commands[-2] == "make build"
    assert built.commands[-2][1] != 0
    assert built.commands[-1][1] == 0  # the guard of post_build: nothing was pushed
    assert images_of(real, image) == []


@pytest.mark.slow
def test_what_failed_before_the_build_ends_it(
    real: RealLocal, unpacked: Path, image: Image
) -> None:
    built = carried(real, unpacked, image, CHECK="no-such-verb")
    assert [command for command, _ in built.commands] == ["make setup engine", 'make "$CHECK"']
    assert not built.succeeded
