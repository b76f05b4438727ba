"""Rows of the fidelity corpus on asynchronous and serverless endpoints (the page "the rest")."""

import base64
from typing import Any

from sagedock.api import hosting_messages
from sagedock.api import runtime_messages as words
from sagedock.local.async_requests import AsyncRequest
from sagedock.local.hosting.asynchronous import reasons
from sagedock.local.hosting.asynchronous.accepting import accepted, answer_headers
from sagedock.local.hosting.asynchronous.notices import notice_of
from sagedock.local.hosting.asynchronous.outcome import Outcome
from sagedock.local.hosting.passing import Asked

TOPIC = "arn:aws:sns:us-east-1:123456789012:sagemaker-t"


def asked(**headers: str) -> Asked:
    sent = [
        (f"x-amzn-sagemaker-{name}".encode(), value.encode()) for name, value in headers.items()
    ]
    return Asked.of(
        sent, operation="InvokeEndpointAsync", endpoint="e", region="us-east-1", request_id="r"
    )


def request_of(output: dict[str, Any]) -> AsyncRequest:
    call = asked(inputlocation="s3://b/in")
    return accepted(call, b"", {"OutputConfig": output})


def test_rest_row_29_model_data_sources_of_a_serverless_variant() -> None:
    message = hosting_messages.model_data_source_of_serverless().message
    assert str(message).startswith("Model with containers that use ModelDataSourc")


def test_rest_row_92_where_results_will_be() -> None:
    request = request_of({"S3OutputPath": "s3://b/out", "S3FailurePath": "s3://b/bad"})
    told = dict(answer_headers(request))
    assert told[b"x-amzn-sagemaker-outputlocation"].startswith(b"s3://b/out/")
    assert told[b"x-amzn-sagemaker-failurelocation"].startswith(b"s3://b/bad/")
    assert len(request.inference_id) == 36


def test_rest_row_93_no_place_for_failures() -> None:
    request = request_of({"S3OutputPath": "s3://b/out"})
    assert [name for name, _ in answer_headers(request)] == [b"x-amzn-sagemaker-outputlocation"]


def test_rest_row_94_an_inline_body() -> None:
    request = accepted(asked(), b"x" * 128_000, {"OutputConfig": {}})
    assert (request.body, request.input_location) == (b"x" * 128_000, None)


def test_rest_row_96_what_the_log_says_of_an_error() -> None:
    invoked = words.Invoked(region="us-east-1", account="123456789012", endpoint="e")
    text = "Failed to buffer the request body: length limit exceeded"
    assert str(words.model_error(invoked, 413, text).message).startswith(
        f'Received client error (413) from primary with message "{text}"'
    )


def test_rest_row_97_an_answer_in_chunks() -> None:
    assert reasons.NO_LENGTH == (
        "The response from container primary did not specify the required Content-Length header"
    )


def test_rest_row_98_what_the_topic_of_success_is_told() -> None:
    request = AsyncRequest(
        region="us-east-1",
        endpoint="e",
        inference_id="11111111-2222-3333-4444-555555555555",
        received=1_643_150_760.455,
        expires=0,
        timeout_s=1,
        input_location="s3://b/in.csv",
        output_location="s3://b/out/prediction.out",
        failure_location=None,
        content_type="text/csv",
    )
    outcome = Outcome(
        variant="v",
        ended=1_643_150_760.608,
        status=200,
        content_type="text/csv; charset=utf-8",
        included=base64.b64encode(b"1").decode(),
    )
    config = {"OutputConfig": {"NotificationConfig": {"SuccessTopic": TOPIC}}}
    notice = notice_of(request, outcome, config)
    assert notice is not None
    assert notice.topic == TOPIC
    assert notice.message == {
        "awsRegion": "us-east-1",
        "eventTime": "2022-01-25T22:46:00.608Z",
        "receivedTime": "2022-01-25T22:46:00.455Z",
        "invocationStatus": "Completed",
        "requestParameters": {
            "contentType": "text/csv",
            "endpointName": "e",
            "inputLocation": "s3://b/in.csv",
        },
        "responseParameters": {
            "contentType": "text/csv; charset=utf-8",
            "outputLocation": "s3://b/out/prediction.out",
        },
        "inferenceId": "11111111-2222-3333-4444-555555555555",
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }


def test_an_asynchronous_endpoint_stays_one() -> None:
    """aws/sagemaker-python-sdk#3124."""
    assert str(hosting_messages.asynchronous_forever("hescatterplot").message).startswith(
        "The AsyncInferenceConfig parameter cannot be removed from this endpoint hescatterplot. "
        "To change the e"
    )


def test_throttling_has_a_null_message() -> None:
    error = hosting_messages.too_many_calls()
    assert (error.code, error.http_status, error.message) == ("ThrottlingException", 400, None)
