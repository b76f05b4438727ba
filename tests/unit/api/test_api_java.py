"""Values are printed as Java prints them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sagedock.api.java import java_text
from sagedock.api.model import input_shape

TRAINING = input_shape("sagemaker", "CreateTrainingJob")
TEXT = TRAINING.members["TrainingJobName"]


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        ("a b", "a b"),
        (True, "true"),
        (7, "7"),
        (None, "null"),
        (1.0, "1.0"),
        (0.5, "0.5"),
        (0.001, "0.001"),
        (0.0001, "1.0E-4"),
        (1.5e-06, "1.5E-6"),
        (123456.789, "123456.789"),
        (1e7, "1.0E7"),
        (12345678.9, "1.23456789E7"),
        (-1e100, "-1.0E100"),
        (0.0, "0.0"),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
        (b"abcd", "java.nio.HeapByteBuffer[pos=0 lim=4 cap=4]"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "Fri Jan 02 03:04:05 UTC 2026"),
    ],
)
def test_scalars(value: Any, printed: str) -> None:
    assert java_text(value, TEXT) == printed


def test_maps_lists_and_structures() -> None:
    assert java_text({"b": "1", "a": "2"}, TRAINING.members["HyperParameters"]) == "{b=1, a=2}"
    assert java_text([], TRAINING.members["Tags"]) == "[]"
    tags = [{"Key": "k", "Value": "v"}, {"Key": "k2", "Stranger": 1}]
    assert java_text(tags, TRAINING.members["Tags"]) == "[{key=k, value=v}, {key=k2}]"


def test_a_secret_within_a_structure_is_covered() -> None:
    oidc = input_shape("sagemaker", "CreateWorkforce").members["OidcConfig"]
    assert java_text({"ClientId": "id", "ClientSecret": "s"}, oidc) == (
        "{clientId=id, clientSecret=***Sensitive Data Redacted***}"
    )
