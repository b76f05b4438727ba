"""Bodies: what is read, what is written, and what is refused."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from sagedock import api
from sagedock.api import messages


def test_moments_are_read_as_utc() -> None:
    decoded = api.decode({"CreationTimeAfter": 1574811611.5}, "sagemaker", "ListTrainingJobs")
    assert decoded == {"CreationTimeAfter": datetime(2019, 11, 26, 23, 40, 11, 500_000, tzinfo=UTC)}


def test_nulls_and_strangers_are_left_out_of_a_request() -> None:
    value = {"NextToken": None, "Stranger": 1, "MaxResults": 3}
    assert api.decode(value, "sagemaker", "ListTrainingJobs") == {"MaxResults": 3}


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b'"x"', b"3", b"\xff", b'{"a": NaN}', b'{"a": 1,}', b"[" * 100_000],
    ids=repr,
)
def test_what_is_no_request_is_malformed(body: bytes) -> None:
    with pytest.raises(api.MalformedBody):
        api.read_json(body)


def test_moments_are_written_in_milliseconds_whatever_their_zone() -> None:
    moment = datetime(2019, 11, 27, 1, 40, 11, 123_456, tzinfo=timezone(timedelta(hours=2)))
    body = api.encode("sagemaker", "DescribeTrainingJob", {"CreationTime": moment})
    assert body == b'{"CreationTime":1574811611.123}'


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a timezone"):
        api.encode("sagemaker", "DescribeTrainingJob", {"CreationTime": datetime(2026, 1, 1)})


@pytest.mark.parametrize("body", [rb'{"NextToken": "a\ud800"}', b'{"NextToken": "a\xed\xa0\x80"}'])
def test_half_a_surrogate_pair_is_read_as_a_question_mark(body: bytes) -> None:
    assert api.read_json(body) == {"NextToken": "a?"}
    assert api.read_json(rb'"\ud83d\ude00"'.join([b'{"a": ', b"}"])) == {"a": "😀"}


def test_nulls_and_strangers_are_left_out_of_an_answer() -> None:
    answer = {"TrainingJobArn": "arn", "Stranger": 1}
    assert api.encode("sagemaker", "CreateTrainingJob", answer) == b'{"TrainingJobArn":"arn"}'
    assert api.encode("sagemaker", "StopTrainingJob", {"x": 1}) == b"{}"


def test_text_is_utf_8_and_half_a_pair_is_a_question_mark() -> None:
    body = api.encode("sagemaker", "CreateTrainingJob", {"TrainingJobArn": "é\ud800"})
    assert body == '{"TrainingJobArn":"é?"}'.encode()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (messages.validation("no"), {"__type": "ValidationException", "message": "no"}),
        (
            api.ServiceError(code="ResourceInUse", message="no"),
            {"__type": "ResourceInUse", "Message": "no"},
        ),
        (
            api.ServiceError(code="ResourceLimitExceeded", message="no"),
            {"__type": "ResourceLimitExceeded", "Message": "no"},
        ),
        (messages.wrong_json_type("no"), {"__type": "SerializationException", "Message": "no"}),
        (messages.malformed_body(), {"__type": "SerializationException"}),
        (messages.throttled(), {"__type": "ThrottlingException", "message": "Rate exceeded"}),
    ],
)
def test_a_refusal_names_its_code_and_text(error: api.ServiceError, expected: Any) -> None:
    assert json.loads(api.error_body(error)) == expected
    assert api.error_headers(error)["Content-Type"] == "application/x-amz-json-1.1"


def test_a_rest_service_names_the_code_in_a_header() -> None:
    error = api.ServiceError(code="ValidationError", message="no")
    assert api.error_body(error, "sagemaker-runtime") == b'{"Message":"no"}'
    assert api.error_headers(error, "sagemaker-runtime")["x-amzn-ErrorType"] == "ValidationError"


def test_target_prefixes() -> None:
    assert api.target_prefix("sagemaker") == "SageMaker"
    assert api.target_prefix("logs") == "Logs_20140328"
    assert api.target_prefix("sagemaker-runtime") == ""
    assert "CreateTrainingJob" in api.operations("sagemaker")
