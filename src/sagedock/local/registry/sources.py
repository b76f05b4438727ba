"""A package that is made of another one, or of a model: SourceUri.

Source: the model's words on CreateModelPackage's SourceUri ("If you want to clone a model package,
set it to the model package Amazon Resource Name (ARN). If you want to register a model, set it to
the model ARN"). That the specifications are taken over is unverified.
"""

import re
from collections.abc import Mapping
from typing import Any

from sagedock.api import registry_messages as words
from sagedock.local.refusal import Refused
from sagedock.local.registry.names import PACKAGE, Shelf

__all__ = ["sourced"]

Request = Mapping[str, Any]

_ARN = re.compile(r"arn:[^:]+:sagemaker:[^:]*:\d{12}:(?P<kind>model|model-package)/(?P<name>.+)")
_MODEL = "model"
_SPECIFICATION = "InferenceSpecification"
_ADDITIONAL = "AdditionalInferenceSpecifications"
#: The members of a model's container that a package's has, too.
_CONTAINER = (
    "ContainerHostname",
    "Image",
    "ModelDataUrl",
    "ModelDataSource",
    "AdditionalModelDataSources",
    "Environment",
)


def sourced(shelf: Shelf, request: Request) -> Request:
    """Return a request with the specifications of its source, where it has none of its own."""
    uri = request.get("SourceUri", "")
    found = _ARN.fullmatch(uri)
    if found is None or _SPECIFICATION in request:
        return request
    if found["kind"] == PACKAGE:
        document = shelf.package(uri).document
        given = (_SPECIFICATION, _ADDITIONAL)
        return {**{name: document[name] for name in given if name in document}, **request}
    model = shelf.resources.alike(shelf.key(_MODEL, found["name"]))
    if model is None:
        raise Refused(words.source_not_found(uri))
    primary = model.request.get("PrimaryContainer")
    containers = [primary] if primary else model.request["Containers"]
    if any(not each.get("Image") for each in containers):
        raise Refused(words.register_elsewhere(f"SourceUri {uri}, a model of a model package"))
    return {
        **request,
        _SPECIFICATION: {"Containers": [_container(each) for each in containers]},
    }


def _container(container: Request) -> dict[str, Any]:
    return {name: container[name] for name in _CONTAINER if container.get(name)}
