"""Models deployed with the SDKs v2 and v3, as their documentation shows it."""

import pytest

from tests.clients.conftest import ROLE, Runner
from tests.docker.hosting_real import SERVING, images

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("images")]
__all__ = ["images"]


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
