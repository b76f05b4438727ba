"""Create, Describe, List and DeleteEndpointConfig."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from sagedock.local.caller import Caller
from sagedock.local.hosting.amounts import too_many_in_config
from sagedock.local.hosting.kinds import unfit_model, without_instances
from sagedock.local.hosting.names import CONFIG, MODEL, VARIANTS, Shelf, variants_of
from sagedock.local.hosting.unsupported import unsupported_config
from sagedock.local.listing import Listing
from sagedock.local.moments import epoch_s
from sagedock.local.platform import Platform
from sagedock.local.refusal import Refused
from sagedock.local.registry import deployable
from sagedock.local.resources import Resource

__all__ = ["ConfigOperations"]

Request = Mapping[str, Any]
Answer = dict[str, Any]

_LISTING = Listing(kind=CONFIG.name, member="EndpointConfigs")
#: Members of the request that Describe echoes when they were sent.
_ECHOED = (
    "AsyncInferenceConfig",
    "DataCaptureConfig",
    "ExecutionRoleArn",
    "KmsKeyId",
    "VpcConfig",
)


class ConfigOperations:
    """The operations on endpoint configurations."""

    #: Those that only read the store.
    quick = frozenset({"DescribeEndpointConfig", "ListEndpointConfigs"})

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._shelf = Shelf(platform=platform, kind=CONFIG)
        self._models = Shelf(platform=platform, kind=MODEL)

    def table(self) -> Mapping[str, Callable[[Caller, Request], Any]]:
        """Return each operation's name with what carries it out."""
        return {
            "CreateEndpointConfig": self.create,
            "DeleteEndpointConfig": self.delete,
            "DescribeEndpointConfig": self.describe,
            "ListEndpointConfigs": self.list,
        }

    def create(self, caller: Caller, request: Request) -> Answer:
        """Store a configuration whose models are there, or refuse it."""
        name = request["EndpointConfigName"]
        self._shelf.refuse_taken(caller, name)
        if refusal := unsupported_config(request) or too_many_in_config(request):
            raise Refused(refusal)
        for variant in variants_of(request):
            if refusal := without_instances(caller.region, variant):
                raise Refused(refusal)
            if "ModelName" not in variant:  # it hosts inference components
                continue
            model = self._models.found(caller, variant["ModelName"]).request
            served = deployable(self._platform.resources, caller, model)
            if refusal := unfit_model(request, variant, served):
                raise Refused(refusal)
        created = epoch_s(time.time())
        arn = self._shelf.arn(caller, name)
        config = Resource(
            key=self._shelf.key(caller, name),
            created=created,
            modified=created,
            status="",
            document=_document(request, arn, created),
            request=request,
        )
        return {"EndpointConfigArn": self._shelf.add(caller, config, request.get("Tags", ()))}

    def describe(self, caller: Caller, request: Request) -> Answer:
        """Answer the configuration."""
        return dict(self._shelf.found(caller, request["EndpointConfigName"]).document)

    def list(self, caller: Caller, request: Request) -> Any:
        """Answer a page of summaries."""
        return _LISTING.page(self._platform.resources, caller, request)

    def delete(self, caller: Caller, request: Request) -> Answer:
        """Delete the configuration, also one that an endpoint uses (row 32 of the rest)."""
        config = self._shelf.found(caller, request["EndpointConfigName"])
        self._shelf.delete(config.key, config.document["EndpointConfigArn"])
        return {}


def _document(request: Request, arn: str, created: float) -> dict[str, Any]:
    """Return what DescribeEndpointConfig answers."""
    echoed = {name: request[name] for name in _ECHOED if name in request}
    return {
        "EndpointConfigName": request["EndpointConfigName"],
        "EndpointConfigArn": arn,
        **{
            name: [{"InitialVariantWeight": 1.0, **each} for each in request[name]]
            for name in VARIANTS
            if request.get(name)
        },
        "CreationTime": created,
        "EnableNetworkIsolation": request.get("EnableNetworkIsolation", False),
        **echoed,
    }
