"""One asynchronous endpoint as it is served now: who may take its next request."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sagedock.local.hosting.routes import Backend, Route

__all__ = ["Desk"]

#: How many requests a container gets at once where MaxConcurrentInvocationsPerInstance is not set:
#: "SageMaker chooses an optimal value"; ours is an example.
_AT_ONCE = 4
#: By then it is known whether a container that could not be reached lives.
_REST_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Desk:
    """An endpoint's configuration (AsyncInferenceConfig), its only variant, and the containers."""

    region: str
    endpoint: str
    config: Mapping[str, Any]
    variant: str
    backends: tuple[Backend, ...]

    @classmethod
    def of(cls, route: Route) -> "Desk | None":
        """Return the desk of a route; None for an endpoint that is invoked at once."""
        if route.asynchronous is None:
            return None
        serving = route.variants[0]
        return cls(
            region=route.region,
            endpoint=route.endpoint,
            config=route.asynchronous,
            variant=serving.name,
            backends=tuple(each for one in route.variants for each in one.backends),
        )

    @property
    def most_at_once(self) -> int:
        """How many requests one container gets at the same time."""
        client: Mapping[str, int] = self.config.get("ClientConfig") or {}
        return client.get("MaxConcurrentInvocationsPerInstance", _AT_ONCE)

    def free(self) -> Backend | None:
        """Return the container with the fewest requests, if it may have another one."""
        since_s = time.monotonic() - _REST_S
        able = [
            each
            for each in self.backends
            if each.in_flight < self.most_at_once and each.broke_s < since_s and not each.is_retired
        ]
        return min(able, key=lambda each: each.in_flight, default=None)
