"""Calls that are refused on request, in the service's words."""

from collections.abc import Mapping
from typing import Any, assert_never

from sagedock.api import ServiceError, messages
from sagedock.local.caller import Caller
from sagedock.local.faults import Faults, Refusal

__all__ = ["refused_on_request"]


def refused_on_request(
    faults: Faults, operation: str, request: Mapping[str, Any], caller: Caller
) -> ServiceError | None:
    """Return the refusal that a fault has for a call, or None."""
    meant = (operation, "AddTags") if request.get("Tags") else (operation,)
    found = faults.refuses(meant)
    return _refusal(*found, request, caller) if found else None


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
    if name := request.get("TransformJobName"):  # lower-cased: row 140
        return caller.arn("transform-job", name.lower())
    return "*"
