"""Endpoints as autoscaling sees them: how many copies a variant has, and another number to have."""

from sagedock.local.autoscaling import CannotScale, Fleet, ScalableResource
from sagedock.local.caller import Caller
from sagedock.local.hosting import document as life
from sagedock.local.hosting.components.scaled import CopyFleets
from sagedock.local.hosting.endpoint_operations import EndpointOperations
from sagedock.local.hosting.endpoints import Endpoints
from sagedock.local.hosting.names import ENDPOINT
from sagedock.local.platform import Platform
from sagedock.local.refusal import Refused
from sagedock.local.resources import Key

__all__ = ["HostedFleets"]

_SERVES = "InService"
_GOES = "Deleting"


class HostedFleets:
    """The variants of endpoints, and the copies of inference components."""

    def __init__(self, platform: Platform, endpoints: Endpoints) -> None:
        self._platform = platform
        self._routes = endpoints.routes
        self._operations = EndpointOperations(platform, endpoints)
        self._copies = CopyFleets(platform=platform, components=endpoints.components)

    def find(self, resource: ScalableResource) -> Fleet | None:
        """Return a resource as it is now; None where it does not exist or is being deleted."""
        if resource.component is not None:
            return self._copies.find(resource)
        name = resource.variant
        if resource.endpoint is None or name is None:
            return None
        key = Key(region=resource.region, kind=ENDPOINT.name, name=resource.endpoint)
        found = self._platform.resources.get(key)
        if found is None or found.status == _GOES:
            return None
        now, later = life.plan_in(found.document), life.pending_plan(found.document)
        variant = now.variant(name)
        wanted = (later.variant(name) if later else None) or variant
        if variant is None or wanted is None or variant.serverless is not None:
            return None
        running, in_flight = self._served(resource.region, resource.endpoint, name)
        return Fleet(
            desired=wanted.count,
            current=variant.count if variant.hosts_components else running,
            busy=found.status != _SERVES,
            instance_type=variant.instance_type,
            in_flight=in_flight if now.asynchronous is None else None,
            is_counted=now.asynchronous is None and not variant.hosts_components,
        )

    def set_desired(self, resource: ScalableResource, count: int) -> None:
        """Begin to start or drain instances or copies. Raises CannotScale where it is refused."""
        if resource.component is not None:
            self._copies.set_desired(resource, count)
            return
        caller = Caller(
            region=resource.region, service=None, account=self._platform.settings.account
        )
        wanted = {"VariantName": resource.variant, "DesiredInstanceCount": count}
        request = {"EndpointName": resource.endpoint, "DesiredWeightsAndCapacities": [wanted]}
        try:
            self._operations.reweigh(caller, request)
        except Refused as refused:
            raise CannotScale.refused(refused.error) from refused

    def _served(self, region: str, endpoint: str, variant: str) -> tuple[int, int]:
        """Return how many instances serve, and what the busiest has in flight."""
        route = self._routes.find(region, endpoint)
        serving = route.serving(variant) if route else None
        if serving is None:
            return 0, 0
        busiest = max((each.in_flight for each in serving.backends), default=0)
        return len(serving.backends), busiest
