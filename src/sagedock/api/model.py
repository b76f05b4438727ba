"""The services' own models, as botocore ships them: the specification that this room reads."""

from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from botocore.model import OperationModel, ServiceModel

__all__ = [
    "Shape",
    "error_shapes",
    "header_members",
    "input_shape",
    "operation",
    "operations",
    "output_shape",
    "protocol",
    "service_model",
    "target_prefix",
]

#: A ``botocore.model.Shape``. botocore has no types, hence the name for a reader's sake.
Shape: TypeAlias = Any


@cache
def service_model(service: str) -> "ServiceModel":
    """Return the model of ``service`` (``sagemaker``, ``sagemaker-runtime``, ``logs``, ...).

    The first call reads it from disk (0.1 s for sagemaker); botocore is imported here and not
    before. Raises botocore's ``UnknownServiceError`` for a service that it does not know.
    """
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def operations(service: str) -> tuple[str, ...]:
    """Return the names of every operation of ``service``."""
    return tuple(service_model(service).operation_names)


@cache
def operation(service: str, name: str) -> "OperationModel":
    """Return one operation's model. Raises botocore's ``OperationNotFoundError``."""
    return service_model(service).operation_model(name)


def input_shape(service: str, name: str) -> Shape | None:
    """Return the request's shape, or None for an operation without input."""
    return operation(service, name).input_shape


def output_shape(service: str, name: str) -> Shape | None:
    """Return the answer's shape, or None for an operation that answers nothing."""
    return operation(service, name).output_shape


def header_members(shape: Shape) -> dict[bytes, tuple[str, Shape]]:
    """Return the members of a request or an answer that travel in headers, by lower-case header:
    each one's name and shape.
    """
    return {
        member.serialization["name"].lower().encode(): (name, member)
        for name, member in shape.members.items()
        if member.serialization.get("location") == "header"
    }


def error_shapes(service: str) -> dict[str, Shape]:
    """Return the shape of every error that ``service`` declares, by error code."""
    return {shape.error_code: shape for shape in service_model(service).error_shapes}


def protocol(service: str) -> str:
    """Return ``json`` (X-Amz-Target) or ``rest-json`` (paths)."""
    return str(service_model(service).metadata["protocol"])


def target_prefix(service: str) -> str:
    """Return what stands before the dot in ``X-Amz-Target``; empty for REST services."""
    return str(service_model(service).metadata.get("targetPrefix", ""))
