"""A build with a stand-in for the docker client: its log, its failures, and disks that are full."""

import hashlib
import os
import subprocess
import tempfile
import zipfile

import pytest

from sagedock.errors import BuildFailed, StorageError
from sagedock.images.build import build_image
from sagedock.images.image import Image

IMAGE = Image(
    name="mine",
    kind="training",
    device="cpu",
    dockerfile="Dockerfile",
    target="final",
    repository="mine",
    tag="v1",
    base="debian:12",
)
#: Says its version, and builds as BUILD has it; ID is the file for the image's id.
DOCKER = """#!/bin/bash
[[ $1 != --version ]] || { echo "Docker version 20.10.24, build x"; exit; }
[[ $1 == build ]] || exit 1
while [[ $1 != --iidfile ]]; do shift; done
ID=$2
eval "$BUILD"
"""


@pytest.fixture
def build(tmp_path):
    """Build an image by a stand-in that does what the words of a shell say."""
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(DOCKER)
    program.chmod(0o755)
    (tmp_path / "project" / "containers").mkdir(parents=True)

    def run(words, **changes):
        environ = {**os.environ, "PATH": f"{program.parent}:/usr/bin:/bin", "BUILD": words}
        environ |= run.environ
        made = Image(**{**vars(IMAGE), **changes})
        return build_image(made, root=run.root, progress=run.progress, environ=environ)

    run.root, run.said, run.environ = tmp_path / "project", [], {}
    run.progress = run.said.append
    return run


@pytest.fixture
def small_disk(tmp_path):
    """Return what puts a disk of few KB in a folder's place."""
    mounted = []

    def mount(folder, options="size=16k"):
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
            capture_output=True,
            check=False,
        )
        if done.returncode:
            pytest.skip("needs to mount a small disk: root")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


def test_the_id_the_log_and_the_steps(build):
    made = build("echo '#5 [1/2] FROM debian:12'; echo '#6 [2/2] RUN true'; echo sha256:1 >$ID")
    assert (made.id, made.reference) == ("sha256:1", "mine:v1")
    assert build.said == [
        "mine: building mine:v1",
        "mine: [1/2] FROM debian:12",
        "mine: [2/2] RUN true",
    ]
    log = build.root / "build" / "logs" / "mine.log"
    assert log.read_text() == "#5 [1/2] FROM debian:12\n#6 [2/2] RUN true\n"


def test_what_the_cache_had_is_told_by_stage_and_nothing_is_cut(build):
    words = "RUN " + "make all && " * 30 + "true"
    text = "FROM a AS one\nFROM one AS final\n"
    (build.root / "containers" / "Dockerfile").write_text(text)
    steps = f"'#5 [final 1/1] {words}' '#5 CACHED' '#6 [one 2/2] {words}' '#6 CACHED'"
    build(f"printf '%s\\n' {steps}; echo sha256:1 >$ID")
    assert build.said[1:] == [
        f"mine: [one 2/2] cached: {words}",
        f"mine: [final 1/1] cached: {words}",
    ]


def test_a_step_that_says_nothing_is_told_while_it_runs(build, tmp_path):
    seen = tmp_path / "seen"

    def progress(line):
        build.said.append(line)
        if "sleep" in line:
            seen.touch()

    build.progress = progress
    build(
        f"echo '#5 [1/1] RUN sleep'; until test -e {seen}; do sleep 0.01; done\n"
        "echo '#5 DONE 12.3s'; echo sha256:1 >$ID"
    )
    assert build.said[1:] == ["mine: [1/1] RUN sleep", "mine: [1/1] done in 12.3 s"]


def test_what_the_environment_of_the_build_tells(build):
    """Not that of this program: a caller may give another."""
    script = build.root / "containers" / "base" / "mirror.sh"
    script.parent.mkdir()
    script.write_text('#!/bin/sh\necho "$MIRROR"\n')
    script.chmod(0o755)
    build.environ = {"SAGEDOCK_REVISION": "abc", "MIRROR": "http://mirror.example.com/debian"}
    shows = 'for word; do case $word in id=apt_sources,*) cat "${word#*,src=}";; esac; done'
    build(f'echo "$@"; {shows}; echo sha256:1 >$ID', base="sagedock/base:bookworm-py3.11")
    log = (build.root / "build" / "logs" / "mine.log").read_text()
    assert "--label org.opencontainers.image.revision=abc" in log
    assert "deb http://mirror.example.com/debian bookworm main\n" in log


def test_a_failure_names_the_client_the_remedy_and_the_log(build):
    with pytest.raises(BuildFailed) as caught:
        build("echo 'failed to solve: mount: no space left on device'; exit 1")
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("mine was not built: docker ended with 1: the engine's disk is full")
    assert lines[-1] == f"the whole output is in {build.root / 'build' / 'logs' / 'mine.log'}"


def test_a_full_disk_of_the_log_ends_the_build(build, small_disk):
    small_disk(build.root / "build")
    with pytest.raises(StorageError, match=r"mine\.log: cannot be written .* free the disk"):
        build("for i in $(seq 100000); do echo a line that is quite long $i; done; touch $ID.done")


def test_a_disk_that_takes_no_file_more(build, small_disk):
    small_disk(build.root / "build", "size=16k,nr_inodes=1")
    with pytest.raises(StorageError, match=r"mine\.log: cannot be written"):
        build("echo sha256:1 >$ID")


def test_a_full_disk_of_the_packages_leaves_nothing(build, small_disk, tmp_path, monkeypatch):
    wheels = small_disk(build.root / "containers" / "wheels")
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    (build.root / "containers" / "a.lock").write_text(big_wheel(shelf))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    with pytest.raises(StorageError, match=r"wheels/mine: pip found no space left on device"):
        build("touch $ID", locks=("a.lock",))
    assert list(wheels.iterdir()) == []


def test_a_full_disk_of_temporary_files(build, small_disk, tmp_path, monkeypatch):
    script = build.root / "containers" / "base" / "mirror.sh"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\necho http://mirror.example.com/debian\n")
    script.chmod(0o755)
    disk = small_disk(tmp_path / "temporary", "size=16k,nr_inodes=2")  # a folder, and no file
    monkeypatch.setattr(tempfile, "tempdir", str(disk))
    with pytest.raises(StorageError, match=r"apt_sources: cannot be written .* TMPDIR"):
        build("echo sha256:1 >$ID", base="sagedock/base:bookworm-py3.11")
    assert list(disk.iterdir()) == []


def test_an_error_that_is_not_the_disks_is_not_told_as_one(build):
    def breaks(line):
        raise ConnectionResetError(line)

    build.progress = breaks
    with pytest.raises(ConnectionResetError, match="mine: building"):
        build("echo sha256:1 >$ID")


def test_a_client_that_does_not_tell_what_it_made(build):
    with pytest.raises(BuildFailed, match="did not tell which image it made"):
        build("true")


def big_wheel(shelf):
    """Put a package of 200 KB on a shelf; return its line of a lock."""
    path = shelf / "big-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("big.py", os.urandom(200_000))
        wheel.writestr("big-1.0.dist-info/METADATA", "Name: big\nVersion: 1.0\n")
        wheel.writestr("big-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("big-1.0.dist-info/RECORD", "")
    return f"big==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def test_a_failure_that_the_project_brings_about_is_told_with_what_to_do(build):
    (build.root / "README.md").write_text("mine")
    (build.root / ".dockerignore").write_text("*\n!containers\n")
    with pytest.raises(BuildFailed, match=r"README\.md is in the project, but .*/\.dockerignore"):
        build("""echo '#6 [2/2] COPY README.md /x'
        echo '#6 ERROR: "/README.md" not found: not found'; exit 1""")
