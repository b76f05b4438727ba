"""Instance types that there cannot be: told before anything is uploaded, with those near them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sagedock import (
    ContinuousParameter,
    HyperparameterTuner,
    InvalidRequest,
    ProcessingInput,
    Processor,
)
from tests.conftest import BUCKET, IMAGE, ROLE
from tests.unit.client.conftest import Client


def uploaded(client: Client) -> list[str]:
    """Return what is in the bucket of outputs, and the names of other buckets."""
    s3 = client.local.client("s3")
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())]
    others = [each["Name"] for each in s3.list_buckets()["Buckets"] if each["Name"] != BUCKET]
    return keys + others


def fit(client: Client, folder: Path, kind: str) -> None:
    """Begin an estimator's, a tuner's or a processor's job over files of this machine."""
    client.estimator(instance_type=kind).fit({"train": str(folder)})


def tune(client: Client, folder: Path, kind: str) -> None:
    estimator = client.estimator(
        instance_type=kind, metric_definitions=[{"Name": "loss", "Regex": "loss=(.*)"}]
    )
    HyperparameterTuner(
        estimator=estimator,
        objective_metric_name="loss",
        hyperparameter_ranges={"x": ContinuousParameter(0.0, 1.0)},
    ).fit({"train": str(folder)})


def process(client: Client, folder: Path, kind: str) -> None:
    Processor(
        image_uri=IMAGE,
        role=ROLE,
        instance_type=kind,
        session=client.session,
        show=client.lines.append,
    ).run(inputs=[ProcessingInput(source=str(folder), destination="/opt/ml/processing/input/a")])


@pytest.mark.parametrize("begin", [fit, tune, process])
@pytest.mark.parametrize(
    ("given", "near"),
    [
        ("ml.m5large", "ml.m5.large"),
        ("m5.large", "ml.m5.large"),
        ("ML.M5.LARGE", "ml.m5.large"),
        ("ml.g5.2xlarge ", "ml.g5.2xlarge"),
    ],
)
def test_what_is_surely_no_instance_type_is_told_with_those_near_it(
    client: Client, folder: Path, begin: Callable[..., None], given: str, near: str
) -> None:
    (folder / "a.csv").write_text("1")
    with pytest.raises(InvalidRequest) as caught:
        begin(client, folder, given)
    (problem,) = caught.value.problems
    assert problem.startswith(
        f"instance_type: {given!r} is no SageMaker instance type; near it are"
    )
    assert near in problem
    assert "give one such as ml.m5.large" in problem
    assert uploaded(client) == []


def test_what_is_like_no_instance_type_is_told_without_others(client: Client, folder: Path) -> None:
    with pytest.raises(InvalidRequest, match="'big' is no SageMaker instance type: give one"):
        process(client, folder, "big")
