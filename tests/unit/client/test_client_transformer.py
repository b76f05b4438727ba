"""Transformer: what is wrong with a job is told before its model is made."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagedock import InvalidRequest
from tests.conftest import BUCKET, Local
from tests.unit.client.deploying import Deployer
from tests.unit.local.hosting.conftest import started

TYPE = "ml.m5.large"


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    with started(tmp_path / "home") as made:
        yield made


@pytest.fixture
def deployer(local: Local) -> Deployer:
    return Deployer(local)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    path.write_text("1\n2\n")
    return path


@pytest.mark.parametrize(
    ("parameters", "arguments", "words"),
    [
        ({"instance_type": "m5.large"}, {}, {"instance_type"}),
        ({"output_path": "out"}, {"split_type": "line"}, {"output_path", "split_type"}),
        ({}, {"data": "rowsx/"}, {"data"}),
    ],
)
def test_a_wrong_job_leaves_no_model(
    deployer: Deployer,
    rows: Path,
    parameters: dict[str, Any],
    arguments: dict[str, Any],
    words: set[str],
) -> None:
    transformer = deployer.model().transformer(**{"instance_type": TYPE, **parameters})
    with pytest.raises(InvalidRequest) as refused:
        transformer.transform(**{"data": rows, "content_type": "text/csv", **arguments})
    assert {line.split(":")[0] for line in refused.value.problems} == words
    assert deployer.there("models") == []


def test_the_first_job_makes_the_model_and_others_have_it(deployer: Deployer, rows: Path) -> None:
    model = deployer.model()
    transformer = model.transformer(TYPE, output_path=f"s3://{BUCKET}/out")
    assert deployer.there("models") == []
    transformer.transform(rows, content_type="text/csv")
    assert deployer.there("models") == [transformer.model_name]
    transformer.transform(rows, content_type="text/csv")
    other = model.transformer(TYPE, output_path=f"s3://{BUCKET}/other")
    with pytest.raises(InvalidRequest, match="split_type"):
        other.transform(rows, split_type="line")  # type: ignore[arg-type]
    assert deployer.there("models") == [transformer.model_name]
    model.delete()
    assert deployer.there("models") == []


def test_a_job_that_the_service_refuses_leaves_no_model(deployer: Deployer, rows: Path) -> None:
    first = deployer.model(name="first")
    first.transformer(TYPE).transform(rows, content_type="text/csv", job_name="taken")
    model = deployer.model(name="second")
    with pytest.raises(InvalidRequest, match=r"^CreateTransformJob: .*taken"):
        model.transformer(TYPE).transform(rows, content_type="text/csv", job_name="taken")
    with pytest.raises(InvalidRequest, match=r"^CreateTransformJob: .*taken"):
        first.transformer(TYPE).transform(rows, content_type="text/csv", job_name="taken")
    assert deployer.there("models") == ["first"]
    free = model.transformer(TYPE)
    free.transform(rows, content_type="text/csv", job_name="free")
    assert sorted(deployer.there("models")) == ["first", "second"]


def test_who_interrupts_the_wait_stops_the_job(deployer: Deployer, rows: Path) -> None:
    interrupts = iter([KeyboardInterrupt])

    def interrupt(**_: Any) -> None:
        for each in interrupts:
            raise each

    deployer.session.client("sagemaker").meta.events.register(
        "after-call.sagemaker.DescribeTransformJob", interrupt
    )
    transformer = deployer.model().transformer(TYPE)
    with pytest.raises(KeyboardInterrupt):
        transformer.transform(rows, content_type="text/csv", job_name="long")
    assert any("Ctrl-C: stopping the transform job long" in each for each in deployer.lines)
    assert "the transform job long " in deployer.lines[-1]
    job = deployer.session.client("sagemaker").describe_transform_job(TransformJobName="long")
    assert job["TransformJobStatus"] in ("Stopped", "Completed")  # it may have been faster


def test_a_wrong_model_is_told_with_its_transformer(deployer: Deployer) -> None:
    with pytest.raises(InvalidRequest, match=r"^role: "):
        deployer.model(role="me").transformer(TYPE)
