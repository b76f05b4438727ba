"""Where a call goes: to an instance that serves, or to a container that is started for it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sagedock.api import runtime_messages as words
from sagedock.api.hosting_messages import too_many_calls
from sagedock.errors import EngineError
from sagedock.local.hosting.components.choosing import CopyChoice
from sagedock.local.hosting.hosted_container import Cancelled, NotServing
from sagedock.local.hosting.passing import Asked
from sagedock.local.hosting.routes import Backend, Picked, Routes, Serving
from sagedock.local.hosting.serverless import Pool, Throttled
from sagedock.local.hosting.sessions import Sessions
from sagedock.local.refusal import Refused

__all__ = ["Choice"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Chooses among the endpoints in service."""

    routes: Routes
    copies: CopyChoice
    sessions: Sessions
    account: str

    async def pick(self, asked: Asked, failed: Sequence[Backend]) -> Picked:
        """Return where a request goes, which is in flight there from now on. Raises Refused.

        ``failed`` could not be reached just now.
        """
        while True:
            picked = self._picked(asked, failed) or await self._claimed(asked, failed)
            if picked is not None:
                return picked

    def _picked(self, asked: Asked, failed: Sequence[Backend]) -> Picked | None:
        """Return where a request goes; None where a container may have to be started for it."""
        route = self.routes.find(asked.region, asked.endpoint)
        if route is None:
            raise Refused(words.endpoint_not_found(asked.endpoint, self.account))
        wanted = self.sessions.backend(asked)
        if route.hosts_components or asked.component is not None:
            return self.copies.pick(route, asked, failed, wanted)
        picked = self.routes.pick(asked.region, asked.endpoint, asked.variant, failed, wanted)
        if picked is not None:
            return picked
        if asked.variant and route.variant(asked.variant) is None:
            raise Refused(words.unknown_variant(asked.variant, asked.endpoint))
        if route.serverless is not None:
            return None
        raise Refused(words.unavailable(asked.endpoint))

    async def _claimed(self, asked: Asked, failed: Sequence[Backend]) -> Picked | None:
        """Return the serverless container that a request goes to, started if need be; None where
        another deployment serves meanwhile.
        """
        variant, pool = self._serverless(asked)
        if variant is None or pool is None:
            return None
        try:
            return Picked(variant, await pool.claim(failed))
        except Throttled as error:
            raise Refused(too_many_calls()) from error
        except NotServing as error:
            reason = words.cold_start_failed(
                words.Invoked(region=asked.region, account=self.account, endpoint=asked.endpoint),
                error.reason,
            )
            raise Refused(reason) from error
        except (Cancelled, EngineError) as error:
            if self._serverless(asked)[1] is not pool:
                return None
            _log.warning("endpoint %s: %s", asked.endpoint, error)
            raise Refused(words.unavailable(asked.endpoint)) from error

    def _serverless(self, asked: Asked) -> tuple[Serving | None, Pool | None]:
        route = self.routes.find(asked.region, asked.endpoint)
        variant = route.serverless if route is not None else None
        return (None, None) if variant is None else (variant, variant.pool)
