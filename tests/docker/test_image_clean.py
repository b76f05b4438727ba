"""`make clean-images` removes the images of one label, and leaves all others."""

import os
import shutil
import subprocess
import uuid
from pathlib import Path

import pytest

pytestmark = pytest.mark.docker

SCRIPT = Path(__file__).resolve().parents[2] / "containers" / "clean.sh"


def docker(*words, **options):
    return subprocess.run(
        ["docker", *words], capture_output=True, check=True, timeout=60, **options
    ).stdout.decode()


@pytest.fixture
def tiny():
    """Return a function that makes an empty image with a label; all are removed at the end."""
    made = []

    def make(label):
        name = f"sagedock-probe:{uuid.uuid4().hex}"
        docker("import", "--change", f"LABEL {label}", "-", name, input=bytes(10240))
        made.append(name)
        return name

    yield make
    left = [name for name in made if docker("image", "ls", "--quiet", name)]
    if left:
        docker("image", "rm", *left)


def test_images_of_the_label_go_with_their_ended_containers(tiny, tmp_path):
    ours, theirs = f"probe.{uuid.uuid4().hex}", f"probe.{uuid.uuid4().hex}"
    mine, other = tiny(f"{ours}=a"), tiny(f"{theirs}=b")
    container = docker("create", mine, "nothing").strip()
    wheels = tmp_path / "wheels"
    (wheels / "mine").mkdir(parents=True)
    (wheels / ".gitignore").touch()
    script = shutil.copy(SCRIPT, tmp_path)

    done = subprocess.run(
        [script], env={**os.environ, "LABEL": ours}, capture_output=True, text=True, check=True
    )

    assert "removed 1 images" in done.stdout
    assert docker("image", "ls", "--quiet", mine) == ""
    assert docker("image", "ls", "--quiet", other)
    assert docker("container", "ls", "--all", "--quiet", "--filter", f"id={container}") == ""
    assert [path.name for path in wheels.iterdir()] == [".gitignore"]
