"""MultiModel: what is absent, or no place for models, is told by its parameter."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagedock import InvalidRequest, MultiModel
from tests.conftest import BUCKET, IMAGE, ROLE, Local
from tests.unit.client.deploying import Deployer
from tests.unit.local.hosting.conftest import started

PREFIX = f"s3://{BUCKET}/many/"


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    with started(tmp_path / "home") as made:
        yield made


@pytest.fixture
def deployer(local: Local) -> Deployer:
    return Deployer(local)


def models_at(deployer: Deployer, prefix: Any = PREFIX) -> MultiModel:
    return MultiModel(image_uri=IMAGE, role=ROLE, model_data_prefix=prefix, **deployer.own)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("absent.tar.gz", "model_data: absent.tar.gz: no such file"),
        (f"s3://{BUCKET}/no/a.tar.gz", "model_data: s3://.*/no/a.tar.gz: nothing there"),
        ("s3://bucketno/a.tar.gz", "model_data: s3://bucketno/a.tar.gz: nothing there"),
    ],
)
def test_a_model_that_is_not_there_is_told(deployer: Deployer, source: str, told: str) -> None:
    models = models_at(deployer)
    with pytest.raises(InvalidRequest, match=f"^{told}"):
        models.add_model(source)
    assert list(models.list_models()) == []


def test_a_bucket_that_is_not_there_is_told(deployer: Deployer, tmp_path: Path) -> None:
    models = models_at(deployer, "s3://bucketno/models")
    with pytest.raises(InvalidRequest, match=r"^model_data_prefix: s3://bucketno/models/: no"):
        list(models.list_models())
    (tmp_path / "a.tar.gz").write_bytes(b"1")
    assert models_at(deployer).add_model(tmp_path / "a.tar.gz") == "a.tar.gz"
    with pytest.raises(InvalidRequest, match=r"^model_data_prefix: s3://bucketno/models/: no"):
        models.add_model(f"{PREFIX}a.tar.gz")
    assert list(models_at(deployer).list_models()) == ["a.tar.gz"]


@pytest.mark.parametrize("prefix", ["bucket/models/", "s3://", "", None, 5])
def test_a_prefix_that_is_no_folder_of_s3_is_refused(deployer: Deployer, prefix: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        models_at(deployer, prefix)
    (told,) = refused.value.problems
    assert told.startswith(f"model_data_prefix: {prefix!r} ")
    assert told.endswith("give s3://bucket/folder/")
