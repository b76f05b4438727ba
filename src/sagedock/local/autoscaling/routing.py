"""Whose a call of Application Auto Scaling is: about SageMaker it is ours, else moto's."""

from sagedock import api
from sagedock.api.model import service_model

__all__ = ["is_about_sagemaker"]


def is_about_sagemaker(body: bytes) -> bool:
    """Say whether a call is ours: about SageMaker, about tags, or about nothing that there is."""
    try:
        request = api.read_json(body)
    except api.MalformedBody:
        return True
    if isinstance(request, list):
        return True
    namespace = request.get("ServiceNamespace")
    if namespace == api.scaling.NAMESPACE or not isinstance(namespace, str):
        return True
    return (
        namespace not in service_model(api.scaling.AUTOSCALING).shape_for("ServiceNamespace").enum
    )
