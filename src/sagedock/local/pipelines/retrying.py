"""Steps that failed and may be tried again.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-retry-policy.html
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sagedock.local.pipelines.definition import Step

__all__ = [
    "NO_FAULT",
    "Fault",
    "Policy",
    "fault_of_job",
    "fault_of_refusal",
    "policy_for",
    "wait_s",
]

_INTERVAL_S, _BACKOFF = 1.0, 2.0
#: What the service retries by itself, and how often. The number is unverified.
_AUTOMATIC = ("Step.SERVICE_FAULT", "Step.THROTTLING")
_AUTOMATIC_ATTEMPTS = 3
_MINUTE_S = 60


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What kind of failure it was: as policies name it."""

    exception: str

    @property
    def constant(self) -> str:
        """The kind as the service's texts name it. Source: row 149."""
        return self.exception.upper().replace(".", "_")


#: One that no policy can name.
NO_FAULT = Fault(exception="")


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How a fault is retried: times in seconds."""

    interval_s: float
    backoff: float
    attempts: int | None
    expires_s: float | None


def fault_of_refusal(code: str) -> Fault:
    """Return the fault of a call that was refused with ``code``. Which codes are which is
    unverified, but for the first (row 149, whose code was not shown).
    """
    if code == "ResourceLimitExceeded":
        return Fault(exception="SageMaker.RESOURCE_LIMIT")
    if code in ("ThrottlingException", "Throttling", "TooManyRequestsException"):
        return Fault(exception="Step.THROTTLING")
    if code in ("InternalFailure", "ServiceUnavailable", "InternalServerError"):
        return Fault(exception="Step.SERVICE_FAULT")
    return NO_FAULT


def fault_of_job(reason: str) -> Fault:
    """Return the fault of a job that failed for ``reason``."""
    if reason.startswith("InternalServerError"):
        return Fault(exception="SageMaker.JOB_INTERNAL_ERROR")
    if reason.startswith("CapacityError"):
        return Fault(exception="SageMaker.CAPACITY_ERROR")
    return NO_FAULT


def policy_for(step: Step, fault: Fault) -> Policy | None:
    """Return how a step retries a fault, or None where it does not."""
    if not fault.exception:
        return None
    for policy in _policies(step):
        if fault.exception in policy["ExceptionType"]:
            minutes = policy.get("ExpireAfterMin")
            return Policy(
                interval_s=float(policy.get("IntervalSeconds", _INTERVAL_S)),
                backoff=float(policy.get("BackoffRate", _BACKOFF)),
                attempts=policy.get("MaxAttempts"),
                expires_s=None if minutes is None else minutes * _MINUTE_S,
            )
    if fault.exception in _AUTOMATIC:
        return Policy(
            interval_s=_INTERVAL_S,
            backoff=_BACKOFF,
            attempts=_AUTOMATIC_ATTEMPTS,
            expires_s=None,
        )
    return None


def _policies(step: Step) -> Iterator[Mapping[str, Any]]:
    for each in step.members.get("RetryPolicies", ()):
        kinds = each.get("ExceptionType", [])
        yield {**each, "ExceptionType": kinds if isinstance(kinds, list) else [kinds]}


def wait_s(policy: Policy, attempt: int, since_start_s: float) -> float | None:
    """Return how long to wait before the attempt behind ``attempt`` (the first is 1), in seconds;
    None where there is none.
    """
    if policy.attempts is not None and attempt > policy.attempts:
        return None
    pause_s = policy.interval_s * policy.backoff ** (attempt - 1)
    if policy.expires_s is not None and since_start_s + pause_s > policy.expires_s:
        return None
    return pause_s
