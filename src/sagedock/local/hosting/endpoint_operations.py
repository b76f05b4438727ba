"""Create, Describe, List, Update and DeleteEndpoint; UpdateEndpointWeightsAndCapacities."""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sagedock.api import component_messages, deployment_messages, hosting_messages, messages
from sagedock.errors import ImageNotFound
from sagedock.local.caller import Caller
from sagedock.local.hosting import document as life
from sagedock.local.hosting.alarms import Alarms
from sagedock.local.hosting.amounts import too_many_in_plan
from sagedock.local.hosting.components.tenants import as_needed, displaced, tenants
from sagedock.local.hosting.deployment import course_of
from sagedock.local.hosting.deployment_checks import deployment_of, unfit_deployment
from sagedock.local.hosting.endpoints import Endpoints
from sagedock.local.hosting.kinds import other_kind, unfit_desires
from sagedock.local.hosting.names import CONFIG, ENDPOINT, MODEL, Shelf, variants_of
from sagedock.local.hosting.plan import Plan, plan_of
from sagedock.local.hosting.scaled_variants import still_scaled
from sagedock.local.listing import Listing
from sagedock.local.moments import epoch_s
from sagedock.local.platform import Platform
from sagedock.local.refusal import ENDING, Refused
from sagedock.local.registry import deployable
from sagedock.local.resources import Key, Resource

__all__ = ["EndpointOperations"]

Request = Mapping[str, Any]
Answer = dict[str, Any]

_LISTING = Listing(kind=ENDPOINT.name, member="Endpoints")
#: An endpoint in these can be updated, and deleted; one that failed can be deleted only.
_AT_REST = ("InService", "OutOfService", "UpdateRollbackFailed")


class EndpointOperations:
    """The operations on endpoints."""

    #: Those that only read the store.
    quick = frozenset({"DescribeEndpoint", "ListEndpoints"})

    def __init__(self, platform: Platform, endpoints: Endpoints) -> None:
        self._platform = platform
        self._endpoints = endpoints
        self._shelf = Shelf(platform=platform, kind=ENDPOINT)
        self._configs = Shelf(platform=platform, kind=CONFIG)
        self._models = Shelf(platform=platform, kind=MODEL)

    def table(self) -> Mapping[str, Callable[[Caller, Request], Any]]:
        """Return each operation's name with what carries it out."""
        return {
            "CreateEndpoint": self.create,
            "DeleteEndpoint": self.delete,
            "DescribeEndpoint": self.describe,
            "ListEndpoints": self.list,
            "UpdateEndpoint": self.update,
            "UpdateEndpointWeightsAndCapacities": self.reweigh,
        }

    def create(self, caller: Caller, request: Request) -> Answer:
        """Begin to bring an endpoint to service, or refuse it with nothing changed."""
        name = request["EndpointName"]
        self._shelf.refuse_taken(caller, name)
        at = epoch_s(time.time())
        plan = self._plan(caller, request["EndpointConfigName"], at)
        if refusal := too_many_in_plan(plan, "InitialInstanceCount"):
            raise Refused(refusal)
        self._refuse_beyond_quota(caller, plan, {})
        arn = self._shelf.arn(caller, name)
        resource = Resource(
            key=self._shelf.key(caller, name),
            created=at,
            modified=at,
            status="Creating",
            document=life.created(name, arn, plan, at, request.get("DeploymentConfig")),
            request=request,
        )
        self._shelf.add(caller, resource, request.get("Tags", ()))
        endpoint = self._endpoints.of(resource.key)
        if endpoint is None:
            self._shelf.delete(resource.key, arn)
            raise Refused(ENDING)
        endpoint.create()
        return {"EndpointArn": arn}

    def describe(self, caller: Caller, request: Request) -> Answer:
        """Answer the endpoint as it is now."""
        return life.answered(self._shelf.found(caller, request["EndpointName"]).document)

    def list(self, caller: Caller, request: Request) -> Any:
        """Answer a page of summaries."""
        return _LISTING.page(self._platform.resources, caller, request)

    def update(self, caller: Caller, request: Request) -> Answer:
        """Begin to replace what serves by another configuration's."""
        found = self._shelf.found(caller, request["EndpointName"])
        at = epoch_s(time.time())
        # The configuration that it has must be there, too (rows 32 and 56 of the rest).
        self._configs.found(caller, found.document["EndpointConfigName"])
        plan = self._plan(caller, request["EndpointConfigName"], at)
        before = life.plan_in(found.document)
        if refusal := (
            other_kind(found.key.name, before, plan)
            or still_scaled(self._platform, found.key, before, plan)
        ):
            raise Refused(refusal)
        plan = _retained(plan, before, request)
        self._refuse_without_room(found, plan)
        plan = as_needed(self._platform.resources, found.key, plan)
        if refusal := too_many_in_plan(plan, "InitialInstanceCount"):
            raise Refused(refusal)
        deployment = deployment_of(request, found.document)
        self._refuse_deployment(caller, deployment, before, plan)
        self._refuse_beyond_quota(caller, plan, {})
        arn = self._changed(
            caller, found.key, lambda document: life.updating(document, plan, at, deployment)
        )
        self._carry_out(found.key, "update")
        return {"EndpointArn": arn}

    def reweigh(self, caller: Caller, request: Request) -> Answer:
        """Begin to change weights and instance counts."""
        found = self._shelf.found(caller, request["EndpointName"])
        desires = {each["VariantName"]: each for each in request["DesiredWeightsAndCapacities"]}
        before = life.plan_in(found.document)
        if unknown := [name for name in desires if before.variant(name) is None]:
            raise Refused(messages.unknown_variants(", ".join(unknown), before.config))
        refusal = None
        if any(each.get("ServerlessUpdateConfig") for each in desires.values()):
            refusal = hosting_messages.deploy_elsewhere("ServerlessUpdateConfig")
        if refusal := refusal or unfit_desires(before, desires):
            raise Refused(refusal)
        plan, at = before.with_desires(desires), epoch_s(time.time())
        if refusal := too_many_in_plan(plan, "DesiredInstanceCount"):
            raise Refused(refusal)
        self._refuse_without_room(found, plan)
        self._refuse_beyond_quota(caller, plan, {before.fleet: before})
        arn = self._changed(caller, found.key, lambda document: life.reweighed(document, plan, at))
        self._carry_out(found.key, "reweigh")
        return {"EndpointArn": arn}

    def delete(self, caller: Caller, request: Request) -> Answer:
        """Begin to delete an endpoint that no other change is under way of."""
        found = self._shelf.found(caller, request["EndpointName"])
        at = epoch_s(time.time())
        with self._platform.resources.together():  # else one might be created in between
            if on_it := tenants(self._platform.resources, caller.region, found.key.name):
                names = ", ".join(sorted(each.key.name for each in on_it))
                arn = found.document["EndpointArn"]
                raise Refused(component_messages.endpoint_has_components(arn, names))
            self._changed(
                caller, found.key, lambda document: life.deleting(document, at), also=("Failed",)
            )
        self._carry_out(found.key, "delete")
        return {}

    def _plan(self, caller: Caller, config_name: str, at: float) -> Plan:
        """Return the plan of a configuration, or refuse: it, a model or an image is not there."""
        config = self._configs.found(caller, config_name).document
        names = {each["ModelName"] for each in variants_of(config) if "ModelName" in each}
        models = {name: self._served(caller, name) for name in names}
        find = self._platform.images.find
        try:
            return plan_of(config, models, find, at)
        except ImageNotFound as error:
            raise Refused(messages.validation(str(error))) from error

    def _served(self, caller: Caller, name: str) -> Request:
        """Return a model as Describe answers it, with the containers of its model packages."""
        model = self._models.found(caller, name).document
        return deployable(self._platform.resources, caller, model)

    def _changed(
        self,
        caller: Caller,
        key: Key,
        change: Callable[[life.Document], life.Document],
        also: tuple[str, ...] = (),
    ) -> str:
        """Change the document of one at rest, and return its ARN; refuse one in progress."""
        return self._shelf.change(
            caller, key, change, at_rest=(*_AT_REST, *also), busy=messages.endpoint_in_progress
        )

    def _carry_out(self, key: Key, what: str) -> None:
        """Have a change carried out that the store knows of; a server that ends leaves it to the
        next one.
        """
        endpoint = self._endpoints.of(key)
        if endpoint is None:
            raise Refused(ENDING)
        match what:
            case "update":
                endpoint.update()
            case "reweigh":
                endpoint.reweigh()
            case "delete":
                endpoint.delete()

    def _refuse_deployment(
        self, caller: Caller, deployment: Request, before: Plan, after: Plan
    ) -> None:
        """Refuse an update that cannot go as it is asked for, or that no alarm could take back."""
        if refusal := unfit_deployment(deployment, before, after):
            raise Refused(refusal)
        names = course_of(deployment, after).alarms
        alarms = Alarms(platform=self._platform, region=caller.region, names=names)
        if absent := alarms.absent():
            raise Refused(deployment_messages.alarm_not_found(", ".join(absent)))

    def _refuse_without_room(self, found: Resource, plan: Plan) -> None:
        """Refuse a plan that takes away the instances of an inference component."""
        if (component := displaced(self._platform.resources, found.key, plan)) is not None:
            raise Refused(component_messages.no_room_for(found.key.name, component))

    def _refuse_beyond_quota(
        self, caller: Caller, plan: Plan, replaced: Mapping[str, Plan]
    ) -> None:
        """Refuse a plan that would exceed a quota; ``replaced`` are the plans, by fleet, that it
        takes the place of. Source: row 34 of the rest.
        """
        quotas = self._platform.settings.quotas
        used: Counter[str] = Counter()
        if quotas:
            for each in self._platform.resources.unfinished(ENDPOINT.name, ("Failed",)):
                known = life.plan_in(each.document)
                if each.key.region == caller.region and known.fleet not in replaced:
                    used += _instances(known)
        for name, count in _instances(plan).items():
            if name in quotas and used[name] + count > quotas[name]:
                delta = count - sum(_instances(each)[name] for each in replaced.values())
                raise Refused(
                    messages.quota_exceeded(
                        quota=name,
                        limit=quotas[name],
                        used=used[name] + count - delta,
                        asked=delta,
                    )
                )


def _retained(plan: Plan, before: Plan, request: Request) -> Plan:
    """Return ``plan`` with the weights and counts that RetainAllVariantProperties keeps."""
    if not request.get("RetainAllVariantProperties", False):
        return plan
    excluded = {
        each["VariantPropertyType"] for each in request.get("ExcludeRetainedVariantProperties", ())
    }
    kept = {"DesiredInstanceCount": "count", "DesiredWeight": "weight"}
    if "DataCaptureConfig" not in excluded:
        plan = replace(plan, capture=before.capture)
    return plan.with_desires(
        {
            each.name: {
                member: getattr(each, field)
                for member, field in kept.items()
                if member not in excluded
            }
            for each in before.variants
        }
    )


def _instances(plan: Plan) -> Counter[str]:
    """Return how many instances a plan has, by the quota that they count for."""
    counted: Counter[str] = Counter()
    for each in plan.variants:
        counted[f"{each.instance_type} for endpoint usage"] += each.count
    return counted
