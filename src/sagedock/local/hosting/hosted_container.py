"""One container of an instance: it serves, and is replaced when it ends."""

import logging
import threading
import time
from collections.abc import Callable

from sagedock.api import metrics
from sagedock.errors import ContainerNotStarted, EngineError
from sagedock.local.hosting import reasons
from sagedock.local.hosting.containers import Site
from sagedock.local.hosting.health import is_healthy
from sagedock.local.hosting.measures import Measures
from sagedock.local.hosting.model_store import ModelStore
from sagedock.local.hosting.plan import ContainerPlan, VariantPlan
from sagedock.local.hosting.routes import Backend
from sagedock.local.hosting.several import Member
from sagedock.local.logs import Line, Stream, follow

__all__ = ["Cancelled", "HostedContainer", "NotServing"]

_log = logging.getLogger(__name__)

#: Between two looks at /ping of a container that starts: short at first, for many start at once.
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _SLOWER = 0.02, 1.0, 1.5
#: Between two attempts to replace a container that does not serve any more.
_RETRY_S, _LONGEST_RETRY_S = 0.5, 30.0


class NotServing(Exception):
    """The container does not serve; ``reason`` is the service's words."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Cancelled(Exception):
    """The instance is not wanted any more."""


class HostedContainer:
    """One container of the instance of that name. ``changed`` is called when it begins or ceases to
    serve: see ``member``.

    ``startup_s`` is how long /ping may take to answer 200.
    """

    def __init__(
        self,
        *,
        instance: str,
        site: Site,
        variant: VariantPlan,
        container: ContainerPlan,
        startup_s: float,
        changed: Callable[[], None],
    ) -> None:
        #: How requests reach it; None while it does not serve.
        self.member: Member | None = None
        self._instance = instance
        self._variant = variant
        self._plan = container
        self._site = site
        self._several = len(variant.containers) > 1
        self._measures = Measures(
            region=site.key.region,
            dimensions=metrics.container_dimensions(site.key.name, variant.name, container.name),
        )
        self._store = ModelStore.of(site, variant, container, instance)
        self._startup_s = startup_s
        self._changed = changed
        self._engine = site.platform.engine
        self._container: str | None = None
        self._ended = threading.Event()
        self._retired = threading.Event()
        #: Held while a container is started: one at a time, and none once it is retired.
        self._changing = threading.Lock()
        self._threads: list[threading.Thread] = []

    def launch(self) -> None:
        """Start a container, and return once it serves. Raises NotServing, Cancelled, or
        EngineError.
        """
        with self._changing:
            self._launch()

    def adopt(self, container: str) -> None:
        """Take up a container that a killed server left, and return once it serves. Raises as
        ``launch`` does.
        """
        with self._changing:
            self._container = container
            self._attend(container)
            address = self._pinged(container)
            if self._store is not None:
                self._store.clear(address)
            self._serve(container, address)

    def memory_percent(self) -> float | None:
        """Return how much of its memory the container uses, or None. Raises EngineError."""
        container = self._container
        usage = self._engine.usage(container) if container is not None else None
        return None if usage is None else 100 * usage.memory_bytes / usage.memory_limit_bytes

    def cancel(self) -> None:
        """Have whatever it does end soon; returns at once."""
        self._retired.set()

    def retire(self, grace_s: float) -> None:
        """Stop the container, and return when nothing of it is left. It gets no requests any more:
        who calls this saw to that.
        """
        self._retired.set()
        if self._store is not None:
            self._store.ended.set()
        if self.member is not None:
            self.member.backend.is_retired = True
            self.member.backend.hang_up()
        with self._changing:  # from here on nobody starts another one
            container, self._container, self.member = self._container, None, None
        try:
            if container is not None:
                self._engine.stop(container, grace_s)
            for thread in self._threads:
                thread.join()
            if container is not None:
                self._engine.remove(container)
        except EngineError as error:  # removed when the server starts next
            _log.warning("endpoint %s: %s", self._site.key.name, error)

    def _launch(self) -> None:
        if self._retired.is_set():
            raise Cancelled
        self._site.platform.logs.begin_anew(self._stream())
        for warning in self._site.share(self._variant).warnings:
            self._say(f"sagedock: {warning}")
        if self._store is not None:
            self._store.empty()
        spec = self._site.spec(self._variant, self._plan, self._instance)
        try:
            self._container = self._engine.create(spec)
            self._engine.start(self._container)
        except ContainerNotStarted as error:
            self._say(str(error))
            reason = reasons.cannot_start(self._variant.name, self._plan.image)
            raise NotServing(reason) from error
        self._attend(self._container)
        self._serve(self._container, self._pinged(self._container))

    def _attend(self, container: str) -> None:
        """Follow the container's output from where it is known to, and await its end."""
        stream = self._stream()
        self._ended = ended = threading.Event()
        follower = self._thread(lambda: self._follow(container, stream))
        watcher = self._thread(lambda: self._watch(container, ended, follower))
        self._threads = [each for each in self._threads if each.is_alive()] + [follower, watcher]
        follower.start()
        watcher.start()

    def _thread(self, work: Callable[[], None]) -> threading.Thread:
        name = f"endpoint {self._site.key.name}/{self._instance}"
        return threading.Thread(target=work, name=name, daemon=True)

    def _follow(self, container: str, stream: Stream) -> None:
        try:
            follow(self._engine.logs(container), self._site.platform.logs, stream)
        except EngineError as error:  # somebody else removed it
            _log.warning("endpoint %s: %s", self._site.key.name, error)

    def _pinged(self, container: str) -> tuple[str, int]:
        """Return where a container is, once /ping answers 200."""
        ends = time.monotonic() + self._startup_s
        pause_s = _FIRST_PAUSE_S
        while True:
            address = self._engine.address(container, self._plan.port)
            if address is not None and is_healthy(address, many=self._plan.many_models):
                return address
            if self._retired.wait(pause_s):
                raise Cancelled
            if self._ended.is_set() or time.monotonic() > ends:
                name = self._plan.name if self._several else None
                raise NotServing(reasons.no_ping(self._variant.name, name))
            pause_s = min(pause_s * _SLOWER, _LONGEST_PAUSE_S)

    def _serve(self, container: str, address: tuple[str, int]) -> None:
        backend, store = Backend(*address, name=self._instance), self._store
        self.member = Member(
            name=self._plan.name,
            backend=backend,
            measures=self._measures,
            models=None if store is None else store.models(container, backend),
            prefix=None if store is None else store.prefix,
        )
        self._changed()

    def _watch(self, container: str, ended: threading.Event, follower: threading.Thread) -> None:
        """Await the container's end; one that served is replaced."""
        try:
            self._engine.wait(container)
        except EngineError as error:
            _log.warning("endpoint %s: %s", self._site.key.name, error)
        ended.set()
        if self.member is None or self._retired.is_set():
            return
        self.member = None
        self._changed()
        if self._retired.is_set():  # who was told wants no other one
            return
        follower.join()
        self._replace()

    def _replace(self) -> None:
        """Start a container in the place of one that ended, ever more slowly until one serves."""
        self._say("sagedock: the container ended while it served: it is replaced")
        pause_s = _RETRY_S
        while not self._retired.is_set():
            try:
                with self._changing:
                    self._forget_container()
                    self._launch()
            except Cancelled:
                return
            except (NotServing, EngineError) as error:
                _log.warning("endpoint %s: %s", self._site.key.name, error)
                self._retired.wait(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_RETRY_S)
            else:
                return

    def _forget_container(self) -> None:
        container, self._container = self._container, None
        if container is not None:
            self._engine.remove(container)

    def _stream(self) -> Stream:
        key = self._site.key
        name = f"{self._variant.name}/{self._instance}"
        if self._several:  # source: the "Logs" of inference-pipeline-logs-metrics.html
            name = f"{name}/{self._plan.name}"
        return self._site.platform.logs.open(key.region, self._site.log_group, name)

    def _say(self, text: str) -> None:
        """Put a line of ours into the log."""
        line = Line(stream="stderr", time_s=time.time(), data=text.encode(), consumed=0)
        self._site.platform.logs.write(self._stream(), [line])
