"""Models deployed with the SDKs v2 and v3, as their documentation shows it."""

import pytest

from tests.clients.conftest import ACCOUNT, REGION, ROLE, Runner
from tests.clients.conftest import IMAGE as TRAINING_IMAGE
from tests.docker.hosting_real import SERVING, images

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("images")]
__all__ = ["images"]

SERVING_IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/sagedock-serving:cpu"


def test_the_sdk_v2_deploys_predicts_and_deletes(runner: Runner) -> None:
    facts = runner.client("sdk_v2", "sdk_v2/deploy.py", SERVING, ROLE)
    assert facts["status"] == "InService"
    assert facts["echoed"] == "1,2,3"
    assert facts["which"] == "v2"
    assert facts["parts"] == "part 0\npart 1\npart 2\n"
    assert facts["files"] == ["code/inference.py"]


def test_the_sdk_v3_deploys_invokes_and_deletes(runner: Runner) -> None:
    facts = runner.client("sdk_v3", "sdk_v3/deploy.py", SERVING, ROLE)
    assert (facts["status"], facts["which"]) == ("InService", "v3")
    assert facts["variant"] == "AllTraffic"


def test_the_sdk_v2_deploys_what_it_trained_on_the_serving_image(runner: Runner) -> None:
    facts = runner.client(
        *("sdk_v2", "sdk_v2/train_and_deploy.py", TRAINING_IMAGE, SERVING_IMAGE, ROLE)
    )
    assert len(facts["arrays"]) == 2
    assert facts["arrays"][1] - facts["arrays"][0] == 1
    assert facts["json"] == [number + 2 for number in facts["arrays"]]


def test_the_sdk_v3_builds_and_deploys_on_the_serving_image(runner: Runner) -> None:
    facts = runner.client("sdk_v3", "sdk_v3/build_and_deploy.py", SERVING_IMAGE, ROLE)
    assert facts["json"] == [101, 102]
    assert facts["model"] == "built-v3"


def test_the_sdk_v2_deploys_endpoints_of_other_kinds(runner: Runner) -> None:
    facts = runner.client("sdk_v2", "sdk_v2/kinds.py", SERVING_IMAGE, ROLE)
    assert facts["async"] == [11, 12]
    assert facts["failure"].startswith("Model returned error: {'error': 'predict_fn failed")
    assert facts["serverless"] == [11, 12]
    assert facts["names"] == ["adds-10.tar.gz", "adds-20.tar.gz"]
    assert facts["many"] == [[11], [21]]
