"""Refusals of Application Auto Scaling that need the world: what is registered, what exists.

Sources are rows of the fidelity corpus' second page, or threads; ``unverified`` marks words that
nobody was seen to receive.
"""

from sagedock.api.messages import validation
from sagedock.api.service_error import ServiceError

__all__ = [
    "action_not_found",
    "burstable_variant",
    "capacity_missing",
    "invalid_schedule",
    "invalid_token",
    "not_carried_out",
    "policy_not_found",
    "predictive_elsewhere",
    "resource_absent",
    "same_metric_twice",
    "schedule_missing",
    "tagged_resource_absent",
    "target_not_found",
    "target_not_registered",
    "too_many",
    "too_many_copies",
    "too_many_tags",
    "type_missing",
    "unsupported_target",
    "wrong_capacity",
]


def target_not_registered(resource: str, dimension: str) -> ServiceError:
    """A policy or a scheduled action for what is not registered. Source: row 113."""
    return _absent(f"No scalable target registered for {_named(resource, dimension)}")


def target_not_found(resource: str, dimension: str) -> ServiceError:
    """DeregisterScalableTarget of what is not registered. Source of the code: hashicorp/
    terraform-provider-aws, which ends on it; the words are moto's.
    """
    return _absent(f"No scalable target found for {_named(resource, dimension)}")


def policy_not_found(resource: str, dimension: str, policy: str) -> ServiceError:
    """DeleteScalingPolicy of what is not there. Unverified: the words are moto's."""
    return _absent(
        f"No scaling policy found for {_named(resource, dimension)}, policy name: {policy}"
    )


def action_not_found(resource: str, dimension: str, action: str) -> ServiceError:
    """DeleteScheduledAction of what is not there. Unverified: the words follow the others."""
    return _absent(
        f"No scheduled action found for {_named(resource, dimension)}, "
        f"scheduled action name: {action}"
    )


def unsupported_target() -> ServiceError:
    """A resource ID that does not fit its dimension. Source: getmoto/moto#3304, and a live run
    with custom resources.
    """
    return validation("Unsupported service namespace, resource type or scalable dimension")


def burstable_variant(instance_type: str) -> ServiceError:
    """A variant on machines whose performance comes in bursts. Source: row 112."""
    return validation(
        f"You cannot register a variant with {instance_type} instance type as a scalable target. "
        "This is because the burstable performance of these instances can lead to unpredictable "
        "behavior with Auto Scaling."
    )


def resource_absent(resource: str) -> ServiceError:
    """What is to be scaled does not exist. Unverified: the words follow ECS's, which were seen
    (``ECS service doesn't exist: service/...``).
    """
    return validation(f"SageMaker resource doesn't exist: {resource}")


def capacity_missing() -> ServiceError:
    """A first registration without both bounds. Unverified: API_RegisterScalableTarget says that
    they are required.
    """
    return validation(
        "Minimum capacity and maximum capacity are required to register a new scalable target"
    )


def wrong_capacity() -> ServiceError:
    """A maximum below the minimum, in one request or in what it makes of the target. Unverified."""
    return validation("Maximum capacity cannot be less than minimum capacity")


def type_missing() -> ServiceError:
    """A new policy without its type, or without what that needs. Unverified: API_PutScalingPolicy
    says that they are required.
    """
    return validation(
        "A new scaling policy needs PolicyType and the configuration of that type: "
        "StepScalingPolicyConfiguration or TargetTrackingScalingPolicyConfiguration"
    )


def invalid_schedule(why: str) -> ServiceError:
    """A schedule that cannot be read. Unverified: the words are ours."""
    return validation(f"Invalid schedule expression: {why}")


def schedule_missing() -> ServiceError:
    """A new scheduled action without its schedule. Unverified: API_PutScheduledAction."""
    return validation("A new scheduled action needs Schedule and ScalableTargetAction")


def same_metric_twice() -> ServiceError:
    """A second target tracking policy on the same metric. Source: gravitational/teleport, which
    looks for these words.
    """
    return validation(
        "Only one TargetTrackingScaling policy for a given metric specification is allowed."
    )


def predictive_elsewhere() -> ServiceError:
    """Predictive scaling is ECS's alone. Unverified: API_PutScalingPolicy says so."""
    return validation("PredictiveScaling is not supported for the sagemaker service namespace")


def not_carried_out(what: str) -> ServiceError:
    """AWS would accept it, and it cannot be followed here. The words are ours; unverified is
    nothing, for AWS never says this.
    """
    return validation(f"The local SageMaker cannot carry out: {what}")


def too_many_copies(member: str, asked: str, most: str) -> ServiceError:
    """Bounds up to more containers than any machine runs. The words are ours; unverified is
    nothing, for AWS never says this.
    """
    return not_carried_out(
        f"{member} {asked} (at most {most}). Ask for fewer locally, or scale on AWS."
    )


def too_many(what: str, limit: str) -> ServiceError:
    """A quota of the service is used up. Unverified: its code is the model's, the words ours."""
    return ServiceError(
        code="LimitExceededException", message=f"The maximum number of {what} is {limit}"
    )


def invalid_token(token: str) -> ServiceError:
    """NextToken is not one that was given out. Unverified: its code is the model's."""
    return ServiceError(code="InvalidNextTokenException", message=f"Invalid next token: {token}")


def tagged_resource_absent(arn: str) -> ServiceError:
    """Tags of a target that is not registered. Unverified: its code is the model's."""
    return ServiceError(
        code="ResourceNotFoundException", message=f"The specified resource doesn't exist: {arn}"
    )


def too_many_tags(arn: str) -> ServiceError:
    """More than the 50 tags that a target may have. Unverified: its code is the model's."""
    return ServiceError(
        code="TooManyTagsException", message=f"A scalable target can have at most 50 tags: {arn}"
    )


def _named(resource: str, dimension: str) -> str:
    return f"service namespace: sagemaker, resource ID: {resource}, scalable dimension: {dimension}"


def _absent(message: str) -> ServiceError:
    return ServiceError(code="ObjectNotFoundException", message=message)
