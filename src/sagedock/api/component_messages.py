"""Refusals about inference components that need the world.

As in ``messages``: each names its source (rows are those of the fidelity corpus' page on the rest),
and ``unverified`` marks words that nobody was seen to receive.
"""

from sagedock.api.messages import validation
from sagedock.api.runtime_messages import bad_request
from sagedock.api.service_error import ServiceError

__all__ = [
    "component_in_progress",
    "endpoint_has_components",
    "endpoint_without_components",
    "header_forbidden",
    "header_missing",
    "kind_is_forever",
    "no_capacity",
    "no_room_for",
    "no_such_component",
    "unknown_variant",
]


def endpoint_without_components() -> ServiceError:
    """A component for an endpoint whose variants have models. Source: pulumi/pulumi-aws#4940,
    behind CloudFormation's "Invalid request provided: ".
    """
    return validation(
        "Inference Components are not supported in this Endpoint. Please make sure this endpoint "
        "can deploy inference components."
    )


def unknown_variant(variant: str, endpoint: str) -> ServiceError:
    """A component for a variant that its endpoint has not. Unverified."""
    return validation(f'Could not find variant "{variant}" of endpoint "{endpoint}".')


def component_in_progress(arn: str) -> ServiceError:
    """An update or a deletion while another change is under way. That it is refused:
    aws/amazon-sagemaker-examples#3432; the words are unverified: those of endpoints.
    """
    return validation(f'Cannot update in-progress inference component "{arn}".')


def endpoint_has_components(arn: str, names: str) -> ServiceError:
    """DeleteEndpoint while components are on it. That it is refused: row 64; the words are
    unverified.
    """
    return validation(
        f'Cannot delete endpoint "{arn}" with inference components: {names}. Delete them first.'
    )


def kind_is_forever(endpoint: str) -> ServiceError:
    """An update that gives models to variants that host components, or takes them. Unverified."""
    return validation(
        f"Cannot update endpoint {endpoint}: an endpoint that hosts inference components cannot "
        "become one of models, nor the other way round."
    )


def no_room_for(endpoint: str, component: str) -> ServiceError:
    """A change of an endpoint that would leave a component without its instances. Unverified."""
    return validation(
        f"Cannot update endpoint {endpoint}: copies of inference component {component} are on "
        "instances that it would not have any more. Scale that down, or delete it, first."
    )


def header_missing() -> ServiceError:
    """No InferenceComponentName, sent to an endpoint that hosts components. Sources: rows 80 and
    104.
    """
    return bad_request(
        "Inference Component Name header is required for endpoints to which you plan to deploy "
        "inference components. Please include Inference Component Name header or consider using "
        "SageMaker models.",
        ErrorCode="INFERENCE_COMPONENT_NAME_MISSING",
    )


def header_forbidden() -> ServiceError:
    """InferenceComponentName, sent to an endpoint of models. Source: BerriAI/litellm#37766."""
    return bad_request(
        "Inference Component Name header is not allowed for endpoints to which you dont plan to "
        "deploy inference components. Please remove the Inference Component Name header and try "
        "again."
    )


def no_such_component(component: str, endpoint: str) -> ServiceError:
    """InferenceComponentName names none of the endpoint's. Unverified."""
    return bad_request(f"Inference Component {component} not found for endpoint {endpoint}.")


def no_capacity() -> ServiceError:
    """The component has no copy. Source:
    https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-zero-instances.html and
    AWS's notebooks on it.
    """
    return bad_request(
        "Inference Component has no capacity to process this request. ApplicationAutoScaling may "
        "be in-progress (if configured) or try to increase the capacity by invoking "
        "UpdateInferenceComponentRuntimeConfig API."
    )
