"""``sagedock preflight``: a table, JSON, exit codes, an end by Ctrl-C."""

import json
from collections.abc import Iterator

import pytest

from sagedock.cli import main
from sagedock.testing import FakeEngine
from tests.unit.images.made_images import TRAIN, USUAL, layer, saved

IMAGE, M5, G5 = "made:1", "ml.m5.xlarge", "ml.g5.xlarge"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    made = FakeEngine(None, [IMAGE])
    made.archive_of_images = saved(layer({**USUAL, "usr/bin/train": TRAIN}))
    monkeypatch.setattr("sagedock.engine.connect", lambda: made)
    return made


def run(*words: str) -> int:
    return main(["preflight", IMAGE, *words])


def test_a_table_for_the_image_and_one_for_each_type(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--instance-type", M5, "--instance-type", "ml.m5.large") == 0
    told = capsys.readouterr()
    lines = [line.strip() for line in told.out.splitlines()]
    assert lines[0].startswith("made:1 for training, read in 0 s; data of 20")
    assert [line for line in lines if line in ("on any instance", M5, "ml.m5.large")] == [
        *("on any instance", M5, "ml.m5.large")
    ]
    assert "`train`: /usr/bin/train" in told.out
    assert lines[-1].endswith("Sources of all rows: --json")
    assert told.err == "reading made:1 (0 MB)\n"


def test_what_fails_is_exit_code_8_with_its_remedy(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--instance-type", M5, "--for", "serving") == 8
    told = capsys.readouterr().out
    assert "-> COPY a program serve to /usr/local/bin" in told
    assert "1 fails" in told


def test_json_has_every_row(engine: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--instance-type", G5, "--json", "--driver", "550") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["image"], told["use"], told["fails"]) == (IMAGE, "training", False)
    assert {row["verdict"] for row in told["rows"]} <= {"ok", "warns", "cannot say"}
    assert {row["instance_type"] for row in told["rows"]} == {None, G5}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--instance-type", "ml.p4d.24xlrge"], 2, "the nearest are ml.p4d.24xlarge"),
        ([], 2, "instance-type"),
        (["--instance-type", M5, "--for", "fun"], 2, "fun"),
    ],
)
def test_wrong_input_is_told(
    engine: FakeEngine,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    code: int,
    said: str,
) -> None:
    assert run(*words) == code
    told = capsys.readouterr().err
    assert said in told
    assert "reading" not in told


def test_an_image_that_is_not_there(engine: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["preflight", "other:1", "--instance-type", M5]) == 3
    assert "other:1: the engine has no such image: build or pull it" in capsys.readouterr().err


def test_an_archive_that_breaks_off(engine: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    engine.archive_of_images = engine.archive_of_images[:3000]
    assert run("--instance-type", M5) == 3
    assert "the image's archive ends after" in capsys.readouterr().err


def test_ctrl_c_ends_it_and_nothing_is_left(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = []

    def interrupted(_: str) -> Iterator[bytes]:
        try:
            yield engine.archive_of_images[:700]
            raise KeyboardInterrupt
        finally:
            closed.append(True)

    monkeypatch.setattr(engine, "saved", interrupted)
    assert run("--instance-type", M5) == 130
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.endswith("\nsagedock: stopped; nothing was made or changed\n")
    assert (closed, engine.all) == ([True], {})


def test_a_terminal_gets_a_bar_and_the_same_table(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("--instance-type", M5) == 0
    plain = capsys.readouterr().out
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert run("--instance-type", M5) == 0
    told = capsys.readouterr()
    assert (told.out, "reading made:1" in told.err) == (plain, False)
