"""Data sets transformed with the SDKs v2 and v3, their logs followed."""

import pytest

from tests.clients.conftest import ROLE, Runner
from tests.docker.hosting_real import SERVING, images

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("images")]
__all__ = ["images"]


def test_the_sdk_v2_filters_transforms_and_joins(runner: Runner) -> None:
    facts = runner.client("sdk_v2", "sdk_v2/transform.py", SERVING, ROLE)
    assert facts["stored"] == "a,1\nb,2\n"


def test_the_sdk_v2_transforms_with_an_inference_pipeline(runner: Runner) -> None:
    facts = runner.client("sdk_v2", "sdk_v2/transform_pipeline.py", SERVING, ROLE)
    assert facts["stored"] == "second\nfirst\n"
    assert facts["containers"] == ["first", "second"]


def test_the_sdk_v3_transforms(runner: Runner) -> None:
    facts = runner.client("sdk_v3", "sdk_v3/transform.py", SERVING, ROLE)
    assert facts["stored"] == "1,2\n3,4\n"
