"""Which copy a call of an endpoint with inference components goes to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sagedock.api import component_messages as words
from sagedock.api import runtime_messages
from sagedock.api.component_metrics import NO_CAPACITY, component_dimension
from sagedock.local.hosting.measures import Measures
from sagedock.local.hosting.passing import Asked
from sagedock.local.hosting.routes import Backend, Picked, Route, Routes
from sagedock.local.refusal import Refused

__all__ = ["CopyChoice"]


@dataclass(frozen=True, kw_only=True)
class CopyChoice:
    """Chooses among copies, of which ``routes`` has each component's by its name; ``awake`` has
    measures published.
    """

    routes: Routes
    awake: Callable[[Measures], None]

    def pick(
        self,
        host: Route,
        asked: Asked,
        failed: Sequence[Backend],
        wanted: Backend | None = None,
    ) -> Picked:
        """Return where a request to the endpoint ``host`` goes, which is in flight there from now
        on. Raises Refused. ``failed`` could not be reached just now; ``wanted`` has its session.
        """
        name = asked.component
        if name is None:
            raise Refused(words.header_missing())
        if not host.hosts_components:
            raise Refused(words.header_forbidden())
        if asked.variant and host.variant(asked.variant) is None:
            raise Refused(runtime_messages.unknown_variant(asked.variant, asked.endpoint))
        route = self.routes.find(asked.region, name)
        if route is None or route.host != host.endpoint:
            raise Refused(words.no_such_component(name, asked.endpoint))
        picked = self.routes.pick(asked.region, name, asked.variant, failed, wanted)
        if picked is not None:
            return picked
        if any(each.instances for each in route.variants):
            raise Refused(runtime_messages.unavailable(asked.endpoint))
        self._tell_of_no_capacity(asked.region, name)
        raise Refused(words.no_capacity())

    def _tell_of_no_capacity(self, region: str, component: str) -> None:
        measures = Measures(region=region, dimensions=component_dimension(component))
        measures.add(NO_CAPACITY, 1.0)
        self.awake(measures)
