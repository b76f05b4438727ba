"""Refusals of sagemaker-runtime, in its own words. Sources are rows of the fidelity corpus' page
"the rest"; ``unverified`` marks words that nobody was seen to receive.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sagedock.api import log_groups
from sagedock.api.container_names import PRIMARY
from sagedock.api.service_error import ServiceError

__all__ = [
    "Detailed",
    "Invoked",
    "ModelError",
    "asynchronous_only",
    "bad_request",
    "cold_start_failed",
    "endpoint_not_found",
    "internal_dependency",
    "missing_target_container",
    "missing_target_model",
    "model_broke",
    "model_error",
    "model_not_ready",
    "model_timed_out",
    "no_direct_endpoint",
    "no_multi_model_endpoint",
    "no_stream",
    "no_target_model",
    "not_asynchronous",
    "not_one_input",
    "oversize_body",
    "target_model_absent",
    "target_model_broken",
    "unavailable",
    "unknown_container",
    "unknown_variant",
]

_BAD_REQUEST, _MODEL_ERROR, _NOT_READY, _UNAVAILABLE = 400, 424, 429, 503
_SERVER_ERROR, _DEPENDENCY = 500, 530
#: The most that the model allows for a message; it is cut there (unverified).
_LONGEST = 2048
_TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container {container}. Review "
    "the latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
)


@dataclass(frozen=True, kw_only=True)
class Invoked:
    """The endpoint that was invoked, and its container: what one of several is called there is the
    same in these texts (unverified).
    """

    region: str
    account: str
    endpoint: str
    container: str = PRIMARY

    @property
    def log_group(self) -> str:
        """Where its containers' output is."""
        return log_groups.endpoint(self.endpoint)

    @property
    def log_arn(self) -> str:
        """The same, as an ARN."""
        return f"arn:aws:logs:{self.region}:{self.account}:log-group:{self.log_group}"

    @property
    def see(self) -> str:
        """Where the reader is sent. Source: row 66."""
        return (
            f"See https://{self.region}.console.aws.amazon.com/cloudwatch/home?region="
            f"{self.region}#logEventViewer:group={self.log_group} in account {self.account} for "
            "more information."
        )


@dataclass(frozen=True, kw_only=True)
class Detailed(ServiceError):
    """A refusal; ``details`` are what the answer has beside its message."""

    details: Mapping[str, Any] = field(default_factory=dict)


class ModelError(Detailed):
    """A container failed."""


def bad_request(message: str, **details: Any) -> ServiceError:
    """A ValidationError of any text. Sources: rows 65, 78, 80, 85; ``details``: row 80."""
    return Detailed(
        code="ValidationError", message=message, http_status=_BAD_REQUEST, details=details
    )


def endpoint_not_found(endpoint: str, account: str) -> ServiceError:
    """No such endpoint, or not in service. Source: row 65; for one that is not in service
    unverified.
    """
    return bad_request(f"Endpoint {endpoint} of account {account} not found.")


def asynchronous_only(endpoint: str) -> ServiceError:
    """An asynchronous endpoint is invoked at once, or for a stream. That it is refused: row 100 (a
    source); the words are unverified.
    """
    return bad_request(
        f"Endpoint {endpoint} is an asynchronous inference endpoint. Use InvokeEndpointAsync to "
        "invoke it."
    )


def not_asynchronous(endpoint: str) -> ServiceError:
    """InvokeEndpointAsync of an endpoint without an AsyncInferenceConfig. Unverified."""
    return bad_request(
        f"Endpoint {endpoint} is not an asynchronous inference endpoint and does not support "
        "InvokeEndpointAsync."
    )


def not_one_input(request: str) -> ServiceError:
    """Neither Body nor InputLocation, or both: refused by row 94; the words are unverified."""
    return bad_request(f"Request {request} must have exactly one of a body and an input location.")


def unknown_variant(variant: str, endpoint: str) -> ServiceError:
    """TargetVariant names none of the endpoint's. Unverified."""
    return bad_request(f"Variant {variant} not found for endpoint {endpoint}.")


def no_multi_model_endpoint(endpoint: str) -> ServiceError:
    """TargetModel, sent to an endpoint whose containers have one model each. Source: row 85."""
    return bad_request(
        f"Endpoint {endpoint} is not a multi-model endpoint and does not support target model "
        "header."
    )


def missing_target_model(request: str) -> ServiceError:
    """No TargetModel, sent to a multi-model endpoint. Source: row 86, which is cut off in the last
    word.
    """
    return bad_request(f"Request {request} is missing a target model header.")


def no_target_model(target: str) -> ServiceError:
    """TargetModel leads out of the endpoint's prefix, or can name no object. Unverified."""
    return bad_request(
        f"TargetModel {target!r} is no path of a model below the prefix of the endpoint: leave out "
        "'..', '.', empty parts and backslashes."
    )


def target_model_absent(bucket: str, key: str) -> ServiceError:
    """TargetModel names an object that is not there. Source: row 109, which is of an adapter and
    cut off; the advice is that of an endpoint's FailureReason (unverified).
    """
    return bad_request(
        f"Failed to download model data (bucket: {bucket}, key: {key}). Please ensure that there "
        "is an object located at the URL and that the role passed to CreateModel has permissions "
        "to download the object."
    )


def target_model_broken(bucket: str, key: str) -> ServiceError:
    """TargetModel names an object that is no archive of a model. Unverified."""
    return bad_request(
        f"Failed to extract model data archive (bucket: {bucket}, key: {key}). Please ensure that "
        "the object located at the URL is a valid tar.gz archive."
    )


def model_not_ready(target: str) -> ServiceError:
    """The model is still downloaded or loaded. Source: row 88; the words are unverified."""
    return ServiceError(
        code="ModelNotReadyException",
        message=f"Model {target} is being downloaded or loaded. Try again in a moment.",
        http_status=_NOT_READY,
    )


def internal_dependency(target: str) -> ServiceError:
    """What the platform itself needs failed. The words are unverified."""
    return ServiceError(
        code="InternalDependencyException",
        message=f"Model {target} could not be stored on the instance.",
        http_status=_DEPENDENCY,
    )


def missing_target_container(request: str) -> ServiceError:
    """No TargetContainerHostname, sent to an endpoint with direct invocation. Unverified: worded as
    row 86 is.
    """
    return bad_request(f"Request {request} is missing a target container hostname header.")


def unknown_container(container: str, endpoint: str) -> ServiceError:
    """TargetContainerHostname names none of the endpoint's containers. Unverified."""
    return bad_request(f"Container {container} not found for endpoint {endpoint}.")


def no_direct_endpoint(endpoint: str) -> ServiceError:
    """TargetContainerHostname, sent to an endpoint without direct invocation. Unverified: worded as
    row 85 is.
    """
    return bad_request(
        f"Endpoint {endpoint} is not a multi-container endpoint with direct invocation and does "
        "not support target container hostname header."
    )


def oversize_body(request: str) -> ServiceError:
    """The body is too large. Source: row 78, a serverless endpoint; for others older words are
    known only (rows 76 and 77).
    """
    return bad_request(f"Request {request} has oversize body.")


def unavailable(endpoint: str) -> ServiceError:
    """No container of the endpoint can be reached now. Unverified."""
    return ServiceError(
        code="ServiceUnavailable",
        message=f"No instance of endpoint {endpoint} can be reached at the moment.",
        http_status=_UNAVAILABLE,
    )


def model_error(invoked: Invoked, status: int, body: str) -> ModelError:
    """A container answered an error. Sources: rows 66, 68, 70, 72 and 81."""
    side = "server" if status >= _SERVER_ERROR or status == 0 else "client"
    begin = f'Received {side} error ({status}) from {invoked.container} with message "'
    end = f'". {invoked.see}'
    text = body[: max(0, _LONGEST - len(begin) - len(end))]
    return _model_error(invoked, status, begin + text + end, body[:_LONGEST])


def model_timed_out(invoked: Invoked) -> ModelError:
    """A container did not answer within 60 seconds. Sources: rows 73 and 74."""
    return model_error(invoked, 0, _TIMED_OUT.format(container=invoked.container))


def model_broke(invoked: Invoked) -> ModelError:
    """A container's answer ended early, or is larger than it may be. Source: row 69; that it is
    what a large one gets is unverified.
    """
    text = f"Received server error (500) from {invoked.container} and could not load the entire"
    return _model_error(invoked, _SERVER_ERROR, f"{text} response body. {invoked.see}", "")


def cold_start_failed(invoked: Invoked, reason: str) -> ModelError:
    """The container that a call of a serverless endpoint started did not serve. Unverified."""
    return model_error(invoked, _SERVER_ERROR, reason)


def no_stream(endpoint: str) -> ServiceError:
    """InvokeEndpointWithResponseStream of a serverless endpoint. Unverified."""
    return bad_request(
        f"Endpoint {endpoint} is serverless and does not support response streaming."
    )


def _model_error(invoked: Invoked, status: int, message: str, original: str) -> ModelError:
    """Return the refusal with what its body has beside the message. Source of the codes: row 81,
    and a test of opensearch-project/ml-commons.
    """
    of_client = _BAD_REQUEST <= status < _SERVER_ERROR
    return ModelError(
        code="ModelError",
        message=message,
        http_status=_MODEL_ERROR,
        details={
            "ErrorCode": "CLIENT_ERROR_FROM_MODEL" if of_client else "INTERNAL_FAILURE_FROM_MODEL",
            "LogStreamArn": invoked.log_arn,
            "OriginalMessage": original,
            "OriginalStatusCode": status,
        },
    )
