"""boto3, with nothing but the environment."""

import json

from tests.clients.conftest import IMAGE, Runner


def test_plain_boto3_with_nothing_but_the_environment(runner: Runner) -> None:
    facts = runner.client("sdk_v2", "boto3_train.py", IMAGE)
    assert facts["status"] == "Completed"
    assert facts["metrics"] == {"total": 12.0}
    assert json.loads(facts["model"]) == {"total": 12.0, "label": ""}
    assert facts["model_uri"].endswith(f"/output/{facts['job']}/output/model.tar.gz")
    assert "total=12.0" in facts["log"]
