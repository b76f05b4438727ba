"""Inference components with the SDK v2, as its documentation shows them."""

import pytest

from tests.clients.conftest import ROLE, Runner
from tests.clients.test_deploying import SERVING_IMAGE

pytestmark = pytest.mark.slow


def test_the_sdk_v2_deploys_two_models_on_one_endpoint(runner: Runner) -> None:
    facts = runner.client("sdk_v2", "sdk_v2/components.py", SERVING_IMAGE, ROLE)
    assert facts["answers"] == [[11, 12], [21, 22]]
    assert facts["listed"] == ["component-10", "component-20"]
    assert facts["copies"] == {"DesiredCopyCount": 2, "CurrentCopyCount": 2}
