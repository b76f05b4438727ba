"""Calls that are refused on request, in the service's words."""

from collections.abc import Mapping
from typing import Any, assert_never

from sagedock.api import ServiceError, hosting_messages, messages
from sagedock.local.caller import Caller
from sagedock.local.faults import Faults, Refusal

__all__ = ["invocation_refused_on_request", "refused_on_request"]

#: The members that name what a call is about, and its kind in ARNs; one that another's request has
#: too comes last. Their ARNs are lower-cased: row 140, and "ListEndpoints" of the rest.
_LOWER_CASED = (
    ("ProcessingJobName", "processing-job"),
    ("TransformJobName", "transform-job"),
    ("HyperParameterTuningJobName", "hyper-parameter-tuning-job"),
    ("InferenceComponentName", "inference-component"),
    ("EndpointName", "endpoint"),
    ("EndpointConfigName", "endpoint-config"),
    ("ModelName", "model"),
)


def refused_on_request(
    faults: Faults, operation: str, request: Mapping[str, Any], caller: Caller
) -> ServiceError | None:
    """Return the refusal that a fault has for a call, or None."""
    meant = (operation, "AddTags") if request.get("Tags") else (operation,)
    found = faults.refuses(meant)
    return _refusal(*found, request, caller) if found else None


def invocation_refused_on_request(
    faults: Faults, operation: str, endpoint: str, caller: Caller
) -> ServiceError | None:
    """Return the refusal that a fault has for an invocation, or None: as of other calls, but that
    throttling has other words.
    """
    found = faults.refuses((operation,))
    if found is None:
        return None
    if found[0] == "throttling":
        return hosting_messages.too_many_calls()
    return _refusal(*found, {"EndpointName": endpoint}, caller)


def _refusal(
    error: Refusal, operation: str, request: Mapping[str, Any], caller: Caller
) -> ServiceError:
    call = {
        "principal": f"arn:aws:sts::{caller.account}:assumed-role/sagedock/SageMaker",
        "action": f"sagemaker:{operation}",
        "resource": _resource(request, caller),
    }
    match error:
        case "throttling":
            return messages.throttled()
        case "expired-token":
            return messages.security_token_expired()
        case "internal-failure":
            return messages.internal_failure()
        case "access-denied":
            return messages.access_denied(**call)
        case "explicit-deny":
            return messages.explicitly_denied(**call)
        case _:
            assert_never(error)


def _resource(request: Mapping[str, Any], caller: Caller) -> str:
    """Return the ARN that a call is about; ``*`` where it is about no single resource."""
    if arn := request.get("ResourceArn"):
        return str(arn)
    if name := request.get("TrainingJobName"):
        return caller.arn("training-job", name)
    for member, kind in _LOWER_CASED:
        if name := request.get(member):
            return caller.arn(kind, name.lower())
    return "*"
