"""Tuning jobs whose training jobs are real containers of the training image."""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sagedock import (
    CategoricalParameter,
    ContinuousParameter,
    HyperparameterTuner,
    InvalidRequest,
)
from sagedock.client.session import Session
from sagedock.engine import Engine
from sagedock.local.platform import HOME_LABEL, home_id
from tests.docker.conftest import RealLocal, leftovers
from tests.docker.scripts import run_script
from tests.docker.test_client_fit import Shown, estimator, folder, shown
from tests.docker.test_local_process import home, kill, reach
from tests.unit.local.tuning.tuning_world import children, until

pytestmark = pytest.mark.slow
__all__ = ["folder", "home", "shown"]

#: Prints how far x is from 0.3. If it is to hold, the first two wait to be let go.
SCRIPT = """
import argparse, os, time
options = argparse.ArgumentParser()
options.add_argument("-x", type=float)
options.add_argument("--kind", default="")
options.add_argument("--hold", default="")
found = options.parse_args()
loss = (found.x - 0.3) ** 2
for epoch in range(3):
    print(f"loss={loss:.6f}", flush=True)
ends = time.monotonic() + 120
first = os.environ["TRAINING_JOB_NAME"].split("-")[-2] in ("001", "002")
while found.hold and first and not os.path.exists("/tmp/go") and time.monotonic() < ends:
    time.sleep(0.05)
"""
LOSS = [{"Name": "loss", "Regex": "loss=([-0-9.e]+)"}]


def tuner(real: RealLocal, shown: Shown, folder: Path, **changes: Any) -> HyperparameterTuner:
    (folder / "train.py").write_text(SCRIPT)
    parameters: dict[str, Any] = {
        "estimator": estimator(real, shown, folder, hyperparameters=changes.pop("fixed", {})),
        "objective_metric_name": "loss",
        "objective_type": "Minimize",
        "metric_definitions": LOSS,
        "hyperparameter_ranges": {
            "x": ContinuousParameter(0, 1),
            "kind": CategoricalParameter(["a", "b"]),
        },
        "max_jobs": 4,
        "max_parallel_jobs": 2,
        **changes,
    }
    return HyperparameterTuner(**parameters)


def test_a_tuner_finds_the_best_and_shows_each_training_job(
    real: RealLocal, shown: Shown, folder: Path
) -> None:
    tuned = tuner(real, shown, folder)
    tuned.fit()
    found = tuned.analytics()
    assert found.status == "Completed"
    assert [each.status for each in found.trials] == ["Completed"] * 4
    assert found.best is not None
    assert tuned.best_training_job() == found.best.name
    for each in found.trials:
        assert each.objective == pytest.approx((float(each.values["x"]) - 0.3) ** 2, abs=1e-5)
        assert any(f"{each.number:>4} Completed" in line for line in shown.lines)
    best = tuned.best_estimator()
    assert best.hyperparameters["x"] == pytest.approx(float(found.best.values["x"]))
    assert best.hyperparameters["kind"] in ("a", "b")
    assert "_tuning_objective_metric" not in best.hyperparameters
    picture = folder / "tuning.svg"
    found.save(picture)
    assert "best so far" in picture.read_text()


def test_what_has_no_prospects_is_stopped_and_leaves_nothing(
    real: RealLocal, shown: Shown, folder: Path, engine: Engine
) -> None:
    """Three that end, and one that is worse and would wait for two minutes."""
    ranges = {"x": CategoricalParameter([1, 2, 3, 4])}
    tuned = tuner(
        real,
        shown,
        folder,
        hyperparameter_ranges=ranges,
        strategy="Grid",
        max_jobs=None,
        max_parallel_jobs=1,
        early_stopping_type="Auto",
    )
    (folder / "train.py").write_text(SCRIPT.replace("found.hold and first and", "found.x == 4 and"))
    began = time.monotonic()
    tuned.fit()
    assert time.monotonic() - began < 110
    statuses = {each.values["x"]: each.status for each in tuned.analytics().trials}
    assert statuses == {"1": "Completed", "2": "Completed", "3": "Completed", "4": "Stopped"}
    counters = tuned.describe()["ObjectiveStatusCounters"]
    assert counters == {"Succeeded": 4, "Pending": 0, "Failed": 0}
    wait_for(lambda: leftovers(engine, real.server) == [])


def wait_for(true: Callable[[], bool], timeout_s: float = 60) -> None:
    ends = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.1)


def test_problems_are_told_in_the_tuners_words_before_anything_is_sent(
    real: RealLocal, shown: Shown, folder: Path
) -> None:
    wrong = tuner(
        real, shown, folder, objective_metric_name="absent", max_parallel_jobs=0, strategy="Guess"
    )
    with pytest.raises(InvalidRequest) as caught:
        wrong.fit(job_name="a" * 40)
    text = "\n".join(caught.value.problems)
    assert "max_parallel_jobs" in text
    assert "strategy" in text
    assert "job_name" in text
    assert children_of(real) == []


def children_of(real: RealLocal) -> list[Any]:
    found: list[Any] = real.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
    return found


def test_a_server_that_is_killed_goes_on_and_adopts_what_runs(
    home: Path, engine: Engine, shown: Shown, folder: Path
) -> None:
    local = reach(home, engine)
    session = Session(
        target="local",
        environ={"SAGEDOCK_HOME": str(home), "AWS_DEFAULT_REGION": "us-west-2"},
        show=shown,
    )
    tuned = tuner(local_of(local, session), shown, folder, fixed={"hold": "yes"}, max_jobs=4)
    tuned.estimator.session = session
    tuned.fit(wait=False, job_name="tune-1")
    job = until(local, lambda one: one["TrainingJobStatusCounters"]["InProgress"] == 2)
    names = [each["TrainingJobName"] for each in children(local)]
    for name in names:
        local.until(name, lambda one: one["SecondaryStatus"] == "Training")
        wait_for(lambda: "loss=" in "".join(local.log(name)))  # noqa: B023 - called at once
    kill(home)
    local = reach(home, engine, bucket=False)
    assert [each["TrainingJobName"] for each in children(local)] == names
    release(engine, home)
    job = until(local, lambda one: "HyperParameterTuningEndTime" in one, timeout_s=240)
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"]["Completed"] == 4
    assert [each["TrainingJobName"] for each in children(local)][:2] == names


def release(engine: Engine, home: Path) -> None:
    """Let the scripts end that hold. They may end before the command that lets them has."""
    for each in engine.containers({HOME_LABEL: home_id(home)}):
        subprocess.run(["docker", "exec", each.id, "touch", "/tmp/go"], check=False)


def local_of(local: RealLocal, session: Session) -> Any:
    """Return what ``estimator`` takes for a server of this process."""

    class Server:
        endpoint_url = local.server.endpoint_url

        def environment(self) -> dict[str, str]:
            return {}

    return type("Reached", (), {"server": Server()})()


def test_the_tuning_script_of_the_demo(tmp_path: Path) -> None:
    printed = run_script("tune.py", tmp_path, "--jobs", "3", "--epochs", "2", "--json")
    facts = json.loads(printed)
    assert 0.5 < facts["test:accuracy"] <= 1.0
    assert set(facts) == {"job", "model", "test:accuracy", "lr", "hidden", "batch-size"}
    assert 16 <= facts["hidden"] <= 256
