"""docs/how-to/add-an-image.md, done as it is written, in a copy of the project."""

import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagedock.engine import Engine

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "how-to" / "add-an-image.md"
REPOSITORY = "documents-training"
_FILE = re.compile(r"(?ms)`(?P<name>containers/[^`]+)`:\n\n```\n(?P<text>.*?)^```$")
_COMMANDS = re.compile(r"(?ms)^```sh\n(?P<text>.*?)^```$")


@pytest.fixture
def page(engine: Engine) -> Iterator[str]:
    """The page, with a repository of its own; what it builds is gone afterwards."""
    own = f"{REPOSITORY}-{uuid.uuid4().hex[:12]}"
    yield PAGE.read_text(encoding="utf-8").replace(REPOSITORY, own)
    subprocess.run(["docker", "image", "rm", f"{own}:cpu"], capture_output=True, check=False)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What a build sees of this project, without packages that were gathered."""
    shutil.copytree(
        ROOT / "containers", tmp_path / "containers", ignore=shutil.ignore_patterns("wheels")
    )
    shutil.copy(ROOT / ".dockerignore", tmp_path)
    return tmp_path


def test_the_page_does_what_it_says(page: str, checkout: Path) -> None:
    for found in _FILE.finditer(page):
        file = checkout / found["name"]
        file.parent.mkdir(exist_ok=True)
        with file.open("a", encoding="utf-8") as whole:  # images.toml is added to
            whole.write(f"\n{found['text']}" if file.suffix == ".toml" else found["text"])
    commands = "".join(found["text"] for found in _COMMANDS.finditer(page))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=checkout,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "application/pdf\n" in done.stdout
    assert "of at most 1.20 GB" in done.stdout
    assert "sagedock-training:cpu is ready" not in done.stderr  # the base that is there is taken
    assert "documents-cpu: gathering its Python packages" in done.stderr


def test_the_lock_of_the_page_is_of_its_requirements(page: str) -> None:
    files = {found["name"].rpartition("/")[2]: found["text"] for found in _FILE.finditer(page)}
    pinned = re.findall(r"(?m)^\S+==\S+", files["requirements.lock"])
    assert pinned == files["requirements.in"].split()
