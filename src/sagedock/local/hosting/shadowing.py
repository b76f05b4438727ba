"""Shadow variants: copies of requests, whose answers nobody gets.

Source: the service's model, ShadowProductionVariants, and
https://docs.aws.amazon.com/sagemaker/latest/dg/model-shadow-deployment.html
"""

import asyncio
import logging
import random
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from time import perf_counter

from sagedock.local.hosting.calls import TimedOut, Unreachable
from sagedock.local.hosting.connection import Answer, Broken
from sagedock.local.hosting.loaded_models import NotLoaded
from sagedock.local.hosting.routes import Picked, Routes, Serving
from sagedock.local.hosting.several import Errand, reach
from sagedock.local.refusal import Refused

__all__ = ["Shadows"]

_log = logging.getLogger(__name__)

#: Copies that may be on their way: a shadow that is slower than its requests come gets no more.
_MOST_AT_ONCE = 200
_ERROR = 400


@dataclass(kw_only=True)
class Shadows:
    """Sends copies. ``count`` is told what a shadow answered with (0 for no answer) and how long it
    took; ``capture`` what it answered well.
    """

    routes: Routes
    count: Callable[[Picked, int, float], None]
    capture: Callable[[Errand, Answer, Serving], None]
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    def copy(self, picked: Picked, errand: Errand) -> None:
        """Send a copy of what ``picked`` gets to each shadow, by its share; returns at once.

        The share is the shadow's weight through the variant's, at most all (unverified; the
        guide has 1 and 1 for all).
        """
        for shadow in picked.shadows:
            if random.random() * picked.variant.weight >= shadow.weight:
                continue
            if len(self._tasks) >= _MOST_AT_ONCE:
                _log.warning("shadow variant %s falls behind: a copy is left out", shadow.name)
                continue
            task = asyncio.ensure_future(self._send(shadow, errand))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send(self, shadow: Serving, errand: Errand) -> None:
        picked = self.routes.pick_among(shadow)
        if picked is None:
            return
        begun = perf_counter()
        members = {k: v for k, v in errand.asked.members.items() if k != "TargetVariant"}
        asked = replace(errand.asked, members=members)
        with ExitStack() as leaving:
            leaving.callback(picked.backend.leave)
            try:
                reached = await reach(picked.backend, replace(errand, asked=asked))
            except (Broken, TimedOut, Unreachable, NotLoaded, Refused) as error:
                _log.info("shadow variant %s: %r", shadow.name, error)
                self.count(picked, 0, perf_counter() - begun)
                return
            reached.connection.release()
        answer = reached.answer
        status = answer.status if answer.complete else 0
        self.count(picked, status, perf_counter() - begun - reached.waited_s)
        if 0 < status < _ERROR:
            self.capture(errand, answer, shadow)
