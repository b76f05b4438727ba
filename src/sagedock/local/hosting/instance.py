"""One instance of a variant: the containers that serve there, one or several."""

import shutil
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from sagedock.local.hosting.containers import Site
from sagedock.local.hosting.hosted_container import HostedContainer
from sagedock.local.hosting.plan import VariantPlan
from sagedock.local.hosting.routes import Backend
from sagedock.local.hosting.several import Several

__all__ = ["Instance"]

_DRAIN_LOOK_S = 0.005


class Instance:
    """One instance. ``changed`` is called when it begins or ceases to serve: see ``backend``.

    ``startup_s`` is how long /ping of each container may take to answer 200.
    """

    def __init__(
        self,
        *,
        name: str,
        site: Site,
        variant: VariantPlan,
        startup_s: float,
        changed: Callable[[], None],
    ) -> None:
        self.name = name
        self.variant = variant
        self._site = site
        self._told = changed
        self._hurried = threading.Event()
        self._several = (
            None if variant.is_simple else Several(host="", port=0, direct=variant.direct)
        )
        self._lock = threading.Lock()
        self._containers = tuple(
            HostedContainer(
                instance=name,
                site=site,
                variant=variant,
                container=each,
                startup_s=startup_s,
                changed=self._changed,
            )
            for each in variant.containers
        )

    @property
    def backend(self) -> Backend | None:
        """Where it serves; None while it does not."""
        if self._several is not None:
            return self._several if self._several.members else None
        member = self._containers[0].member
        return None if member is None else member.backend

    def launch(self) -> None:
        """Start the containers, and return once all of them serve. Raises NotServing, Cancelled, or
        EngineError.
        """
        self._begin([each.launch for each in self._containers])

    def adopt(self, containers: Sequence[str]) -> None:
        """Take up the containers, in their order, that a killed server left, and return once they
        serve. Raises as ``launch`` does.
        """

        def adopted(one: HostedContainer, container: str) -> Callable[[], None]:
            return lambda: one.adopt(container)

        self._begin([adopted(*each) for each in zip(self._containers, containers, strict=True)])

    def check(self) -> None:
        """Ask each container that serves whether it is healthy, and replace those that are not."""
        for each in self._containers:
            each.check(self._is_busy)

    def memory_percent(self) -> float | None:
        """Return how much of its memory the one container uses, or None. Raises EngineError."""
        (container,) = self._containers
        return container.memory_percent()

    def cancel(self) -> None:
        """Have whatever it does end soon; returns at once."""
        for each in self._containers:
            each.cancel()

    def hurry(self) -> None:
        """Let what is in flight not be awaited any longer; returns at once."""
        self._hurried.set()

    def retire(self, grace_s: float) -> None:
        """Stop the containers, and return when nothing of them is left. The instance gets no new
        requests: who calls this saw to that; those that it has are awaited, as long as any may
        take.
        """
        backend = self.backend
        self.cancel()
        if backend is not None:
            backend.is_retired = True
        self._drain(backend)
        with ThreadPoolExecutor(len(self._containers)) as pool:
            list(pool.map(lambda each: each.retire(grace_s), self._containers))
        shutil.rmtree(self._site.instance_folder(self.name), ignore_errors=True)

    def _begin(self, starts: Sequence[Callable[[], None]]) -> None:
        if len(starts) == 1:
            starts[0]()
            return
        with ThreadPoolExecutor(len(starts)) as pool:
            for start in as_completed([pool.submit(each) for each in starts]):
                if (failure := start.exception()) is not None:
                    self.cancel()
                    raise failure

    def _changed(self) -> None:
        """Have requests come while all containers serve, and not while one does not."""
        if self._several is not None:
            with self._lock:
                members = [each.member for each in self._containers]
                whole = tuple(each for each in members if each is not None)
                self._several.members = whole if len(whole) == len(members) else ()
        self._told()

    def _is_busy(self) -> bool:
        backend = self.backend
        return backend is not None and backend.in_flight > 0

    def _drain(self, backend: Backend | None) -> None:
        settings = self._site.platform.settings
        ends = time.monotonic() + max(settings.invocation_s, settings.stream_s)
        while backend is not None and backend.in_flight > 0 and time.monotonic() < ends:
            if self._hurried.wait(_DRAIN_LOOK_S):
                break
