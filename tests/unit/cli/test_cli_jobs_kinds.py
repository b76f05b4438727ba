"""``sagedock jobs`` of every kind: processing, transform and tuning jobs beside training jobs."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from sagedock.cli import main
from sagedock.engine import Usage
from sagedock.testing import Container, Reply, serving
from tests.conftest import BUCKET, IMAGE, ROLE, Local
from tests.unit.local.hosting.conftest import started
from tests.unit.local.processing_world import Processing
from tests.unit.local.tuning import tuning_world


def run(local: Local, *words: str) -> "subprocess.CompletedProcess[str]":
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as here, redirect_stdout(out), redirect_stderr(err):
        own = {"PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "160"}
        for name, value in {**own, **local.server.environment()}.items():
            here.setenv(name, value)
        code = main(["jobs", *words])
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


def told(local: Local, *words: str) -> str:
    done = run(local, *words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def cells(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def processing(container: Container) -> int:
    container.usage = Usage(
        at_s=101, started_at_s=100, cpu_s=1.5, cpus=2, memory_bytes=1, memory_limit_bytes=4
    )
    assert container.measured.wait(60)
    for number in range(5):
        container.print(f"line {number}")
    container.files["/opt/ml/output/message"] = b"9 rows"
    return 0


def training(container: Container) -> int:
    container.print(f"loss={float(tuning_world.values_of(container)['x']):.3f}")
    return 0


@pytest.fixture
def processed(local: Local) -> Local:
    made = Processing(local)
    made.run(processing, ProcessingJobName="p-1", ProcessingOutputConfig=made.outputs("rows"))
    return local


@pytest.fixture
def tuned(local: Local) -> Local:
    tuning_world.tuned(local, training, jobs=2)
    return local


@pytest.fixture
def transforming(tmp_path: Path) -> Iterator[Local]:
    with started(tmp_path / "home") as made:
        made.engine.program = serving(lambda call: Reply(body=call.body))
        yield made


def test_a_processing_job_is_listed_with_its_kind_and_usage(processed: Local) -> None:
    head, row = cells(told(processed))
    assert head[:4] == ["name", "kind", "status", "elapsed"]
    assert row[:3] == ["p-1", "processing", "Completed"]
    assert " ".join(row).endswith("150.0 % 25.0 %")


def test_a_processing_job_is_shown_with_its_outputs_and_its_last_lines(processed: Local) -> None:
    text = told(processed, "show", "p-1", "--lines", "2")
    assert f"output rows  s3://{BUCKET}/out/rows" in text
    assert "message      9 rows" in text
    assert "CPUUtilization" in text
    assert text.splitlines()[-2:] == ["line 3", "line 4"]
    shown = json.loads(told(processed, "show", "p-1", "--json"))
    assert (shown["row"]["kind"], shown["row"]["status"]) == ("processing", "Completed")
    assert shown["details"]["message"] == "9 rows"


def test_a_tuning_job_is_shown_with_its_training_jobs(tuned: Local) -> None:
    text = told(tuned, "show", "tune-1")
    assert "training jobs  2 Completed" in text
    rows = [row for row in cells(text) if row and row[-1].startswith("tune-1-0")]
    trials = tuning_world.children(tuned)
    metric = "FinalHyperParameterTuningJobObjectiveMetric"
    best = min(trials, key=lambda each: each[metric]["Value"])["TrainingJobName"]
    table = {row[-1]: row for row in rows if "Completed" in row}
    assert set(table) == {each["TrainingJobName"] for each in trials}
    assert {name for name, row in table.items() if row[0] == "*"} == {best}
    shown = json.loads(told(tuned, "show", "tune-1", "--json"))
    assert [each["name"] for each in shown["tuning"]["trials"]] == sorted(table)
    assert shown["details"]["best"] == best


def test_kinds_are_listed_together_newest_first_or_one_alone(tuned: Local) -> None:
    rows = cells(told(tuned))[1:]
    assert [row[1] for row in rows] == ["training", "training", "tuning"]
    assert [row[0] for row in cells(told(tuned, "--kind", "tuning"))[1:]] == ["tune-1"]
    assert [row[1] for row in cells(told(tuned, "--limit", "2"))[1:]] == ["training"] * 2
    found = json.loads(told(tuned, "--json", "--kind", "tuning"))
    assert [(each["kind"], list(each["metrics"])) for each in found] == [("tuning", ["loss"])]
    assert told(tuned, "--kind", "transform").strip() == "no jobs"


def test_a_status_that_some_kinds_have_not_lists_the_others(tuned: Local) -> None:
    assert told(tuned, "--status", "DeleteFailed").strip() == "no jobs"
    wrong = run(tuned, "--status", "Done")
    assert wrong.returncode == 2
    assert "'Done'" in wrong.stderr


def test_a_transform_job_is_shown_with_what_goes_in_and_out(transforming: Local) -> None:
    sagemaker: Any = transforming.client("sagemaker")
    transforming.client("s3").put_object(Bucket=BUCKET, Key="rows/a.csv", Body=b"1\n")
    sagemaker.create_model(ModelName="m", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE)
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/rows/"}}
    sagemaker.create_transform_job(
        TransformJobName="t-1",
        ModelName="m",
        TransformInput={"DataSource": source},
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/out"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 2},
    )
    text = told(transforming, "show", "t-1", "--watch")
    assert "t-1  Completed" in text
    text = told(transforming, "show", "t-1")
    assert "2 x ml.m5.large" in text
    assert f"output     s3://{BUCKET}/out" in text
    assert cells(told(transforming))[1][:3] == ["t-1", "transform", "Completed"]


def test_a_name_of_several_kinds_is_asked_for(local: Local) -> None:
    Processing(local).run(lambda _: 0)
    local.run(lambda _: 0)
    wrong = run(local, "show", "probe-1")
    assert wrong.returncode == 2
    assert "give --kind training or processing" in wrong.stderr
    assert "processing" in told(local, "show", "probe-1", "--kind", "processing")


def test_what_cannot_be_shown_is_told(tuned: Local) -> None:
    absent = run(tuned, "show", "absent")
    assert (absent.returncode, absent.stdout) == (2, "")
    assert "absent: not found among the jobs of us-west-2" in absent.stderr
    log = run(tuned, "show", "tune-1", "--lines", "3")
    assert log.returncode == 2
    assert "--lines: a tuning job has no log" in log.stderr
    both = run(tuned, "show", "tune-1", "--lines", "3", "--json")
    assert "--lines: prints text" in both.stderr
