"""Entry points: which are accepted, what kind they are, and the command they become."""

import subprocess
from pathlib import Path

import pytest

from sagedock.errors import InvalidRequest
from sagedock.runtime.entry_point import Kind, command, find, kind_of, pip_targets


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "code"
    (folder / "bin").mkdir(parents=True)
    for name in ("train.py", "my train.py", "bin/run.sh", "bin/deep.py"):
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("train.py", "train.py"),
        ("./train.py", "train.py"),
        ("bin/../train.py", "train.py"),
        ("bin/deep.py", "bin/deep.py"),
        ("my train.py", "my train.py"),
    ],
)
def test_found(code: Path, named: str, found: str) -> None:
    assert find(named, code) == found
    assert find(str(code / named), code) == found


@pytest.mark.parametrize("named", ["../x.py", "/etc/passwd", ".", "bin/../../x.py"])
def test_outside_is_refused(code: Path, named: str) -> None:
    (code.parent / "x.py").touch()
    with pytest.raises(InvalidRequest):
        find(named, code)


def test_a_link_out_of_the_folder_is_refused(code: Path) -> None:
    (code / "sly.py").symlink_to("/etc/passwd")
    with pytest.raises(InvalidRequest, match="lies outside"):
        find("sly.py", code)


def test_missing_names_what_is_there(code: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"no file 'tarin.py'.*It holds bin, my train.py, t"):
        find("tarin.py", code)


@pytest.mark.parametrize("named", [None, ""])
def test_none_named_says_what_to_set(code: Path, named: str | None) -> None:
    with pytest.raises(InvalidRequest, match="sagemaker_program"):
        find(named, code)


def test_kinds(code: Path) -> None:
    assert kind_of("train.py", code) is Kind.SCRIPT
    assert kind_of("run.sh", code) is Kind.COMMAND
    assert kind_of("binary", code) is Kind.COMMAND
    (code / "setup.py").touch()
    assert kind_of("train.py", code) is Kind.PACKAGE
    assert kind_of("run.sh", code) is Kind.COMMAND


@pytest.mark.parametrize("kind", [Kind.SCRIPT, Kind.COMMAND])
def test_requirements_are_for_every_kind(code: Path, kind: Kind) -> None:
    assert pip_targets(kind, code) == []
    (code / "requirements.txt").touch()
    assert pip_targets(kind, code) == ["-r", "requirements.txt"]


def test_a_package_is_installed_with_its_requirements(code: Path) -> None:
    (code / "requirements.txt").touch()
    assert pip_targets(Kind.PACKAGE, code) == [".", "-r", "requirements.txt"]


def test_commands() -> None:
    arguments = ["--epochs", "3"]
    assert command("train.py", Kind.SCRIPT, arguments)[1:] == ["--", "train.py", *arguments]
    assert command("pkg/train.py", Kind.PACKAGE, arguments)[1:] == ["-m", "pkg.train", *arguments]


def test_arguments_of_a_shell_script_are_not_parsed_again(tmp_path: Path) -> None:
    script = tmp_path / "run.sh"
    script.write_text('printf "%s|" "$@"\n')
    script.chmod(0o755)
    hostile = ["--x", "a; touch pwn", "$(id)", "`id`", "'", ""]
    ran = subprocess.run(
        command("run.sh", Kind.COMMAND, hostile), cwd=tmp_path, capture_output=True, text=True
    )
    assert ran.stdout == "".join(f"{argument}|" for argument in hostile)
    assert not (tmp_path / "pwn").exists()
