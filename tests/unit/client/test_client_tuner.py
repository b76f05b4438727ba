"""HyperparameterTuner against a local SageMaker whose containers are Python functions."""

from pathlib import Path
from typing import Any

import pytest

from sagedock import (
    CategoricalParameter,
    ContinuousParameter,
    DryRun,
    HyperbandStrategyConfig,
    HyperparameterTuner,
    IntegerParameter,
    InvalidRequest,
    JobFailed,
    SagedockError,
    Session,
    TuningJobCompletionCriteriaConfig,
    WarmStartConfig,
)
from sagedock.jobs import Channel
from sagedock.jobs.pipeline import Parameter
from sagedock.testing import Container
from tests.conftest import BUCKET, IMAGE
from tests.unit.client.conftest import Client
from tests.unit.local.tuning.tuning_world import values_of

LOSS = [{"Name": "loss", "Regex": "loss=([-0-9.e]+)"}]


def squared(container: Container) -> int:
    container.print(f"loss={(float(values_of(container)['x']) - 0.3) ** 2:.6f}")
    return 0


def tuner(client: Client, **changes: Any) -> HyperparameterTuner:
    client.local.engine.program = changes.pop("program", squared)
    parameters: dict[str, Any] = {
        "estimator": client.estimator(**changes.pop("estimator", {})),
        "objective_metric_name": "loss",
        "objective_type": "Minimize",
        "metric_definitions": LOSS,
        "hyperparameter_ranges": {
            "x": ContinuousParameter(0.0, 1.0),
            "n": IntegerParameter(1, 9),
            "c": CategoricalParameter(["a", "b"]),
        },
        "max_jobs": 3,
        **changes,
    }
    return HyperparameterTuner(**parameters)


def test_fit_waits_shows_each_training_job_and_finds_the_best(client: Client, folder: Path) -> None:
    tuned = tuner(client, estimator={"hyperparameters": {"epochs": 3}})
    tuned.fit()
    found = tuned.analytics()
    assert (found.status, found.metric, found.objective_type) == ("Completed", "loss", "Minimize")
    assert len(found.trials) == 3
    best = min(found.trials, key=lambda each: each.objective or 0)
    assert found.best == best
    assert tuned.best_training_job() == best.name
    assert tuned.best_estimator().hyperparameters == {"epochs": "3", **best.values}
    for number in (1, 2, 3):
        assert any(line.startswith(f"{number:>4} Completed") for line in client.lines)
    rows = found.rows()
    assert [row["FinalObjectiveValue"] for row in rows] == [e.objective for e in found.trials]
    assert isinstance(rows[0]["x"], float)
    lines = found.text().splitlines()
    assert lines[0].split() == ["#", "status", "n", "x", "c", "loss"]
    assert [line.startswith("*") for line in lines[1:]] == [each == best for each in found.trials]
    picture = folder / "tuning.svg"
    found.save(picture)
    assert "best so far" in picture.read_text()


def test_a_warm_start_on_the_same_files_has_the_same_data(client: Client, folder: Path) -> None:
    (folder / "rows.csv").write_text("1,2\n")
    tuned = tuner(client)
    tuned.fit({"train": str(folder)})
    first = tuned.describe()
    tuned.warm_start_config = WarmStartConfig(parents=[first["HyperParameterTuningJobName"]])
    tuned.fit({"train": str(folder)}, job_name="second")
    second = tuned.describe()
    assert second["HyperParameterTuningJobStatus"] == "Completed"
    channels = [each["TrainingJobDefinition"]["InputDataConfig"] for each in (first, second)]
    assert channels[0] == channels[1]


def test_a_metric_that_nobody_finds_is_told(client: Client, folder: Path) -> None:
    tuned = tuner(client, program=lambda _: 0)
    tuned.fit()
    assert any("has no best training job: none has ended with the" in e for e in client.lines)
    with pytest.raises(InvalidRequest, match="see that the metric definition finds it"):
        tuned.analytics().save(folder / "tuning.svg")


def stored(client: Client, name: str) -> str:
    """Return where there is an object."""
    client.local.client("s3").put_object(Bucket=BUCKET, Key=f"{name}/rows.csv", Body=b"1")
    return f"s3://{BUCKET}/{name}/"


def uploads(client: Client) -> set[str]:
    pages = client.local.client("s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    return {each["Key"] for page in pages for each in page.get("Contents", ())}


def test_a_warm_start_on_other_data_is_refused_before_it_is_uploaded(
    client: Client, folder: Path
) -> None:
    (folder / "rows.csv").write_text("1,2\n")
    tuned = tuner(client)
    tuned.fit({"train": str(folder), "test": stored(client, "test")}, job_name="parent")
    parent = tuned.describe()["TrainingJobDefinition"]["InputDataConfig"][0]
    there = uploads(client)
    (folder / "rows.csv").write_text("3,4\n")
    tuned.warm_start_config = WarmStartConfig(parents=["parent"])
    tuned.estimator.image_uri = IMAGE.replace(":", "-other:")
    for refused in (tuned.fit, tuned.job):
        with pytest.raises(InvalidRequest) as caught:
            refused({"train": str(folder), "labels": "s3://bucket/labels/"})
        image, labels, test, train = caught.value.problems
        assert image == (
            "warm_start_config: IdenticalDataAndAlgorithm: the parent parent has the image "
            f"{IMAGE}, not {tuned.estimator.image_uri}: use TransferLearning where they differ"
        )
        assert "has no input 'labels': use TransferLearning" in labels
        assert "has an input 'test': use TransferLearning" in test
        was = parent["DataSource"]["S3DataSource"]["S3Uri"]
        assert f"has {was} as inputs['train'], not s3://{BUCKET}/" in train
    assert uploads(client) == there
    assert tuned.latest_tuning_job is not None
    assert tuned.latest_tuning_job.name == "parent"


def test_what_says_no_more_than_the_default_is_the_same_data(client: Client) -> None:
    first = Channel(s3_data=stored(client, "train"), compression="None", record_wrapping="None")
    tuned = tuner(client, max_jobs=1)
    tuned.fit({"train": first, "test": stored(client, "test")}, job_name="parent")
    tuned.warm_start_config = WarmStartConfig(parents=["parent"])
    tuned.job({"test": stored(client, "test"), "train": stored(client, "train")})


def test_what_only_an_execution_knows_is_not_compared(client: Client) -> None:
    tuned = tuner(client, max_jobs=1)
    tuned.fit({"train": stored(client, "train")}, job_name="parent")
    tuned.warm_start_config = WarmStartConfig(parents=["parent"])
    tuned.job({"train": Parameter("where", "s3://bucket/other/")})
    with pytest.raises(InvalidRequest, match="use TransferLearning"):
        tuned.job({"train": "s3://bucket/other/"})


def test_a_transfer_may_be_to_other_data(client: Client) -> None:
    tuned = tuner(client, max_jobs=1)
    tuned.fit({"train": stored(client, "train")}, job_name="parent")
    tuned.warm_start_config = WarmStartConfig(
        parents=["parent"], warm_start_type="TransferLearning"
    )
    tuned.job({"train": "s3://bucket/other/"})


def test_an_absent_parent_is_told_before_anything_is_uploaded(client: Client, folder: Path) -> None:
    (folder / "rows.csv").write_text("1,2\n")
    there = uploads(client)
    tuned = tuner(client, warm_start_config=WarmStartConfig(parents=["absent"]))
    with pytest.raises(InvalidRequest, match="can't find a tuning job called absent"):
        tuned.fit({"train": str(folder)})
    assert uploads(client) == there


def test_no_job_at_all_is_refused(client: Client, folder: Path) -> None:
    with pytest.raises(InvalidRequest, match="max_jobs"):
        tuner(client, max_jobs=0).fit()


def test_values_of_a_script_are_json(client: Client, folder: Path) -> None:
    (folder / "train.py").write_text("")
    tuned = tuner(
        client,
        estimator={"entry_point": "train.py", "source_dir": str(folder)},
        hyperparameter_ranges={
            "c": CategoricalParameter(["a", 16, True]),
            "x": ContinuousParameter(0.1, 0.2),
        },
        max_jobs=1,
    )
    tuned.fit(wait=False)
    ranges = tuned.describe()["HyperParameterTuningJobConfig"]["ParameterRanges"]
    assert ranges["CategoricalParameterRanges"] == [{"Name": "c", "Values": ['"a"', "16", "true"]}]
    static = tuned.describe()["TrainingJobDefinition"]["StaticHyperParameters"]
    assert static["sagemaker_program"] == '"train.py"'
    tuned.wait()


def test_what_is_tuned_is_not_static(client: Client) -> None:
    tuned = tuner(client, estimator={"hyperparameters": {"x": 5, "y": 6}}, max_jobs=1)
    tuned.fit()
    static = tuned.describe()["TrainingJobDefinition"]["StaticHyperParameters"]
    assert static == {"y": "6", "_tuning_objective_metric": "loss"}


def test_every_option_is_sent(client: Client) -> None:
    tuner(client, max_jobs=1).fit(job_name="parent")
    tuned = tuner(
        client,
        strategy="Hyperband",
        strategy_config=HyperbandStrategyConfig(max_resource=9, min_resource=2),
        completion_criteria_config=TuningJobCompletionCriteriaConfig(
            target_objective_metric_value=-1.0,
            max_number_of_training_jobs_not_improving=9,
            complete_on_convergence=False,
        ),
        warm_start_config=WarmStartConfig(parents=["parent"], warm_start_type="TransferLearning"),
        max_runtime_in_seconds=600,
        max_parallel_jobs=2,
        random_seed=4,
        tags={"team": "a"},
    )
    tuned.fit()
    job = tuned.describe()
    config = job["HyperParameterTuningJobConfig"]
    assert config["StrategyConfig"]["HyperbandStrategyConfig"] == {
        "MaxResource": 9,
        "MinResource": 2,
    }
    assert config["TuningJobCompletionCriteria"] == {
        "TargetObjectiveMetricValue": -1.0,
        "BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 9},
        "ConvergenceDetected": {"CompleteOnConvergence": "Disabled"},
    }
    assert config["ResourceLimits"] == {
        "MaxNumberOfTrainingJobs": 3,
        "MaxParallelTrainingJobs": 2,
        "MaxRuntimeInSeconds": 600,
    }
    assert config["RandomSeed"] == 4
    assert job["WarmStartConfig"]["WarmStartType"] == "TransferLearning"
    tags = client.local.client("sagemaker").list_tags(ResourceArn=job["HyperParameterTuningJobArn"])
    assert tags["Tags"] == [{"Key": "team", "Value": "a"}]


def test_all_problems_are_told_at_once_in_our_words(client: Client, folder: Path) -> None:
    wrong = tuner(
        client,
        estimator={"entry_point": "absent.py", "source_dir": str(folder), "instance_type": "big"},
        strategy="Guess",
        max_parallel_jobs=0,
    )
    with pytest.raises(InvalidRequest) as caught:
        wrong.fit(job_name="a" * 33)
    text = "\n".join(caught.value.problems)
    for word in ("absent.py", "instance_type", "strategy", "max_parallel_jobs", "job_name"):
        assert word in text
    assert wrong.latest_tuning_job is None


def test_rules_are_told_before_anything_is_sent(client: Client) -> None:
    with pytest.raises(InvalidRequest, match="objective_metric_name: A metric is required"):
        tuner(client, objective_metric_name="other").fit()
    with pytest.raises(InvalidRequest, match="hyperparameter_ranges: Invalid hyperparameter range"):
        tuner(client, hyperparameter_ranges={"x": ContinuousParameter(2, 1)}).fit()
    with pytest.raises(InvalidRequest, match="ContainerEntrypoint"):
        tuner(client, estimator={"container_entry_point": ["sh"]}).fit()


def test_a_failed_tuning_job_raises(client: Client) -> None:
    with pytest.raises(JobFailed, match="All training jobs failed"):
        tuner(client, program=lambda _: 1, max_jobs=1).fit()


def test_without_a_metric_there_is_no_best(client: Client, folder: Path) -> None:
    tuned = tuner(client, program=lambda _: 0, max_jobs=1)
    tuned.fit()
    with pytest.raises(SagedockError, match="no best training job"):
        tuned.best_training_job()
    assert tuned.analytics().best is None
    with pytest.raises(InvalidRequest, match="no training job has an objective"):
        tuned.analytics().save(folder / "a.png")


def test_a_tuner_without_a_job_says_what_to_do(client: Client) -> None:
    with pytest.raises(SagedockError, match="call fit"):
        tuner(client).analytics()


def test_stop_stops(client: Client) -> None:
    def waiting(container: Container) -> int:
        container.terminated.wait(60)
        return 0

    tuned = tuner(client, program=waiting)
    tuned.fit(wait=False)
    tuned.stop()
    with pytest.raises(JobFailed, match="Stopped"):
        tuned.wait()


def test_a_dry_run_asks_about_no_parents(client: Client) -> None:
    dry_run = DryRun(account="123456789012")
    session = Session(target="aws", region="us-west-2", dry_run=dry_run)
    warm = WarmStartConfig(parents=["elsewhere"])
    tuned = tuner(client, estimator={"session": session}, warm_start_config=warm)
    tuned.fit(wait=False)
    assert dry_run.requests[-1].operation == "CreateHyperParameterTuningJob"
