"""Create, Describe, List and DeleteModel."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sagedock.api import ServiceError, messages
from sagedock.contract import labels
from sagedock.errors import ImageNotFound
from sagedock.local.caller import Caller
from sagedock.local.ecr import EcrUri
from sagedock.local.hosting.names import MODEL, Shelf
from sagedock.local.hosting.parts import containers_of, data_of, many_models
from sagedock.local.hosting.unsupported import unsupported_model
from sagedock.local.listing import Listing
from sagedock.local.moments import epoch_s
from sagedock.local.platform import Platform
from sagedock.local.refusal import Refused
from sagedock.local.registry import deployable
from sagedock.local.resources import Resource
from sagedock.local.uris import S3Uri

__all__ = ["ModelOperations"]

Request = Mapping[str, Any]
Answer = dict[str, Any]

_LISTING = Listing(kind=MODEL.name, member="Models")
#: What several manifests are pushed as. Source: row 4 of the rest.
_INDEX = "application/vnd.oci.image.index.v1+json"
#: In place of an S3DataType, where objects need not be there yet.
_ANY_PREFIX = "AnyPrefix"
#: Members of the request that Describe echoes when they were sent.
_ECHOED = ("ExecutionRoleArn", "VpcConfig", "InferenceExecutionConfig")


class ModelOperations:
    """The operations on models. Requests arrive checked against the service's model."""

    #: Those that only read the store.
    quick = frozenset({"DescribeModel", "ListModels"})

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._shelf = Shelf(platform=platform, kind=MODEL)

    def table(self) -> Mapping[str, Callable[[Caller, Request], Any]]:
        """Return each operation's name with what carries it out."""
        return {
            "CreateModel": self.create,
            "DeleteModel": self.delete,
            "DescribeModel": self.describe,
            "ListModels": self.list,
        }

    def create(self, caller: Caller, request: Request) -> Answer:
        """Store a model whose image and data are there, or refuse it."""
        name = request["ModelName"]
        self._shelf.refuse_taken(caller, name)
        if refusal := unsupported_model(request):
            raise Refused(refusal)
        self._platform.trust.require(request.get("ExecutionRoleArn"), caller.account)
        served = deployable(self._platform.resources, caller, request)
        for container in containers_of(served):
            self._refuse_what_is_absent(caller, served, container)
        created = epoch_s(time.time())
        arn = self._shelf.arn(caller, name)
        model = Resource(
            key=self._shelf.key(caller, name),
            created=created,
            modified=created,
            status="",
            document=_document(request, served, arn, created),
            request=request,
        )
        return {"ModelArn": self._shelf.add(caller, model, request.get("Tags", ()))}

    def describe(self, caller: Caller, request: Request) -> Answer:
        """Answer the model."""
        return dict(self._shelf.found(caller, request["ModelName"]).document)

    def list(self, caller: Caller, request: Request) -> Any:
        """Answer a page of summaries."""
        return _LISTING.page(self._platform.resources, caller, request)

    def delete(self, caller: Caller, request: Request) -> Answer:
        """Delete the model; endpoints that serve it go on."""
        model = self._shelf.found(caller, request["ModelName"])
        self._shelf.delete(model.key, model.document["ModelArn"])
        return {}

    def _refuse_what_is_absent(self, caller: Caller, request: Request, container: Request) -> None:
        image = container["Image"]
        access = (container.get("ImageConfig") or {}).get("RepositoryAccessMode")
        if EcrUri.parse(image) is None and access != "Vpc":
            raise Refused(messages.non_ecr_image(image))
        try:
            found = self._platform.images.find(image)
        except ImageNotFound as error:
            raise Refused(messages.requested_image_not_found(image)) from error
        if found.media_type == _INDEX:
            raise Refused(messages.unsupported_manifest(_INDEX))
        for label in _needed_labels(request, container):
            if found.labels.get(label) != labels.SAYS_YES:
                raise Refused(messages.image_without_label(image, f"{label}={labels.SAYS_YES}"))
        for source in _sources(container):
            if refusal := self._data_refusal(caller, request.get("ExecutionRoleArn", ""), source):
                raise Refused(refusal)

    def _data_refusal(self, caller: Caller, role: str, source: Request) -> ServiceError | None:
        """Return the refusal of data that is not there, or is in another region; or None."""
        uri, objects = S3Uri.parse(source["S3Uri"]), self._platform.objects
        if not objects.has_bucket(uri.bucket):
            return messages.model_data_not_found(str(uri))
        if objects.region(uri.bucket) != caller.region:
            return messages.model_data_inaccessible(uri=str(uri), role=role, region=caller.region)
        if source["S3DataType"] == _ANY_PREFIX:  # models may come there later
            return None
        first = next(objects.keys(uri.bucket, uri.key), None)
        is_there = first and (source["S3DataType"] == "S3Prefix" or first[0] == uri.key)
        return None if is_there else messages.model_data_not_found(str(uri))


def _needed_labels(request: Request, container: Request) -> Iterator[str]:
    if many_models(container):
        yield labels.SERVES_MANY
    if len(containers_of(request)) > 1:
        yield labels.ACCEPTS_PORT


def _sources(container: Request) -> Iterator[Mapping[str, Any]]:
    if source := data_of(container):
        yield {**source, "S3DataType": _ANY_PREFIX} if many_models(container) else source
    for each in container.get("AdditionalModelDataSources") or ():
        yield each["S3DataSource"]


def _document(request: Request, served: Request, arn: str, created: float) -> dict[str, Any]:
    """Return what DescribeModel answers; ``served`` is the request with the containers of model
    packages. Sources: rows 16 and 17 of the rest.
    """
    echoed = {name: request[name] for name in _ECHOED if name in request}
    if request.get("PrimaryContainer"):
        echoed["PrimaryContainer"] = _described(request["PrimaryContainer"])
    else:
        echoed["Containers"] = [_described(each) for each in request["Containers"]]
        echoed.setdefault("InferenceExecutionConfig", {"Mode": "Serial"})
    has_data = any(data_of(each) for each in containers_of(served))
    recommendation: dict[str, Any] = {
        "RecommendationStatus": "COMPLETED" if has_data else "NOT_APPLICABLE"
    }
    if has_data:
        recommendation["RealTimeInferenceRecommendations"] = []
    return {
        "ModelName": request["ModelName"],
        "ModelArn": arn,
        "CreationTime": created,
        "EnableNetworkIsolation": request.get("EnableNetworkIsolation", False),
        "DeploymentRecommendation": recommendation,
        **echoed,
    }


def _described(container: Request) -> dict[str, Any]:
    """Return a container as Describe answers it: the data's source comes back in full."""
    described = {"Mode": "SingleModel", "Environment": {}, **container}
    source = None if many_models(container) else data_of(container)
    if source:
        described["ModelDataSource"] = {"S3DataSource": source}
        if source["S3DataType"] == "S3Object" and source["CompressionType"] == "Gzip":
            described["ModelDataUrl"] = source["S3Uri"]
    return described
