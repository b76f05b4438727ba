"""Rows of the fidelity corpus on sagemaker-runtime (the page "the rest")."""

import pytest

from sagedock.api import runtime_messages as words

INVOKED = words.Invoked(region="us-east-1", account="123456789012", endpoint="e")
SEE = (
    "See https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1"
    "#logEventViewer:group=/aws/sagemaker/Endpoints/e in account 123456789012 for more information."
)


def test_rest_row_65_an_unknown_endpoint() -> None:
    error = words.endpoint_not_found("e", "123456789012")
    assert (error.code, error.http_status) == ("ValidationError", 400)
    assert error.message == "Endpoint e of account 123456789012 not found."


@pytest.mark.parametrize(
    ("status", "body", "begins"),
    [
        pytest.param(500, "no", "Received server error (500)", id="rest-66"),
        pytest.param(500, "", "Received server error (500)", id="rest-68"),
        pytest.param(400, "no", "Received client error (400)", id="rest-70"),
        pytest.param(415, "no", "Received client error (415)", id="rest-72"),
    ],
)
def test_an_error_of_the_container(status: int, body: str, begins: str) -> None:
    error = words.model_error(INVOKED, status, body)
    assert (error.code, error.http_status) == ("ModelError", 424)
    assert error.message == f'{begins} from primary with message "{body}". {SEE}'
    assert error.details["OriginalStatusCode"] == status
    assert error.details["OriginalMessage"] == body


def test_rest_row_69_an_answer_that_cannot_be_read_whole() -> None:
    assert words.model_broke(INVOKED).message == (
        "Received server error (500) from primary and could not load the entire response body. "
        + SEE
    )


def test_rest_rows_73_and_74_no_answer_within_a_minute() -> None:
    error = words.model_timed_out(INVOKED)
    assert error.http_status == 424
    assert error.message == (
        'Received server error (0) from primary with message "Your invocation timed out while '
        "waiting for a response from container primary. Review the latency metrics for each "
        f'container in Amazon CloudWatch, resolve the issue, and try again.". {SEE}'
    )


def test_rest_row_78_a_body_that_is_too_large() -> None:
    error = words.oversize_body("c5b4")
    assert (error.code, error.message) == ("ValidationError", "Request c5b4 has oversize body.")


def test_rest_row_81_what_a_client_reads_beside_the_message() -> None:
    failed = words.model_error(INVOKED, 500, "no").details
    assert failed["ErrorCode"] == "INTERNAL_FAILURE_FROM_MODEL"
    assert words.model_error(INVOKED, 404, "").details["ErrorCode"] == "CLIENT_ERROR_FROM_MODEL"
    assert failed["LogStreamArn"] == (
        "arn:aws:logs:us-east-1:123456789012:log-group:/aws/sagemaker/Endpoints/e"
    )


def test_rest_row_85_a_target_model_for_a_plain_endpoint() -> None:
    assert words.no_multi_model_endpoint("e").message == (
        "Endpoint e is not a multi-model endpoint and does not support target model header."
    )
