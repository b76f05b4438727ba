"""Create, Describe, List, Update and DeleteInferenceComponent;
UpdateInferenceComponentRuntimeConfig.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from sagedock.api import component_messages as words
from sagedock.api import messages
from sagedock.errors import ImageNotFound
from sagedock.local.caller import Caller
from sagedock.local.hosting import document as endpoint_life
from sagedock.local.hosting.amounts import too_many_copies
from sagedock.local.hosting.components import document as life
from sagedock.local.hosting.components.components import Components
from sagedock.local.hosting.components.deployment import Deployment, deployment_of
from sagedock.local.hosting.components.unsupported import unsupported_component, unsupported_model
from sagedock.local.hosting.names import COMPONENT, ENDPOINT, MODEL, Shelf
from sagedock.local.hosting.plan import VariantPlan
from sagedock.local.listing import Listing
from sagedock.local.moments import epoch_s
from sagedock.local.platform import Platform
from sagedock.local.refusal import ENDING, Refused
from sagedock.local.registry import deployable
from sagedock.local.resources import Key, Resource

__all__ = ["ComponentOperations"]

Request = Mapping[str, Any]
Answer = dict[str, Any]

_LISTING = Listing(
    kind=COMPONENT.name,
    member="InferenceComponents",
    equals={"EndpointNameEquals": "EndpointName", "VariantNameEquals": "VariantName"},
)
_SERVES = "InService"


class ComponentOperations:
    """The operations on inference components."""

    #: Those that only read the store.
    quick = frozenset({"DescribeInferenceComponent", "ListInferenceComponents"})

    def __init__(self, platform: Platform, components: Components) -> None:
        self._platform = platform
        self._components = components
        self._shelf = Shelf(platform=platform, kind=COMPONENT)
        self._endpoints = Shelf(platform=platform, kind=ENDPOINT)
        self._models = Shelf(platform=platform, kind=MODEL)

    def table(self) -> Mapping[str, Callable[[Caller, Request], Any]]:
        """Return each operation's name with what carries it out."""
        return {
            "CreateInferenceComponent": self.create,
            "DeleteInferenceComponent": self.delete,
            "DescribeInferenceComponent": self.describe,
            "ListInferenceComponents": self.list,
            "UpdateInferenceComponent": self.update,
            "UpdateInferenceComponentRuntimeConfig": self.resize,
        }

    def create(self, caller: Caller, request: Request) -> Answer:
        """Begin to bring a component to service, or refuse it with nothing changed."""
        name = request["InferenceComponentName"]
        self._shelf.refuse_taken(caller, name)
        if refusal := unsupported_component(request):
            raise Refused(refusal)
        at = epoch_s(time.time())
        host = self._host(caller, request["EndpointName"], request["VariantName"])
        copies = _copies(request["RuntimeConfig"])
        deployment = self._deployment(caller, request["Specification"], host, copies, at)
        with self._platform.resources.together():  # else the endpoint might be deleted in between
            endpoint = self._endpoints.found(caller, request["EndpointName"])
            _refuse_unless_in_service(endpoint)
            arn = self._shelf.arn(caller, name)
            document = life.created(name, arn, endpoint.document, deployment, at)
            resource = Resource(
                key=self._shelf.key(caller, name),
                created=at,
                modified=at,
                status="Creating",
                document=document,
                request=request,
            )
            self._shelf.add(caller, resource, request.get("Tags", ()))
        component = self._components.of(resource.key)
        if component is None:
            self._shelf.delete(resource.key, arn)
            raise Refused(ENDING)
        component.create()
        return {"InferenceComponentArn": arn}

    def describe(self, caller: Caller, request: Request) -> Answer:
        """Answer the component as it is now."""
        return life.answered(self._found(caller, request).document)

    def list(self, caller: Caller, request: Request) -> Any:
        """Answer a page of summaries."""
        return _LISTING.page(self._platform.resources, caller, request)

    def update(self, caller: Caller, request: Request) -> Answer:
        """Begin to replace the copies by another specification's, or to have another number."""
        found = self._found(caller, request)
        if refusal := unsupported_component(request):
            raise Refused(refusal)
        at, now = epoch_s(time.time()), life.deployment_in(found.document)
        copies = _copies(request.get("RuntimeConfig") or {"CopyCount": now.copies})
        if request.get("Specification") is None:
            return self._followed(caller, found.key, lambda now: now.with_copies(copies), at)
        host = self._host(caller, found.document["EndpointName"], found.document["VariantName"])
        wanted = self._deployment(caller, request["Specification"], host, copies, at)
        return self._followed(caller, found.key, lambda _: wanted, at)

    def resize(self, caller: Caller, request: Request) -> Answer:
        """Begin to have another number of copies: also none."""
        found, at = self._found(caller, request), epoch_s(time.time())
        copies = _copies(request["DesiredRuntimeConfig"])
        return self._followed(caller, found.key, lambda now: now.with_copies(copies), at)

    def delete(self, caller: Caller, request: Request) -> Answer:
        """Begin to delete a component that no other change is under way of."""
        found, at = self._found(caller, request), epoch_s(time.time())
        self._changed(
            caller, found.key, lambda document: life.deleting(document, at), also=("Failed",)
        )
        component = self._components.of(found.key)
        if component is None:
            raise Refused(ENDING)
        component.delete()
        return {}

    def _found(self, caller: Caller, request: Request) -> Resource:
        return self._shelf.found(caller, request["InferenceComponentName"])

    def _host(self, caller: Caller, endpoint: str, variant: str) -> VariantPlan:
        """Return the variant that hosts components, or refuse: it is not there, or does not."""
        found = self._endpoints.found(caller, endpoint)
        plan = endpoint_life.plan_in(found.document)
        if not plan.hosts_components:
            raise Refused(words.endpoint_without_components())
        host = plan.variant(variant)
        if host is None:
            raise Refused(words.unknown_variant(variant, endpoint))
        _refuse_unless_in_service(found)
        return host

    def _deployment(
        self, caller: Caller, specification: Request, host: VariantPlan, copies: int, at: float
    ) -> Deployment:
        """Return the deployment of a specification, or refuse: a model or an image is not there."""
        if name := specification.get("ModelName"):
            found = self._models.found(caller, name).document
            model = deployable(self._platform.resources, caller, found)
            if refusal := unsupported_model(model):
                raise Refused(refusal)
        else:
            model = _model_of(specification["Container"])
        find = self._platform.images.find
        try:
            return deployment_of(specification, model, host, copies=copies, find=find, at=at)
        except ImageNotFound as error:
            raise Refused(messages.validation(str(error))) from error

    def _followed(
        self, caller: Caller, key: Key, wanted: Callable[[Deployment], Deployment], at: float
    ) -> Answer:
        """Have what a deployment becomes carried out, and answer the component's ARN."""
        arn = self._changed(
            caller,
            key,
            lambda document: life.updating(document, wanted(life.deployment_in(document)), at),
        )
        component = self._components.of(key)
        if component is None:
            raise Refused(ENDING)
        component.update()
        return {"InferenceComponentArn": arn}

    def _changed(
        self,
        caller: Caller,
        key: Key,
        change: Callable[[life.Document], life.Document],
        also: tuple[str, ...] = (),
    ) -> str:
        """Change the document of one at rest, and return its ARN; refuse one in progress."""
        return self._shelf.change(
            caller, key, change, at_rest=(_SERVES, *also), busy=words.component_in_progress
        )


def _refuse_unless_in_service(endpoint: Resource) -> None:
    """Refuse a component of an endpoint that is being changed. Unverified."""
    if endpoint.status != _SERVES:
        raise Refused(messages.endpoint_in_progress(endpoint.document["EndpointArn"]))


def _copies(runtime: Request) -> int:
    """Return how many copies a runtime configuration asks for, or refuse: no machine runs them."""
    copies: int = runtime["CopyCount"]
    if refusal := too_many_copies(copies):
        raise Refused(refusal)
    return copies


def _model_of(container: Request) -> Request:
    """Return what DescribeModel would answer of a component's own container."""
    data = {"ModelDataUrl": container["ArtifactUrl"]} if container.get("ArtifactUrl") else {}
    primary = {
        "Image": container["Image"],
        "Environment": container.get("Environment") or {},
        **data,
    }
    return {"PrimaryContainer": primary, "EnableNetworkIsolation": False}
