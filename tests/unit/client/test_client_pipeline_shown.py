"""What people see of an execution: why a step failed, and on a terminal the tree of steps."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from sagedock import (
    ContinuousParameter,
    HyperparameterTuner,
    JobFailed,
    Pipeline,
    PipelineExecution,
    Processor,
)
from sagedock.client.show import Show
from sagedock.jobs import TransformJob, TuningJob
from sagedock.jobs.pipeline import FailStep, JobStep, Step
from sagedock.testing import Container
from tests.conftest import BUCKET, IMAGE, ROLE
from tests.unit.client.conftest import Client
from tests.unit.client.screen import Terminal

TYPE = "ml.m5.large"


def started(client: Client, *steps: Step, show: Show | None = None) -> PipelineExecution:
    made = Pipeline(
        name="digits",
        role=ROLE,
        steps=steps,
        session=client.session,
        show=show or client.lines.append,
    )
    made.upsert()
    return made.start()


def failing(container: Container) -> int:
    for number in range(20):
        container.print(f"line {number}")
    container.files["/opt/ml/output/failure"] = b"no such column"
    return 1


def failed(client: Client, *steps: Step) -> list[str]:
    """Return what an execution that fails shows at its end."""
    client.lines.clear()
    execution = started(client, *steps)
    with pytest.raises(JobFailed):
        execution.wait()
    course = ("[", "created the pipeline", "started")
    return [line for line in client.lines if not line.startswith(course)]


def test_a_failed_training_job_is_told_with_the_end_of_its_log(client: Client) -> None:
    client.local.engine.program = failing
    told = failed(client, JobStep(name="train", job=client.estimator().job()))
    (job,) = client.local.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
    name = job["TrainingJobName"]
    assert told == [
        f"train: the training job {name} ended Failed: "
        "AlgorithmError: no such column, exit code: 1",
        *(f"  | line {number}" for number in range(10, 20)),
        f"  more of it: sagedock jobs show {name} --lines 100",
    ]


def test_a_failed_processing_job_is_told_with_the_end_of_its_log(client: Client) -> None:
    client.local.engine.program = failing
    processor = Processor(
        image_uri=IMAGE, role=ROLE, instance_type=TYPE, session=client.session, show=print
    )
    told = failed(client, JobStep(name="prepare", job=processor.job()))
    assert told[0].startswith("prepare: the processing job ")
    assert "ended Failed: AlgorithmError: See job logs for more information" in told[0]
    assert told[1:-1] == [f"  | line {number}" for number in range(10, 20)]


def test_a_failed_transform_job_is_told(client: Client) -> None:
    sagemaker = client.local.client("sagemaker")
    client.local.client("s3").put_object(Bucket=BUCKET, Key="rows/a.csv", Body=b"1\n")
    sagemaker.create_model(ModelName="m", PrimaryContainer={"Image": IMAGE}, ExecutionRoleArn=ROLE)
    client.local.engine.program = failing
    job = TransformJob(
        name="t",
        model_name="m",
        data=f"s3://{BUCKET}/rows/",
        output_path=f"s3://{BUCKET}/out/",
        instance_type=TYPE,
    )
    told = failed(client, JobStep(name="answer", job=job))
    assert told[0].startswith("answer: the transform job ")
    assert any(line.endswith("line 19") for line in told)


def test_of_a_failed_tuning_job_a_training_job_that_failed_is_told(client: Client) -> None:
    client.local.engine.program = failing
    training = client.estimator(metric_definitions=[{"Name": "loss", "Regex": "loss=(.*)"}])
    job = TuningJob(
        name="t",
        training=training.job(),
        ranges={"x": ContinuousParameter(0.0, 1.0)},
        objective_metric_name="loss",
        max_jobs=1,
        max_parallel_jobs=1,
    )
    told = failed(client, JobStep(name="tune", job=job))
    (child,) = client.local.client("sagemaker").list_training_jobs()["TrainingJobSummaries"]
    name = child["TrainingJobName"]
    assert told[0].startswith("tune: the tuning job ")
    assert told[1].startswith(f"  the training job {name} ended Failed: AlgorithmError")
    assert told[2:-1] == [f"  | line {number}" for number in range(10, 20)]
    assert name in told[-1]


def test_a_log_that_cannot_be_read_does_not_hide_the_failure(client: Client) -> None:
    client.local.engine.program = failing

    def gone(**_: Any) -> None:
        raise client.session.client("logs").exceptions.ClientError(
            {"Error": {"Code": "AccessDeniedException", "Message": "not yours"}}, "GetLogEvents"
        )

    client.session.client("logs").meta.events.register("before-call.logs.GetLogEvents", gone)
    told = failed(client, JobStep(name="train", job=client.estimator().job()))
    assert told[-1].startswith("train: more of arn:aws:sagemaker:")
    assert "is not known: An error occurred (AccessDeniedException)" in told[-1]


def test_a_step_without_a_job_has_its_reason_alone(client: Client) -> None:
    execution = started(client, FailStep(name="stop", message="not good enough"))
    with pytest.raises(JobFailed, match="stop: not good enough"):
        execution.wait()
    assert not [line for line in client.lines if "more of it" in line]


def seen_until(terminal: Terminal, true: Callable[[list[str]], bool]) -> list[str]:
    """Return what the terminal shows once that is so."""
    tried = threading.Event()
    for _ in range(1200):
        if true(seen := terminal.seen()):
            return seen
        tried.wait(0.05)
    raise AssertionError(seen)


def test_a_tree_is_drawn_on_a_terminal(client: Client, terminal: Terminal) -> None:
    gate = threading.Event()

    def program(_: Container) -> int:
        gate.wait(60)
        return 0

    client.local.engine.program = program
    first = JobStep(name="first", job=client.estimator().job())
    second = JobStep(name="second", job=client.estimator().job(), depends_on=[first])
    execution = started(client, first, second, show=terminal.lines)
    waiting = threading.Thread(target=execution.wait)
    waiting.start()
    try:
        seen = seen_until(terminal, lambda lines: lines[-1].split()[:3] == ["└─", "second", "-"])
        assert seen[-2].split()[:2] == ["first", "Executing"]
    finally:
        gate.set()
        waiting.join(60)
    first_line, second_line = terminal.seen()[-2:]
    assert first_line.split()[:2] == ["first", "Succeeded"]
    assert second_line.split()[:3] == ["└─", "second", "Succeeded"]
    assert sum("first" in line for line in terminal.seen()) == 1


def test_a_table_of_trials_is_drawn_on_a_terminal(client: Client, terminal: Terminal) -> None:
    losses = iter(["0.5", "0.25", "0.75"])

    def program(container: Container) -> int:
        container.print(f"loss={next(losses)}")
        return 0

    client.local.engine.program = program
    HyperparameterTuner(
        estimator=client.estimator(show=terminal.lines),
        objective_metric_name="loss",
        objective_type="Minimize",
        metric_definitions=[{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
        hyperparameter_ranges={"x": ContinuousParameter(0.0, 1.0)},
        max_jobs=3,
    ).fit(job_name="digits")
    seen = [line.split() for line in terminal.seen()]
    assert seen[0] == ["created", "the", "tuning", "job", "digits"]
    assert terminal.seen()[1] == "digits: Completed, 3 training jobs (3 Co"
    rows = seen[-4:]
    assert rows[0] == ["#", "status", "loss", "x", "seconds"]
    assert [row[-3] for row in rows[1:]] == ["0.5", "0.25", "0.75"]
    assert [row[0] == "*" for row in rows[1:]] == [False, True, False]
