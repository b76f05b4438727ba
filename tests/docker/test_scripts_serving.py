"""scripts/deploy.py and scripts/transform.py on the model that scripts/train.py trains."""

import json
from pathlib import Path
from typing import Any

import pytest

from sagedock import LocalSageMaker, Session
from sagedock.local.platform import HOME_LABEL, home_id
from tests.docker.scripts import failed_script, run_script


def test_digits_are_trained_served_and_run_over_a_file(tmp_path: Path, engine: Any) -> None:
    trained = json.loads(run_script("train.py", tmp_path, "--json", "--epochs", "5"))
    served = json.loads(run_script("deploy.py", tmp_path, "--json", "--autoscale", "1", "2", "60"))
    assert served["test:accuracy"] == pytest.approx(trained["metrics"]["test:accuracy"], abs=0.003)
    assert served["invocations"] == 36
    assert served["policy"].startswith("arn:aws:autoscaling:")
    ran = json.loads(run_script("transform.py", tmp_path, "--json"))
    assert ran["rows"] == 359
    assert ran["test:accuracy"] == served["test:accuracy"]
    with LocalSageMaker(home=tmp_path / "sagedock") as local:
        session = Session(target="local", environ=local.environment(), show=lambda _: None)
        sagemaker = session.client("sagemaker")
        assert sagemaker.list_endpoints()["Endpoints"] == []
        assert sagemaker.list_endpoint_configs()["EndpointConfigs"] == []
        assert sagemaker.list_models()["Models"] == []
    assert list(engine.containers({HOME_LABEL: home_id(tmp_path / "sagedock")})) == []


@pytest.mark.parametrize("name", ["deploy.py", "transform.py"])
def test_without_a_trained_model_it_says_what_to_do(name: str, tmp_path: Path) -> None:
    assert "run scripts/train.py first" in failed_script(name, tmp_path)


def test_an_endpoint_that_does_not_get_into_service_is_deleted(tmp_path: Path, engine: Any) -> None:
    archive = tmp_path / "model.tar.gz"
    archive.write_bytes(b"this is no archive")
    told = failed_script("deploy.py", tmp_path, "--model-data", str(archive))
    assert "model.tar.gz" in told
    assert list(engine.containers({HOME_LABEL: home_id(tmp_path / "sagedock")})) == []
