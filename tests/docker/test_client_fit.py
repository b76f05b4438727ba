"""Estimator and scripts/train.py, with real containers of the training image."""

import io
import json
import signal
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from sagedock import Channel, Estimator, JobFailed, Session
from tests.conftest import BUCKET, ROLE
from tests.docker.conftest import TRAINING_IMAGE, RealLocal, let_go
from tests.docker.scripts import environment, run_script

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "examples" / "digits"


class Shown:
    """The lines that were shown."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def shown() -> Shown:
    return Shown()


def estimator(real: RealLocal, shown: Any, folder: Path, **changes: Any) -> Estimator:
    session = Session(target="local", environ=real.server.environment(), show=shown)
    parameters: dict[str, Any] = {
        "image_uri": TRAINING_IMAGE,
        "role": ROLE,
        "instance_type": "ml.m5.large",
        "output_path": f"s3://{BUCKET}/out/",
        "entry_point": "train.py",
        "source_dir": str(folder),
        "session": session,
        "show": shown,
        **changes,
    }
    return Estimator(**parameters)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "source"
    made.mkdir()
    return made


def names_in(archive: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return sorted(member.name for member in opened.getmembers() if member.isfile())


def test_lines_are_shown_while_the_job_runs(real: RealLocal, shown: Shown, folder: Path) -> None:
    """The script waits until its first line was shown."""
    (folder / "train.py").write_text(
        "import os, time\nprint('first')\n"
        "ends = time.monotonic() + 60\n"
        "while not os.path.exists('/tmp/go') and time.monotonic() < ends: time.sleep(0.05)\n"
        "print('seen', os.path.exists('/tmp/go'))\n"
    )

    def show(line: str) -> None:
        shown(line)
        if line == "first":
            let_go(real.engine, real.server.settings.home)

    estimator(real, show, folder).fit()
    assert "seen True" in shown.lines


def test_no_line_of_many_is_lost_or_out_of_order(
    real: RealLocal, shown: Shown, folder: Path
) -> None:
    (folder / "train.py").write_text("for n in range(100_000): print(f'line {n}')\n")
    estimator(real, shown, folder).fit()
    assert [line for line in shown.lines if line.startswith("line ")] == [
        f"line {number}" for number in range(100_000)
    ]


def test_a_script_that_raises_fails_the_job_with_its_error(
    real: RealLocal, shown: Shown, folder: Path
) -> None:
    (folder / "train.py").write_text("raise ValueError('no such column: price')\n")
    with pytest.raises(JobFailed, match="no such column: price"):
        estimator(real, shown, folder).fit()


def test_hyperparameters_reach_the_script_with_their_types(
    real: RealLocal, shown: Shown, folder: Path
) -> None:
    (folder / "train.py").write_text(
        "import os, sys\nprint('ARGS', sys.argv[1:])\nprint('HPS', os.environ['SM_HPS'])\n"
    )
    given = {"epochs": 3, "flag": True, "layers": [8, 4], "name": "a b", "rate": 0.5}
    estimator(real, shown, folder, hyperparameters=given).fit()
    (line,) = (line for line in shown.lines if line.startswith("HPS "))
    assert json.loads(line.removeprefix("HPS ")) == given


def test_an_isolated_job_gets_its_source_as_a_channel(
    real: RealLocal, shown: Shown, folder: Path
) -> None:
    (folder / "train.py").write_text("print('ran isolated')\n")
    estimator(real, shown, folder, enable_network_isolation=True).fit()
    assert "ran isolated" in shown.lines


def test_a_stopped_training_saves_what_it_learnt(
    real: RealLocal, tmp_path: Path, shown: Shown
) -> None:
    data = tmp_path / "digits"
    run_script("prepare_data.py", tmp_path, "--output", str(data))
    training = estimator(real, shown, DIGITS, hyperparameters={"epochs": 100_000})

    def stop_after_an_epoch(line: str) -> None:
        shown(line)
        if line.startswith("epoch=1 "):
            training.stop()

    training.show = stop_after_an_epoch
    with pytest.raises(JobFailed) as caught:
        training.fit({"train": data / "train", "test": data / "test"})
    assert caught.value.status == "Stopped"
    assert "asked to stop: saving what is learnt so far" in shown.lines
    assert names_in(real.get(training.model_data)) == ["model.pt"]


def test_the_script_trains_the_digits_and_says_where_the_model_is(tmp_path: Path) -> None:
    facts = json.loads(run_script("train.py", tmp_path, "--json"))
    assert facts["status"] == "Completed"
    assert facts["metrics"]["test:accuracy"] > 0.95
    model = Path(facts["model_file"])
    assert model.is_relative_to(tmp_path)
    assert names_in(model.read_bytes()) == ["model.pt"]


def test_the_script_trains_on_digits_that_are_streamed(tmp_path: Path) -> None:
    facts = json.loads(run_script("train.py", tmp_path, "--stream", "--json"))
    assert facts["status"] == "Completed"
    assert facts["metrics"]["test:accuracy"] > 0.95


def test_a_stopped_streaming_training_leaves_its_pipe_and_saves(
    real: RealLocal, shown: Shown, tmp_path: Path
) -> None:
    data = tmp_path / "digits"
    run_script("prepare_data.py", tmp_path, "--output", str(data))
    training = estimator(
        real, shown, DIGITS, entry_point="train_pipe.py", hyperparameters={"epochs": 100_000}
    )

    def stop_after_an_epoch(line: str) -> None:
        shown(line)
        if line.startswith("epoch=2 "):
            training.stop()

    training.show = stop_after_an_epoch
    train = Channel(s3_data=str(data / "train"), input_mode="Pipe")
    with pytest.raises(JobFailed) as caught:
        training.fit({"train": train, "test": data / "test"})
    assert caught.value.status == "Stopped"
    assert "asked to stop: saving what is learnt so far" in shown.lines
    assert names_in(real.get(training.model_data)) == ["model.pt"]


def test_an_uncompressed_model_is_a_folder(real: RealLocal, shown: Shown, folder: Path) -> None:
    (folder / "train.py").write_text(
        "import os, pathlib\npathlib.Path(os.environ['SM_MODEL_DIR'], 'w').write_text('x')\n"
    )
    training = estimator(real, shown, folder, disable_output_compression=True)
    result = training.fit()
    assert result.model_data == training.model_data
    assert training.model_data.endswith("/output/model/")
    assert real.get(f"{training.model_data}w") == b"x"
    attached = Estimator.attach(result.name, session=training.session, show=shown)
    assert attached.disable_output_compression


def test_ctrl_c_ends_the_script_and_its_container(tmp_path: Path, engine: Any) -> None:
    from sagedock.local.platform import HOME_LABEL, home_id

    process = subprocess.Popen(
        [sys.executable, str(ROOT / "scripts" / "train.py"), "--epochs", "100000"],
        env=environment(tmp_path),
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("epoch=2 "):
            break
    process.send_signal(signal.SIGINT)
    rest = process.stdout.read()
    assert process.wait(60) == 130
    assert "Ctrl-C: stopping the training job digits-" in rest
    assert "ended Stopped; what it saved is in s3://" in rest
    labels = {HOME_LABEL: home_id(tmp_path / "sagedock")}
    assert list(engine.containers(labels)) == []
