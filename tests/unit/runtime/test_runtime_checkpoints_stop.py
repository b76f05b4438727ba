"""SIGTERM: the step is finished, its state is saved, and the program ends; in real processes."""

import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import pytest

from sagedock.runtime.checkpoints import Stopped
from sagedock.runtime.checkpoints.stop import StopSignal
from tests.unit.runtime.checkpoint_states import checkpoints, steps_in

#: Step 3 is long, and says when it begins; the signal comes in its middle.
PROGRAM = """
import os, signal, sys, time
from pathlib import Path
from sagedock.runtime.checkpoints import JSON, Checkpoints, Stopped

folder = Path(sys.argv[1])

def work(step):
    if step == 3:
        print("ready", flush=True)
        end = time.monotonic() + 60
        while not (folder / "go-on").exists() and time.monotonic() < end:
            time.sleep(0.01)

def train(checkpoints, steps=5):
    checkpoints.load()
    for step in range(checkpoints.done + 1, steps + 1):
        work(step)
        checkpoints.step(step, lambda: {"step": step})
    print("trained", flush=True)

def kept(**options):
    return Checkpoints(folder / "kept", every_s=1000, format=JSON, **options)
"""


@dataclass
class Running:
    process: "subprocess.Popen[str]"
    folder: Path

    def go_on(self) -> tuple[int, str]:
        """Let step 3 end; return the program's exit code and the rest of its output."""
        (self.folder / "go-on").touch()
        out, err = self.process.communicate(timeout=60)
        assert "Traceback" not in err, err
        return self.process.returncode, out

    def steps(self) -> list[int]:
        return steps_in(self.folder / "kept")


def started(folder: Path, text: str, *before: str) -> Running:
    """Start a program, and return once its third step runs; ``before`` are lines it prints."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM + text, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in (*before, "ready"):
        assert process.stdout.readline() == f"{line}\n"
    return Running(process=process, folder=folder)


def stopped(folder: Path, text: str) -> tuple[int, str, list[int]]:
    running = started(folder, text)
    running.process.send_signal(signal.SIGTERM)
    return *running.go_on(), running.steps()


def test_the_step_is_finished_and_saved(tmp_path: Path) -> None:
    code, out, steps = stopped(tmp_path, "with kept() as c: train(c)")
    assert (code, out, steps) == (128 + signal.SIGTERM, "", [3])


def test_it_goes_on_after_the_step_that_was_saved(tmp_path: Path) -> None:
    stopped(tmp_path, "with kept() as c: train(c)")
    again = "with kept() as c:\n    c.load(); print(c.done)"
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM + again, str(tmp_path)], capture_output=True, text=True
    )
    assert ran.stdout == "3\n", ran.stderr


def test_the_exit_code_can_be_chosen(tmp_path: Path) -> None:
    assert stopped(tmp_path, "with kept(exit_code=0) as c: train(c)")[0] == 0


def test_the_program_may_wrap_up_first(tmp_path: Path) -> None:
    text = """
try:
    with kept() as c: train(c)
except Stopped:
    print("wrapping up")
"""
    assert stopped(tmp_path, text) == (0, "wrapping up\n", [3])


def test_without_with_the_signal_ends_the_program_as_ever(tmp_path: Path) -> None:
    running = started(tmp_path, "train(kept())")
    running.process.send_signal(signal.SIGTERM)
    running.process.communicate(timeout=60)
    assert (running.process.returncode, running.steps()) == (-signal.SIGTERM, [])


def test_the_programs_own_handler_is_called_once_all_is_saved(tmp_path: Path) -> None:
    text = """
def own(number, frame):
    print("own", number, len(list((folder / "kept").iterdir())))
signal.signal(signal.SIGTERM, own)
try:
    with kept() as c: train(c)
finally:
    print(signal.getsignal(signal.SIGTERM) is own)
"""
    assert stopped(tmp_path, text) == (143, "own 15 1\nTrue\n", [3])


def test_a_second_signal_changes_nothing(tmp_path: Path) -> None:
    running = started(tmp_path, "with kept() as c: train(c)")
    for _ in range(3):
        running.process.send_signal(signal.SIGTERM)
    assert running.go_on() == (143, "")
    assert running.steps() == [3]


def test_a_forked_worker_still_ends_on_the_signal(tmp_path: Path) -> None:
    text = """
with kept() as c:
    read, write = os.pipe()
    worker = os.fork()
    if worker == 0:
        os.write(write, b"up")  # Python itself forgets a signal that comes while it forks
        time.sleep(60)
        os._exit(0)
    os.read(read, 2)
    os.kill(worker, signal.SIGTERM)
    print(os.WTERMSIG(os.waitpid(worker, 0)[1]))
    train(c)
"""
    assert started(tmp_path, text, "15").go_on() == (0, "trained\n")


def test_a_disk_that_refuses_on_the_signal_is_an_error(tmp_path: Path) -> None:
    running = started(
        tmp_path,
        """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (5, 5))
from sagedock.errors import StorageError
try:
    with kept() as c: train(c)
except StorageError as error:
    print(error)
""",
    )
    running.process.send_signal(signal.SIGTERM)
    _, out = running.go_on()
    assert "step-000000000003.rank-0.ckpt cannot be written" in out
    assert running.steps() == []


def test_outside_of_a_container_a_stop_is_a_stop_all_the_same(tmp_path: Path) -> None:
    text = """
with Checkpoints(every_s=1000, env={"SAGEMAKER_BASE_DIR": str(folder / "none")}) as c: train(c)
"""
    assert stopped(tmp_path, text) == (143, "", [])


def test_stopped_is_a_system_exit() -> None:
    assert issubclass(Stopped, SystemExit)
    assert Stopped(143).code == 143


def test_a_handler_put_there_meanwhile_stays() -> None:
    def later(*_: object) -> None:
        return

    before = signal.getsignal(signal.SIGTERM)
    try:
        with StopSignal():
            signal.signal(signal.SIGTERM, later)
        assert signal.getsignal(signal.SIGTERM) is later
    finally:
        signal.signal(signal.SIGTERM, before)


def test_another_thread_cannot_take_signals(tmp_path: Path) -> None:
    caught: list[Exception] = []

    def enter() -> None:
        try:
            checkpoints(tmp_path).__enter__()
        except ValueError as error:
            caught.append(error)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert "main thread" in str(caught[0])


@pytest.mark.parametrize("number", [signal.SIG_IGN, signal.SIG_DFL])
def test_a_handler_that_is_no_function_is_put_back(number: signal.Handlers) -> None:
    before = signal.signal(signal.SIGTERM, number)
    try:
        with StopSignal() as stop:
            stop.pass_on()
        assert signal.getsignal(signal.SIGTERM) == number
    finally:
        signal.signal(signal.SIGTERM, before)
