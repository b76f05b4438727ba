"""The SageMaker SDK v2: Estimator and PyTorch, as its documentation shows them."""

import json

import pytest

from tests.clients.conftest import IMAGE, ROLE, Runner

pytestmark = pytest.mark.slow


def test_the_estimator_fits_shows_the_log_and_finds_the_model(runner: Runner) -> None:
    facts = runner.client("sdk_v2", "sdk_v2/estimator.py", IMAGE, ROLE)
    assert facts["status"] == "Completed"
    assert facts["metrics"] == {"total": 12.0}
    assert json.loads(facts["model"]) == {"total": 12.0, "label": "sdk-v2"}
    assert facts["model_uri"].endswith(f"/{facts['job']}/output/model.tar.gz")
    lines = facts["printed"].splitlines()
    assert lines.count("hello from algo-1 sdk-v2") == 1
    assert lines.count("total=12.0") == 1


@pytest.mark.parametrize("mode", ["FastFile", "Pipe"])
def test_pytorch_on_two_hosts_with_torchrun(runner: Runner, mode: str) -> None:
    facts = runner.client("sdk_v2", "sdk_v2/pytorch.py", IMAGE, ROLE, mode)
    assert (facts["status"], facts["mode"]) == ("Completed", mode)
    # 6 numbers' sum, halved, on rank 0; twice that on rank 1
    assert json.loads(facts["model"]) == {"total": 9.0, "size": 2}
    assert facts["metrics"] == {"total": 9.0}
    assert {"Key": "team", "Value": "a"} in facts["tags"]
    for rank in range(2):
        assert f"rank {rank} of 2 on algo-{rank + 1}: 9.0" in facts["printed"]


def test_spot_instances_go_on_from_the_last_checkpoint(runner: Runner) -> None:
    facts = runner.client("sdk_v2", "sdk_v2/spot.py", IMAGE, ROLE)
    assert facts["status"] == "Completed"
    assert facts["spot"] is True
    assert facts["checkpoint_config"]["LocalPath"] == "/opt/ml/my-checkpoints"
    assert facts["checkpoint"] == {"step": 5}
    assert "steps 2 to 5" in facts["printed"].splitlines()
    assert 0 < facts["billable_s"] <= facts["training_s"]
