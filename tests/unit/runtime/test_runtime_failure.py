"""The failure file: AWS's shape, the cause first, within FailureReason, UTF-8, without secrets."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagedock.contract import limits
from sagedock.errors import InvalidRequest
from sagedock.runtime.failure import (
    Failure,
    failure_text,
    launcher_text,
    out_of_memory_hint,
    write_failure,
)

AROUND = len("AlgorithmError: , exit code: 255")


def failed(stderr: list[str], command: list[str] | None = None, code: int = 1) -> Failure:
    return Failure(
        error="ExecuteUserScriptError",
        exit_code=code,
        command=command or ["python", "train.py"],
        stderr=stderr,
    )


def test_shape_is_the_toolkits() -> None:
    text = failure_text(failed(["ValueError: bad data"]))
    assert text == (
        'ExecuteUserScriptError:\nExitCode 1\nErrorMessage "ValueError: bad data"\n'
        'Command "python train.py"'
    )


def test_cause_comes_first_then_the_innermost_frames() -> None:
    frames = [f'  File "f{number}.py", line {number}, in call' for number in range(60)]
    stderr = ["Traceback (most recent call last):", *frames, "ValueError: deep"]
    text = failure_text(failed(stderr))
    message = text.split('ErrorMessage "')[1]
    assert message.startswith("ValueError: deep\n...\n")
    assert '"f59.py"' in message
    assert '"f0.py"' not in message


@given(
    stderr=st.lists(st.text(max_size=3000), max_size=6),
    command=st.lists(st.text(max_size=400), min_size=1, max_size=6),
    code=st.integers(1, 255),
)
def test_reason_always_fits_and_is_utf8(stderr: list[str], command: list[str], code: int) -> None:
    text = failure_text(failed(stderr, command, code))
    assert len(text) + AROUND <= int(limits.FAILURE_REASON_CHARACTERS)
    assert text.encode("utf-8", "replace").decode("utf-8")
    assert text.rstrip().endswith('"')


def test_long_headline_leaves_room_for_the_command() -> None:
    text = failure_text(failed(["ValueError: " + "é" * 5000]))
    assert 'ErrorMessage "ValueError: é' in text
    assert 'Command "python train.py"' in text
    assert len(text.encode()) > len(text)


def test_secrets_are_hidden_in_command_and_message() -> None:
    failure = failed(
        ["ConnectionError: login with hunter2-hunter2 refused"],
        ["python", "train.py", "--db_password", "hunter2-hunter2", "--epochs", "3"],
    )
    text = failure_text(failure, secrets={"hunter2-hunter2"})
    assert "hunter2" not in text
    assert "login with *** refused" in text
    assert "--db_password *** --epochs 3" in text


@pytest.mark.parametrize(
    ("code", "words"),
    [(42, "ended with exit code 42"), (137, "was killed by SIGKILL"), (139, "SIGSEGV")],
)
def test_silent_script_still_has_a_cause(code: int, words: str) -> None:
    assert words in failure_text(failed([], code=code))


@pytest.mark.parametrize(
    ("code", "kills", "hint"),
    [(137, 0, "OutOfMemory"), (1, 2, "OutOfMemory"), (1, 0, None), (143, 0, None)],
)
def test_out_of_memory_hint(code: int, kills: int, hint: str | None) -> None:
    found = out_of_memory_hint(code, kills)
    assert found == hint or (found is not None and hint is not None and found.startswith(hint))


def test_own_errors_are_shown_whole_and_others_with_frames() -> None:
    assert launcher_text(InvalidRequest(["do this"])) == "InvalidRequest: do this"
    try:
        raise RuntimeError("unforeseen")
    except RuntimeError as error:
        text = launcher_text(error)
    assert text.startswith("Framework Error: RuntimeError: unforeseen\n")
    assert "test_runtime_failure.py" in text


def test_file_of_the_script_is_kept(tmp_path: Path) -> None:
    env = {"SAGEMAKER_BASE_DIR": str(tmp_path)}
    file = tmp_path / "output" / "failure"
    file.parent.mkdir()
    assert write_failure("ours: é", env)
    assert file.read_text(encoding="utf-8") == "ours: é"
    assert not write_failure("later", env)
    assert file.read_text(encoding="utf-8") == "ours: é"


def test_surrogates_do_not_break_the_file(tmp_path: Path) -> None:
    (tmp_path / "output").mkdir()
    write_failure("name \udcff", {"SAGEMAKER_BASE_DIR": str(tmp_path)})
    assert (tmp_path / "output" / "failure").read_bytes() == b"name ?"


def test_what_a_killed_script_wrote_before_is_no_cause() -> None:
    text = failure_text(failed(["error reading the cache, going on", "epoch 3"], code=137))
    assert 'ErrorMessage "the script was killed by SIGKILL\nerror reading' in text
