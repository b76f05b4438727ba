"""Exit codes, outputs, memory counters, variables, places: one promise each."""

import os
import signal
from pathlib import Path

import pytest

from sagedock.contract import paths
from sagedock.errors import StorageError
from sagedock.runtime import exits, memory, outputs, place, script_environment


@pytest.mark.parametrize(
    ("status", "code"), [(42 << 8, 42), (0, 0), (9, 137), (15, 143), (11, 139)]
)
def test_exit_code_of_a_wait_status(status: int, code: int) -> None:
    assert exits.exit_code(status) == code


def test_signal_behind_an_exit_code() -> None:
    assert exits.killed_by(143) == signal.SIGTERM.name
    assert exits.killed_by(42) is None
    assert exits.killed_by(255) is None


def test_outputs_are_made_and_leave_no_trace(tmp_path: Path) -> None:
    env = {"SAGEMAKER_BASE_DIR": str(tmp_path)}
    outputs.check(env)
    assert list((tmp_path / "model").iterdir()) == []
    assert [p.name for p in (tmp_path / "output").iterdir()] == ["data"]


def test_every_unwritable_output_is_named(tmp_path: Path) -> None:
    (tmp_path / "model").touch()  # a file where a folder must be
    (tmp_path / "output").touch()
    with pytest.raises(StorageError) as raised:
        outputs.check({"SAGEMAKER_BASE_DIR": str(tmp_path)})
    assert str(tmp_path / "model") in str(raised.value)
    assert str(tmp_path / "output" / "data") in str(raised.value)


def test_marks_of_an_earlier_job_are_forgotten(tmp_path: Path) -> None:
    env = {"SAGEMAKER_BASE_DIR": str(tmp_path)}
    outputs.check(env)
    outputs.mark_success(env)
    (tmp_path / "output" / "failure").write_text("old")
    outputs.forget_last_job(env)
    assert [p.name for p in (tmp_path / "output").iterdir()] == ["data"]


def test_kernel_kills(tmp_path: Path) -> None:
    events = tmp_path / "memory.events"
    assert memory.kernel_kills((events,)) == 0
    events.write_text("low 0\noom 3\noom_kill 2\noom_group_kill 0\n")
    assert memory.kernel_kills((tmp_path / "none", events)) == 2


def test_variables_too_long_for_linux_are_named() -> None:
    fitting, too_long = script_environment.fit({"A": "x" * 131_069, "B": "x" * 131_070, "C": "1"})
    assert sorted(fitting) == ["A", "C"]
    assert too_long == ["B"]
    os.posix_spawn("/bin/true", ["true"], fitting)
    with pytest.raises(OSError, match="Argument list too long"):
        os.posix_spawn("/bin/true", ["true"], {"B": "x" * 131_070})


def test_script_environment_is_the_toolkits() -> None:
    built = script_environment.build({"A": "1", "SM_X": "old"}, {"SM_X": "new"}, ["/c", "", "/d"])
    assert built == {"A": "1", "SM_X": "new", "PYTHONPATH": "/c:/d"}


def test_places() -> None:
    assert place.locate(paths.FAILURE, {}) == Path("/opt/ml/output/failure")
    moved = place.locate(paths.FAILURE, {"SAGEMAKER_BASE_DIR": "/x"})
    assert moved == Path("/x/output/failure")
