"""A failure that this project itself brings about is told with what to do."""

from pathlib import Path

import pytest

from sagedock.images.failure import BuildLog
from sagedock.images.hints import hint

#: Docker 20.10's own BuildKit.
APT = """\
#5 [2/2] RUN apt-get update && apt-get install -y tree
#5 0.205 Reading package lists...
#5 0.224 E: Unable to locate package tree
#5 ERROR: executor failed running [/bin/sh -c apt-get update]: exit code: 100
"""
COPY = """\
#6 [2/2] COPY README.md /x
#6 ERROR: "/README.md" not found: not found
------
failed to compute cache key: "/README.md" not found: not found
"""
#: buildx.
COPY_NEW = """\
#6 [2/2] COPY README.md /x
#6 ERROR: failed to calculate checksum of ref a::b: "/README.md": not found
------
ERROR: failed to solve: failed to compute cache key: "/README.md": not found
"""


def told(log: str, root: Path) -> str:
    read = BuildLog()
    for line in log.splitlines():
        read.read(line)
    return hint(read.failure(), root=root, dockerfile=root / "containers" / "mine" / "Dockerfile")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "containers" / "mine").mkdir(parents=True)
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / ".dockerignore").write_text("# what a build sees\n*\n\n!containers\n")
    return tmp_path


def test_apt_without_sources(project: Path) -> None:
    said = told(APT, project)
    assert "images of sagedock hold no sources of apt" in said
    assert "containers/base/apt-install.sh and its two secrets" in said
    other = APT.replace(
        "Unable to locate package tree", "Package 'a' has no installation candidate"
    )
    assert told(other, project) == said
    assert told(APT.replace("E: Unable", "E: Nothing"), project) == ""


def test_a_package_that_the_mirror_lacks(project: Path) -> None:
    said = told(APT.replace("apt-get update &&", "/run/apt-install.sh"), project)
    assert said.startswith("the sources of apt have no such package: correct its name")


@pytest.mark.parametrize("log", [COPY, COPY_NEW], ids=["classic", "buildx"])
def test_a_file_that_dockerignore_keeps_out(project: Path, log: str) -> None:
    assert told(log, project) == (
        f"README.md is in the project, but {project}/.dockerignore keeps it out of the build: add "
        "the line `!README.md` there, or put the file where the build sees it, such as below "
        "containers/"
    )
    with (project / ".dockerignore").open("a") as file:
        file.write("!README.md\n")
    assert told(log, project) == ""  # the file was there then, or came since
    (project / "containers" / "mine" / "Dockerfile.dockerignore").write_text("*.md\n")
    assert "mine/Dockerfile.dockerignore keeps it out" in told(log, project)


def test_what_is_not_in_the_project_either(project: Path) -> None:
    assert told(COPY.replace("README", "NOWHERE"), project) == ""
    (project / ".dockerignore").unlink()
    assert told(COPY, project) == ""


def test_a_file_of_another_stage(project: Path) -> None:
    file = project / "containers" / "mine" / "Dockerfile"
    file.write_text("FROM a AS one\nFROM b\nCOPY --from=one \\\n  /README.md /x\n")
    assert told(COPY, project) == ""
    file.write_text("FROM a AS one\nFROM b\nCOPY --from=one /y /y\nCOPY README.md /x\n")
    assert "README.md is in the project" in told(COPY, project)
