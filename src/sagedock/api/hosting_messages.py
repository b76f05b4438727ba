"""Refusals about asynchronous and serverless endpoints that need the world.

As in ``messages``: each names its source (rows are those of the fidelity corpus' page on the rest),
and ``unverified`` marks words that nobody was seen to receive.
"""

from sagedock.api.messages import not_carried_out, validation
from sagedock.api.service_error import ServiceError

__all__ = [
    "asynchronous_forever",
    "asynchronous_marketplace",
    "deploy_elsewhere",
    "model_data_source_of_serverless",
    "never_asynchronous",
    "never_serverless",
    "no_instance_left",
    "no_instances_of_serverless",
    "still_scaled",
    "too_few_managed_instances",
    "too_many_calls",
    "too_many_instances",
    "unsupported_by_serverless",
]


def deploy_elsewhere(what: str) -> ServiceError:
    """What AWS would deploy, and nothing here does. The words are ours; unverified is nothing, for
    AWS never says this.
    """
    return not_carried_out(what, "Leave it out locally, or deploy on AWS.")


def too_many_instances(what: str, asked: str, most: str) -> ServiceError:
    """More containers than any machine runs. The words are ours; unverified is nothing, for AWS
    says ResourceLimitExceeded of an account's quota instead.
    """
    return not_carried_out(
        f"{what} {asked} (at most {most})", "Ask for fewer locally, or deploy on AWS."
    )


def no_instance_left(variant: str) -> ServiceError:
    """DesiredInstanceCount is 0, where requests are waited for. Unverified."""
    return validation(f"DesiredInstanceCount of variant {variant} must be at least 1.")


def asynchronous_forever(endpoint: str) -> ServiceError:
    """An update without AsyncInferenceConfig of an endpoint that has one. Source:
    aws/sagemaker-python-sdk#3124 (cut off there after "To change the e").
    """
    return validation(
        f"The AsyncInferenceConfig parameter cannot be removed from this endpoint {endpoint}. To "
        "change the endpoint to real-time inference, delete it and create another one."
    )


def asynchronous_marketplace() -> ServiceError:
    """An asynchronous configuration of a model whose image is AWS Marketplace's. Source: row 28."""
    return validation(
        "Marketplace images are not supported when specifying an AsyncInferenceConfig."
    )


def still_scaled(variants: str) -> ServiceError:
    """An update that removes variants which are scalable targets, or changes their instance type.
    That it is refused: the guide's endpoint-scaling-update; the words are unverified.
    """
    return validation(
        f'The variant(s) "[{variants}]" must be deregistered as a scalable target with '
        "AWS Auto Scaling before they can be removed or have their instance type updated."
    )


def too_few_managed_instances() -> ServiceError:
    """MinInstanceCount 0 of a variant that scales itself, where that cannot be. Source: row 26."""
    return validation(
        "Min instance count needs to be greater than 0 for enabled managed instance scaling"
    )


def never_asynchronous(endpoint: str) -> ServiceError:
    """An update with AsyncInferenceConfig of an endpoint that has none. Unverified."""
    return validation(
        f"The AsyncInferenceConfig parameter cannot be added to this endpoint {endpoint}. To "
        "change the endpoint to asynchronous inference, delete it and create another one."
    )


def never_serverless(endpoint: str) -> ServiceError:
    """An update to serverless of an endpoint with instances. That it is refused: the guide's
    serverless-endpoints ("you receive a ValidationError message"); the words are unverified.
    """
    return validation(
        f"Cannot update endpoint {endpoint}: an instance-based endpoint cannot be updated to a "
        "serverless endpoint."
    )


def unsupported_by_serverless(variant: str, model: str, what: str) -> ServiceError:
    """A serverless variant whose model has what such endpoints exclude. Source: the guide's
    serverless-endpoints ("Feature exclusions"); the words are unverified.
    """
    return validation(f"Model {model} of serverless variant {variant} cannot have: {what}.")


def model_data_source_of_serverless() -> ServiceError:
    """A serverless variant whose model has a ModelDataSource. Source: row 29, cut off after
    "ModelDataSourc"; the rest is unverified.
    """
    return validation(
        "Model with containers that use ModelDataSource cannot be deployed to a serverless "
        "endpoint."
    )


def no_instances_of_serverless(variant: str) -> ServiceError:
    """DesiredInstanceCount of a serverless variant. Unverified."""
    return validation(f"DesiredInstanceCount cannot be set for serverless variant {variant}.")


def too_many_calls() -> ServiceError:
    """More calls of a serverless endpoint than its MaxConcurrency. Source: the general remark of
    aws-answers ("Throttling of InvokeEndpoint is HTTP 400 with a null message"), and
    opensearch-project/ml-commons#2429; seen of endpoints with instances.
    """
    return ServiceError(code="ThrottlingException", message=None)
