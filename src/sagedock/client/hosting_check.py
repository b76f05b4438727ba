"""What the service says of a model or an endpoint only after the upload: told before it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sagedock.client.check import instance_types_in, unknown_instance_type
from sagedock.client.place import Target
from sagedock.client.refusals import with_remedy
from sagedock.client.session import Session
from sagedock.client.words import word_of
from sagedock.jobs import Request

__all__ = ["problems_in_hosting", "problems_in_types"]

_Parameters = Mapping[str, Any]


def problems_in_hosting(requests: Sequence[Request], session: Session) -> Iterator[str]:
    """Yield a line for each problem of a CreateModel, and of the CreateEndpointConfig beside it.

    Expects requests in which ``problems_in`` found nothing.
    """
    by_name = {each.operation: each.parameters for each in requests}
    model, config = by_name.get("CreateModel", {}), by_name.get("CreateEndpointConfig", {})
    yield from _images(model, session.target)
    if any(each.get("ServerlessConfig") for each in config.get("ProductionVariants", ())):
        yield from _serverless(model)
    if config and session.target == "local":
        yield from _not_carried_out(config)
    yield from problems_in_types(requests, session)


def problems_in_types(requests: Sequence[Request], session: Session) -> Iterator[str]:
    """Yield a line for each instance type that the local SageMaker does not know, and shows what
    AWS may not know.
    """
    for request in requests:
        if (told := unknown_instance_type(request)) is None:
            continue
        given = set(instance_types_in(request))
        if session.target == "aws" or given <= session.allowed_instance_types:
            session.show(told)
        else:
            names = ",".join(sorted(given))
            yield (
                f"{told}: the local SageMaker refuses it, unless it was started with "
                f"SAGEDOCK_ALLOW_INSTANCE_TYPES={names}, which must be set here too"
            )


def _containers(model: _Parameters) -> list[_Parameters]:
    primary = model.get("PrimaryContainer")
    return [primary] if primary else list(model.get("Containers", ()))


def _images(model: _Parameters, target: Target) -> Iterator[str]:
    from sagedock.api import messages
    from sagedock.api.rules.image_names import is_in_ecr

    for each in _containers(model):
        image = each.get("Image")
        access = (each.get("ImageConfig") or {}).get("RepositoryAccessMode")
        if image and access != "Vpc" and not is_in_ecr(image):
            yield with_remedy(f"image_uri: {messages.non_ecr_image(image).message}", target)


def _serverless(model: _Parameters) -> Iterator[str]:
    """Source: the guide's serverless-endpoints, "Feature exclusions"; of ModelDataSource, row 29 of
    the answers that AWS gave.
    """
    containers = _containers(model)
    instances = "give initial_instance_count and instance_type"
    if any(each.get("Mode") == "MultiModel" for each in containers):
        yield f"serverless: a serverless endpoint cannot serve many models: {instances}"
    if any(each.get("ModelDataSource") for each in containers):
        yield "model_data: a serverless endpoint takes no folder: give a model.tar.gz"
    for member in ("EnableNetworkIsolation", "VpcConfig"):
        if model.get(member):
            yield (
                f"{word_of(member, model)}: a serverless endpoint cannot have that: leave it out, "
                f"or {instances}"
            )


def _not_carried_out(config: _Parameters) -> Iterator[str]:
    from sagedock.local import unsupported_config

    if refusal := unsupported_config(config):
        said = refusal.message or ""
        named = [word_of(name, config) for name in config if name in said]
        yield f"{', '.join(named) or 'deploy'}: {said}"
