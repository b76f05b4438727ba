"""Programs of a build: their lines, their end with ours, and disks that are full."""

import os
import sys
import time
from pathlib import Path

import pytest

from sagedock.errors import BuildFailed, StorageError
from sagedock.images.running import kept_in, run_lines


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state != "Z"


def test_lines_of_both_streams_and_the_exit_code():
    said = []
    assert run_lines(["sh", "-c", "echo out; echo err >&2; exit 7"], os.environ, said.append) == 7
    assert sorted(said) == ["err", "out"]


def test_what_ends_a_line_and_what_is_no_utf_8():
    said = []
    words = r"printf 'a\rb\r\n\303'; sleep 0.05; printf '\244\n\377\n\nlast'"
    assert run_lines(["sh", "-c", words], os.environ, said.append) == 0
    assert said == ["a", "b", "\u00e4", "\ufffd", "", "last"]


def test_a_line_of_megabytes_is_one():
    said = []
    words = "head -c 5000000 /dev/zero | tr '\\0' x; echo; echo b"
    assert run_lines(["sh", "-c", words], os.environ, said.append) == 0
    assert [len(line) for line in said] == [5_000_000, 1]


def test_quiet_is_told_while_nothing_comes_and_at_the_end(tmp_path):
    go_on = tmp_path / "go on"
    events = []

    def quiet():
        events.append("quiet")
        go_on.touch()

    words = f"echo a; until test -e '{go_on}'; do sleep 0.01; done; echo b"
    assert run_lines(["sh", "-c", words], os.environ, events.append, quiet=quiet) == 0
    assert events[:2] == ["a", "quiet"]
    assert [event for event in events if event != "quiet"] == ["a", "b"]
    assert events[-1] == "quiet"


def test_a_program_that_is_absent():
    with pytest.raises(BuildFailed, match="/nowhere/docker: cannot be run"):
        run_lines(["/nowhere/docker"], os.environ, print)


@pytest.mark.parametrize("stubborn", [False, True])
def test_what_it_started_ends_with_it_also_where_it_ignores_signals(stubborn):
    trap = "trap '' INT TERM; " if stubborn else ""
    pids = []

    def interrupt(line):
        pids.append(int(line))
        if len(pids) == 2:
            raise KeyboardInterrupt

    words = f"{trap}sh -c 'echo $$; exec sleep 300' & echo $$; wait"
    with pytest.raises(KeyboardInterrupt):
        run_lines(["bash", "-c", words], os.environ, interrupt, grace_s=0.2)
    ends = time.monotonic() + 60  # who is killed is not gone at once
    while any(is_alive(pid) for pid in pids):
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_a_log_whose_disk_is_full():
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full")
    words = r"/dev/full: cannot be written .* free the disk"
    with pytest.raises(StorageError, match=words), kept_in(full) as keep:
        run_lines(["echo", "a line"], os.environ, keep)


def test_a_log_that_cannot_be_opened(tmp_path):
    with pytest.raises(StorageError, match="make it writable"), kept_in(tmp_path):
        pass


def test_a_log_keeps_every_line(tmp_path):
    log = tmp_path / "log"
    with kept_in(log) as keep:
        run_lines([sys.executable, "-c", "print('a'); print('b')"], os.environ, keep)
    assert log.read_text() == "a\nb\n"


def test_what_it_says_at_its_end_is_read_so_that_it_can_end(tmp_path):
    ended = tmp_path / "ended"
    program = (
        "import signal, sys, time\n"
        "def end(*_):\n"
        "    sys.stdout.write('x' * 1_000_000); sys.stdout.flush()\n"
        f"    open({str(ended)!r}, 'w').close(); sys.exit()\n"
        "signal.signal(signal.SIGINT, end)\n"
        "print('ready', flush=True)\n"
        "time.sleep(300)\n"
    )

    def interrupt(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_lines([sys.executable, "-c", program], os.environ, interrupt, grace_s=60)
    assert ended.exists()


def test_a_program_that_closes_its_output_is_waited_for(tmp_path):
    ended = tmp_path / "ended"
    words = f"trap 'sleep 0.3; touch {ended}; exit' INT; echo $$; exec >&- 2>&-; sleep 300 & wait"

    def interrupt(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_lines(["bash", "-c", words], os.environ, interrupt, grace_s=60)
    assert ended.exists()


def test_an_error_of_what_is_done_with_a_log_is_not_the_logs(tmp_path):
    with pytest.raises(FileNotFoundError, match="other"), kept_in(tmp_path / "log"):
        raise FileNotFoundError("other")
