"""Supervision of real processes: exit codes, signals, stderr, orphans. No container needed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

DRIVER = """
import os, sys
from pathlib import Path
from sagedock.runtime.supervise import Supervisor
ended = Supervisor().run(sys.argv[1:], env=os.environ, cwd=Path("."))
print("stopped" if ended.stopped else "ended", ended.stderr[-1:], flush=True)
sys.exit(ended.exit_code)
"""


def start(command: list[str], cwd: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, *command],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def run(command: list[str], cwd: Path) -> tuple[int, bytes, bytes]:
    process = start(command, cwd)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def python(program: str) -> list[str]:
    return [sys.executable, "-c", program]


def stop_when_ready(
    process: "subprocess.Popen[bytes]", ready: Path, number: int
) -> tuple[int, bytes]:
    deadline = time.monotonic() + 60
    while not ready.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    return process.returncode, out


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("pass", 0),
        ("import sys; sys.exit(42)", 42),
        ("import os; os.kill(os.getpid(), 9)", 137),
        ("import os; os.kill(os.getpid(), 11)", 139),
    ],
)
def test_exit_code(tmp_path: Path, program: str, code: int) -> None:
    assert run(python(program), tmp_path)[0] == code


def test_stderr_passes_byte_for_byte_and_its_end_is_kept(tmp_path: Path) -> None:
    program = (
        "import sys; e = sys.stderr.buffer\n"
        "for n in range(100_000): e.write(b'line %d\\n' % n)\n"
        "e.write(b'\\xff\\xfe\\r50%\\r100%\\n' + b'x' * 1_000_000 + b'\\nValueError: last')"
    )
    code, out, err = run(python(program), tmp_path)
    expected = b"".join(b"line %d\n" % n for n in range(100_000))
    assert code == 0
    assert err == expected + b"\xff\xfe\r50%\r100%\n" + b"x" * 1_000_000 + b"\nValueError: last"
    assert out == b"ended ('ValueError: last',)\n"


def test_daemon_that_holds_stderr_does_not_hold_the_job(tmp_path: Path) -> None:
    program = "import subprocess; subprocess.Popen(['sleep', '50']); print('done', flush=True)"
    started = time.monotonic()
    code, out, _ = run(["/bin/sh", "-c", f'{sys.executable} -c "{program}" 1>&2'], tmp_path)
    assert (code, out) == (0, b"ended ('done',)\n")
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_script_that_handles_the_signal_ends_as_it_likes(tmp_path: Path, number: int) -> None:
    program = (
        "import pathlib, signal, sys, time\n"
        f"signal.signal({int(number)}, lambda *_: sys.exit(0))\n"
        "pathlib.Path('ready').touch()\ntime.sleep(60)"
    )
    code, _ = stop_when_ready(start(python(program), tmp_path), tmp_path / "ready", number)
    assert code == 0


def test_script_without_a_handler_dies_of_the_signal(tmp_path: Path) -> None:
    program = "import pathlib, time; pathlib.Path('ready').touch(); time.sleep(60)"
    code, out = stop_when_ready(
        start(python(program), tmp_path), tmp_path / "ready", signal.SIGTERM
    )
    assert code == 143
    assert out.startswith(b"stopped")


def test_program_started_by_a_shell_script_may_save_its_state(tmp_path: Path) -> None:
    """The shell dies of the signal at once; its child is given the time to finish."""
    (tmp_path / "save.py").write_text(
        "import pathlib, signal, sys, time\n"
        "got = []\n"
        "signal.signal(signal.SIGTERM, lambda *_: got.append(1))\n"
        "pathlib.Path('ready').touch()\n"
        "while not got: time.sleep(0.02)\n"
        "time.sleep(1); pathlib.Path('saved').write_text(str(len(got)))\n"
    )
    (tmp_path / "run.sh").write_text(f"{sys.executable} save.py\necho never\n")
    process = start(["/bin/sh", "run.sh"], tmp_path)
    code, out = stop_when_ready(process, tmp_path / "ready", signal.SIGTERM)
    assert code == 143
    assert (tmp_path / "saved").read_text() == "1"
    assert b"never" not in out


def test_workers_are_left_to_the_script_while_it_saves(tmp_path: Path) -> None:
    (tmp_path / "pool.py").write_text(
        "import multiprocessing, pathlib, signal, sys, time\n"
        "def work():\n    time.sleep(60)\n"
        "worker = multiprocessing.get_context('fork').Process(target=work, daemon=True)\n"
        "worker.start()\n"
        "def save(*_):\n"
        "    time.sleep(1)\n"
        "    pathlib.Path('worker').write_text(str(worker.is_alive()))\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, save)\n"
        "pathlib.Path('ready').touch()\ntime.sleep(60)\n"
    )
    process = start([sys.executable, "pool.py"], tmp_path)
    code, _ = stop_when_ready(process, tmp_path / "ready", signal.SIGTERM)
    assert code == 0
    assert (tmp_path / "worker").read_text() == "True"


def test_child_that_the_script_forgets_gets_the_signal(tmp_path: Path) -> None:
    (tmp_path / "child.sh").write_text(
        "trap 'echo told > told; exit 0' TERM\ntouch ready\nwhile :; do sleep 0.05; done\n"
    )
    program = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
        "subprocess.Popen(['/bin/sh', 'child.sh'])\ntime.sleep(60)"
    )
    process = start(python(program), tmp_path)
    code, _ = stop_when_ready(process, tmp_path / "ready", signal.SIGTERM)
    assert code == 0
    assert (tmp_path / "told").exists()


def test_signal_before_any_script_ends_the_launcher(tmp_path: Path) -> None:
    driver = (
        "import pathlib, time; from sagedock.runtime.supervise import Supervisor\n"
        "Supervisor(); pathlib.Path('ready').touch(); time.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", driver], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    code, _ = stop_when_ready(process, tmp_path / "ready", signal.SIGTERM)
    assert code == 143


def test_job_without_its_files_leaves_a_failure_file(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "sagedock.runtime.train"],
        env={**os.environ, "SAGEMAKER_BASE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    failure = (tmp_path / "output" / "failure").read_text()
    assert ran.returncode == 1
    assert failure.startswith("ContractBroken: ")
    assert "hyperparameters.json is missing" in failure
    assert failure.splitlines()[0] in ran.stderr


def test_nothing_is_started_after_a_stop(tmp_path: Path) -> None:
    """`pip install` may end well although it was told to stop: the script must not run then."""
    first = (
        "import pathlib, signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
        "pathlib.Path('ready').touch(); time.sleep(60)"
    )
    program = (
        "import os, sys; from pathlib import Path\n"
        "from sagedock.runtime.supervise import Supervisor\n"
        "supervisor = Supervisor()\n"
        "for command in (['-c', sys.argv[1]], ['-c', 'print(1)']):\n"
        "    supervisor.run([sys.executable, *command], env=os.environ, cwd=Path('.'))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, first],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert stop_when_ready(process, tmp_path / "ready", signal.SIGTERM) == (143, b"")


def test_closed_log_does_not_end_the_job(tmp_path: Path) -> None:
    program = "import sys; sys.stderr.write('x' * 10**6); open('done', 'w').close()"
    process = start(python(program), tmp_path)
    assert process.stderr is not None
    process.stderr.close()
    assert process.wait(timeout=60) == 0
    assert (tmp_path / "done").exists()
