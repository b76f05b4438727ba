"""What tests of the service's calls share."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.unit.local.autoscaling.scaling_world import (
    DIMENSION,
    RESOURCE,
)

NAMESPACE = {"ServiceNamespace": "sagemaker"}


NAMED = f"service namespace: sagemaker, resource ID: {RESOURCE}, scalable dimension: {DIMENSION}"


STEP = {"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}


UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def refused(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    """Return the code and the text of a refusal."""
    with pytest.raises(ClientError) as error:
        call(**request)
    answer: Any = error.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    return answer["Error"]["Code"], answer["Error"]["Message"]


def eventually(true: Callable[[], bool], timeout_s: float = 60) -> None:
    """Wait until it is so."""
    ends = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.02)
