"""Refusals about how an endpoint is updated that need the world, and why an update is taken back.

As in ``messages``: each names its source, and ``unverified`` marks words that nobody was seen to
receive.
"""

from sagedock.api.messages import validation
from sagedock.api.service_error import ServiceError

__all__ = ["alarm_not_found", "alarm_went_off", "no_such_size", "other_variants", "took_too_long"]


def other_variants(before: str, after: str) -> ServiceError:
    """A shift from variants to others. Source: the guide's deployment-guardrails-exclusions ("must
    have the same variant name"); the words are unverified.
    """
    return validation(
        "The new endpoint configuration must have the same variants as the endpoint to shift "
        f"traffic step by step: {before}, not {after}."
    )


def no_such_size(member: str, value: str, least: str, most: str, variant: str) -> ServiceError:
    """A size in instances that is too small or large a part. Source: API_TrafficRoutingConfig and
    API_RollingUpdatePolicy; the words are unverified.
    """
    return validation(
        f"{member} of {value} instance(s) must be between {least} and {most} percent of the total "
        f"instance count of variant {variant}."
    )


def alarm_not_found(names: str) -> ServiceError:
    """An alarm of AutoRollbackConfiguration that does not exist. Unverified, its refusal, too."""
    return validation(
        f"Could not find the CloudWatch alarm(s) of AutoRollbackConfiguration: {names}."
    )


def alarm_went_off(names: str) -> str:
    """FailureReason of an update that an alarm took back. Unverified ("no real answer found")."""
    return f"Deployment was rolled back because the CloudWatch alarm(s) went off: {names}."


def took_too_long(seconds: str) -> str:
    """FailureReason of an update that exceeded its time. Unverified."""
    return (
        "Deployment was rolled back because it exceeded MaximumExecutionTimeoutInSeconds "
        f"({seconds})."
    )
