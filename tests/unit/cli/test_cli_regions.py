"""``--region`` on the command line: what is no region is refused before anything is done."""

import signal
from pathlib import Path

import pytest

from sagedock.cli import main
from sagedock.testing import FakeEngine
from tests.conftest import Local

_COMMANDS = (
    ("jobs",),
    ("jobs", "show", "x"),
    ("models",),
    ("load", "endpoint", "--text", "{}"),
    ("push", "team/app:1", "--region", "us-west-2"),
    ("build", "--remote", "--attach", "p:1"),
    ("local", "up"),
    ("local", "up", "--detach"),
    ("local", "run", "true"),
    ("local", "interrupt", "job"),
)


@pytest.fixture(autouse=True)
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    monkeypatch.setenv("SAGEDOCK_HOME", str(home))
    for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_DEFAULT_REGION", "SAGEDOCK_TARGET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sagedock.engine.connect", lambda: FakeEngine(None, ["team/app:1"]))
    return home


@pytest.mark.parametrize("words", _COMMANDS, ids=" ".join)
def test_what_is_no_region_is_refused_by_the_option_s_name(
    words: tuple[str, ...], nothing_here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--region", "us-west"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("sagedock: --region: 'us-west' is no name of a region: use one like us-")
    assert said.count("\n") == 1
    assert not nothing_here.exists()


def test_a_region_of_the_environment_s_is_refused_by_the_variable_s_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "mars")
    assert main(["models", "--target", "aws"]) == 2
    assert "AWS_REGION: 'mars' is no name of a region" in capsys.readouterr().err
    monkeypatch.setenv("SAGEDOCK_REGION", "mars")
    before = signal.getsignal(signal.SIGINT)
    assert main(["local", "up"]) == 2
    assert "SAGEDOCK_REGION: 'mars' is no name of a region" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGINT) is before


def test_a_region_that_is_new_warns_beside_the_answer(
    local: Local, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in local.server.environment().items():
        monkeypatch.setenv(name, value)
    assert main(["models", "--region", "us-west-9", "--json"]) == 0
    said = capsys.readouterr()
    assert said.out == "[]\n"
    assert "does not know 'us-west-9'; the nearest that it knows is us-west-" in said.err
