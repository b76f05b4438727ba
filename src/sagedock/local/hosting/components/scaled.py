"""Components as autoscaling sees them: how many copies there are, and another number to have."""

from dataclasses import dataclass

from sagedock.local.autoscaling import CannotScale, Fleet, ScalableResource
from sagedock.local.caller import Caller
from sagedock.local.hosting.components import document as life
from sagedock.local.hosting.components.components import Components
from sagedock.local.hosting.components.operations import ComponentOperations
from sagedock.local.hosting.names import COMPONENT
from sagedock.local.platform import Platform
from sagedock.local.refusal import Refused
from sagedock.local.resources import Key

__all__ = ["CopyFleets"]

_SERVES, _GOES = "InService", "Deleting"


@dataclass(frozen=True, kw_only=True)
class CopyFleets:
    """The copies of components; keeps the promises of ``Fleets`` about these."""

    platform: Platform
    components: Components

    def find(self, resource: ScalableResource) -> Fleet | None:
        """Return a component as it is now; None where it does not exist or is being deleted."""
        key = Key(region=resource.region, kind=COMPONENT.name, name=resource.component or "")
        found = self.platform.resources.get(key)
        if found is None or found.status == _GOES:
            return None
        now, later = life.deployment_in(found.document), life.pending_in(found.document)
        route = self.components.routes.find(key.region, key.name)
        serving = route.variants if route is not None else ()
        backends = [backend for each in serving for backend in each.backends]
        return Fleet(
            desired=(later or now).copies,
            current=len(backends),
            busy=found.status != _SERVES,
            in_flight=max((each.in_flight for each in backends), default=0),
        )

    def set_desired(self, resource: ScalableResource, count: int) -> None:
        """Begin to start or drain copies. Raises CannotScale where the component refuses."""
        caller = Caller(
            region=resource.region, service=None, account=self.platform.settings.account
        )
        request = {
            "InferenceComponentName": resource.component or "",
            "DesiredRuntimeConfig": {"CopyCount": count},
        }
        try:
            ComponentOperations(self.platform, self.components).resize(caller, request)
        except Refused as refused:
            raise CannotScale.refused(refused.error) from refused
