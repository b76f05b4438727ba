"""What SNS topics are told of an asynchronous invocation.

Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-check-predictions.html, and
messages of the service in public files (2023-05-23, 2024-03-29). What an included response looks
like is unverified.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sagedock.local.async_requests import AsyncRequest
from sagedock.local.hosting.asynchronous.outcome import Outcome

__all__ = ["Notice", "notice_of"]

_SUCCESS, _ERROR = "SUCCESS_NOTIFICATION_TOPIC", "ERROR_NOTIFICATION_TOPIC"
_CLIENT, _SERVER = 400, 500
_SEE = "See the SageMaker Endpoint logs in your account for more information."


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What one topic (an ARN) is told."""

    topic: str
    message: Mapping[str, Any]


def notice_of(request: AsyncRequest, outcome: Outcome, config: Mapping[str, Any]) -> Notice | None:
    """Return what is told of a request by its endpoint's AsyncInferenceConfig; None for nothing."""
    wanted = config["OutputConfig"].get("NotificationConfig") or {}
    topic = wanted.get("SuccessTopic" if outcome.succeeded else "ErrorTopic")
    if not topic:
        return None
    includes = (_SUCCESS if outcome.succeeded else _ERROR) in wanted.get(
        "IncludeInferenceResponseIn", ()
    )
    return Notice(topic=topic, message=_message(request, outcome, includes=includes))


def _message(request: AsyncRequest, outcome: Outcome, *, includes: bool) -> dict[str, Any]:
    message: dict[str, Any] = {
        "awsRegion": request.region,
        "eventTime": _time(outcome.ended),
        "receivedTime": _time(request.received),
        "invocationStatus": "Completed" if outcome.succeeded else "Failed",
        "requestParameters": _present(
            accept=request.accept,
            contentType=request.content_type,
            customAttributes=request.custom_attributes,
            endpointName=request.endpoint,
            inputLocation=request.input_location,
        ),
    }
    if outcome.succeeded:
        message["responseParameters"] = _present(
            contentType=outcome.content_type, outputLocation=request.output_location
        )
    else:
        message["failureReason"] = _reason(outcome)
        if outcome.upload_s is not None:
            message["responseParameters"] = _present(outputLocation=request.failure_location)
    if includes and outcome.included is not None:
        message["responseBody"] = {"content": outcome.included, "encoding": "BASE64"}
    return {
        **message,
        "inferenceId": request.inference_id,
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }


def _reason(outcome: Outcome) -> str:
    """Return failureReason: of a container's error its status alone."""
    if outcome.status < _CLIENT:
        return f"ClientError: {outcome.reason}"
    side = "server" if outcome.status >= _SERVER else "client"
    return f"ClientError: Received {side} error ({outcome.status}) from model. {_SEE}"


def _present(**members: str | None) -> dict[str, str]:
    return {name: value for name, value in members.items() if value is not None}


def _time(at: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
