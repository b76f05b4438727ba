"""CPU time of a process and of what it started."""

import os
import subprocess
import sys

import pytest

from sagedock.load.usage import cpu_seconds

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

_BURN = "import time\nwhile time.process_time() < 0.5: pass\nprint(flush=True)\ninput()"
_PARENT = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {_BURN!r}])"


def test_children_count_with_their_parent() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline()  # the child has burnt half a second, and waits
        alive = cpu_seconds(parent.pid)
        parent.communicate(b"\n")
    assert alive >= 0.5


def test_time_only_grows() -> None:
    before = cpu_seconds(os.getpid())
    assert sum(number * number for number in range(2_000_000)) > 0
    assert cpu_seconds(os.getpid()) > before
