"""Which containers serve which endpoint: the table that every invocation is routed by.

It is in memory, and changed as a whole: a request sees an endpoint as it was or as it is.
"""

import math
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from sagedock.local.hosting.connection import Connection
from sagedock.local.hosting.tally import Tally

if TYPE_CHECKING:
    from sagedock.local.hosting.serverless import Pool

__all__ = ["Backend", "Picked", "Route", "Routes", "RoutingStrategy", "Serving"]

RoutingStrategy = str

#: By then it is known whether a container that broke off lives.
_REST_S = 1.0


@dataclass(eq=False, slots=True)
class Backend:
    """One instance that answers invocations. ``in_flight`` and ``idle`` (its connections that wait
    for a request) are the event loop's.
    """

    host: str
    port: int
    #: The instance's.
    name: str = ""
    in_flight: int = 0
    idle: list[Connection] = field(default_factory=list)
    broke_s: float = -math.inf
    #: It gets no request any more, and is about to be stopped.
    is_retired: bool = False

    def broke(self) -> None:
        """Get no request for a moment, where others can: it broke one off, and may be dying."""
        self.broke_s = time.monotonic()

    def leave(self) -> None:
        """Have one request less in flight."""
        self.in_flight -= 1

    def hang_up(self) -> None:
        """Close the connections that wait, when no request comes any more: a server may end only
        once they are. Returns at once.
        """
        for connection in list(self.idle):
            connection.close_soon()


@dataclass(frozen=True, kw_only=True)
class Serving:
    """One variant, and the containers that serve it now. ``instances`` is how many it should have;
    ``tally`` counts what it answers.
    """

    name: str
    weight: float
    strategy: RoutingStrategy
    backends: tuple[Backend, ...]
    instances: int
    tally: Tally
    #: The part of the variant's requests that it gets, where another deployment has the rest.
    share: float = 1.0
    #: The DataCaptureConfig, where data is captured.
    capture: Mapping[str, Any] | None = None
    #: What starts the containers of a variant without instances.
    pool: "Pool | None" = None
    is_shadow: bool = False


@dataclass(frozen=True, kw_only=True)
class Route:
    """One endpoint in service. ``shadows`` answer nobody: they get copies. While traffic shifts, a
    variant is there twice: of the old deployment, and of the new one.
    """

    region: str
    account: str
    endpoint: str
    variants: tuple[Serving, ...]
    #: The AsyncInferenceConfig of an endpoint that is invoked by way of S3.
    asynchronous: Mapping[str, Any] | None = None
    shadows: tuple[Serving, ...] = ()
    #: Whether its requests go to inference components. Of one of these: the endpoint that hosts it.
    hosts_components: bool = False
    host: str | None = None

    @property
    def serverless(self) -> Serving | None:
        """The only variant of a serverless endpoint, or None."""
        return self.variants[0] if self.variants[0].pool is not None else None

    def variant(self, name: str) -> Serving | None:
        """Return the variant of that name that answers, or None."""
        return next((each for each in self.variants if each.name == name), None)

    def serving(self, name: str) -> Serving | None:
        """Return the variant of that name, also a shadow, or None."""
        return next((each for each in (*self.variants, *self.shadows) if each.name == name), None)


@dataclass(frozen=True, slots=True)
class Picked:
    """Where one request goes, and who gets copies of it."""

    variant: Serving
    backend: Backend
    shadows: tuple[Serving, ...] = ()


Watch = Callable[[str, str, Route | None], None]


class Routes:
    """The endpoints in service. ``watch`` is told of each change, and returns at once."""

    def __init__(self, watch: Watch = lambda *_: None) -> None:
        self._watch = watch
        self._routes: dict[tuple[str, str], Route] = {}
        self._lock = threading.Lock()

    def put(self, route: Route) -> None:
        """Let requests go by ``route`` from now on. Those that were routed before are in flight."""
        with self._lock:
            self._routes[route.region, route.endpoint] = route
        self._watch(route.region, route.endpoint, route)

    def remove(self, region: str, endpoint: str) -> None:
        """Let no request reach an endpoint any more."""
        with self._lock:
            self._routes.pop((region, endpoint), None)
        self._watch(region, endpoint, None)

    def find(self, region: str, endpoint: str) -> Route | None:
        """Return how an endpoint is served, or None where it is not in service."""
        return self._routes.get((region, endpoint))

    def pick(
        self,
        region: str,
        endpoint: str,
        target: str | None,
        failed: Sequence[Backend] = (),
        wanted: Backend | None = None,
    ) -> Picked | None:
        """Return where a request goes, which is in flight from now on; None where nothing serves.

        ``target`` is the variant that it asks for; ``failed`` could not be reached just now;
        ``wanted`` has its session, and gets it if it can.
        """
        with self._lock:
            route = self._routes.get((region, endpoint))
            if route is None:
                return None
            able = [
                each
                for each in route.variants
                if any(backend not in failed for backend in each.backends)
                and target in (None, each.name)
            ]
            if not able:
                return None
            if wanted is not None and wanted not in failed:
                able = [each for each in able if wanted in each.backends] or able
            variant = able[0] if len(able) == 1 else _by_weight(able)
            is_there = wanted is not None and wanted in variant.backends and wanted not in failed
            backend = wanted if wanted is not None and is_there else _one_of(variant, failed)
            backend.in_flight += 1
            return Picked(variant, backend, route.shadows)

    def pick_among(self, variant: Serving) -> Picked | None:
        """Return where a request to that variant goes, as ``pick`` does."""
        with self._lock:
            if not variant.backends:
                return None
            backend = _one_of(variant, ())
            backend.in_flight += 1
            return Picked(variant, backend)


def _by_weight(variants: list[Serving]) -> Serving:
    """Choose at random, by weight; where nobody has any, all are alike."""
    sums = list(accumulate(each.weight * each.share for each in variants))
    if sums[-1] <= 0:
        return random.choice(variants)
    return random.choices(variants, cum_weights=sums)[0]


def _one_of(variant: Serving, failed: Sequence[Backend]) -> Backend:
    backends = [each for each in variant.backends if each not in failed]
    if len(backends) == 1:
        return backends[0]
    since_s = time.monotonic() - _REST_S
    backends = [each for each in backends if each.broke_s < since_s] or backends
    if variant.strategy == "LEAST_OUTSTANDING_REQUESTS":
        return min(backends, key=lambda each: each.in_flight)
    return random.choice(backends)
