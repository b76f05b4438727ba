"""base/build.sh, interrupted: the container and the files of a base that is half made go."""

import os
import time
from pathlib import Path

import pytest

from sagedock.images.running import run_lines

SCRIPT = Path(__file__).resolve().parents[3] / "containers" / "base" / "build.sh"
#: A registry serves the public image; committing takes until somebody ends it.
DOCKER = """#!/bin/bash
echo "$*" >>"$FAKE/said"
case $1 in
    image) exit 1 ;;
    pull) echo "bookworm: Pulling from library/python" ;;
    create) echo the-container ;;
    commit) [[ ! -e $FAKE/slow ]] || { echo committing >&2; sleep 300; } ;;
esac
"""


@pytest.fixture
def run(tmp_path):
    """Run the script with a stand-in for docker; return its exit code."""
    program = tmp_path / "docker"
    program.write_text(DOCKER)
    program.chmod(0o755)
    (tmp_path / "tmp").mkdir()

    def call(each):
        own = {"DOCKER": str(program), "FAKE": str(tmp_path), "TMPDIR": str(tmp_path / "tmp")}
        return run_lines(
            [str(SCRIPT), "our/base:1"], {**os.environ, "BASE": "public:1", **own}, each
        )

    call.said = tmp_path / "said"
    call.folder = tmp_path
    return call


def left(run):
    return list((run.folder / "tmp").iterdir())


def test_the_container_that_a_public_base_needs_is_removed(run):
    assert run(print) == 0
    assert run.said.read_text().splitlines()[-1] == "rm the-container"
    assert left(run) == []


def test_it_is_removed_also_when_the_script_is_interrupted(run):
    (run.folder / "slow").touch()

    def interrupt(line):
        if line == "committing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(interrupt)
    ends = time.monotonic() + 60
    while run.said.read_text().splitlines()[-1] != "rm the-container" or left(run):
        assert time.monotonic() < ends
        time.sleep(0.05)
