"""One instance of a variant: a container that serves, replaced when it ends."""

import logging
import threading
import time
from collections.abc import Callable

from sagedock.api import log_groups
from sagedock.contract import routes
from sagedock.errors import ContainerNotStarted, EngineError
from sagedock.local.hosting import reasons
from sagedock.local.hosting.containers import Site
from sagedock.local.hosting.health import answers_ping
from sagedock.local.hosting.plan import VariantPlan
from sagedock.local.hosting.routes import Backend
from sagedock.local.logs import Line, Stream, follow

__all__ = ["Cancelled", "Instance", "NotServing"]

_log = logging.getLogger(__name__)

#: Between two looks at /ping of a container that starts: short at first, for many start at once.
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _SLOWER = 0.02, 1.0, 1.5
#: Between two attempts to replace a container that does not serve any more.
_RETRY_S, _LONGEST_RETRY_S = 0.5, 30.0
_DRAIN_LOOK_S = 0.005


class NotServing(Exception):
    """The container does not serve; ``reason`` is the service's words."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Cancelled(Exception):
    """The instance is not wanted any more."""


class Instance:
    """One instance. ``changed`` is called when it begins or ceases to serve: see ``backend``.

    ``startup_s`` is how long /ping may take to answer 200.
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
        #: Where it serves; None while it does not.
        self.backend: Backend | None = None
        self._site = site
        self._startup_s = startup_s
        self._changed = changed
        self._engine = site.platform.engine
        self._container: str | None = None
        self._ended = threading.Event()
        self._retired = threading.Event()
        self._hurried = threading.Event()
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
            self._await_ping(container)

    def memory_percent(self) -> float | None:
        """Return how much of its memory the container uses, or None. Raises EngineError."""
        container = self._container
        usage = self._engine.usage(container) if container is not None else None
        return None if usage is None else 100 * usage.memory_bytes / usage.memory_limit_bytes

    def cancel(self) -> None:
        """Have whatever it does end soon; returns at once."""
        self._retired.set()

    def hurry(self) -> None:
        """Let what is in flight not be awaited any longer; returns at once."""
        self._hurried.set()

    def retire(self, grace_s: float) -> None:
        """Stop the container, and return when nothing of it is left. It gets no new requests: who
        calls this saw to that; those that it has are awaited, as long as any may take.
        """
        self._retired.set()
        if self.backend is not None:
            self.backend.is_retired = True
        self._drain(self.backend)
        with self._changing:  # from here on nobody starts another one
            container, self._container, self.backend = self._container, None, None
        try:
            if container is not None:
                self._engine.stop(container, grace_s)
            for thread in self._threads:
                thread.join()
            if container is not None:
                self._engine.remove(container)
        except EngineError as error:  # removed when the server starts next
            _log.warning("endpoint %s: %s", self._site.key.name, error)

    def _drain(self, backend: Backend | None) -> None:
        settings = self._site.platform.settings
        ends = time.monotonic() + max(settings.invocation_s, settings.stream_s)
        if backend is None:
            return
        while backend.in_flight > 0 and time.monotonic() < ends:
            if self._hurried.wait(_DRAIN_LOOK_S):
                break
        backend.hang_up()

    def _launch(self) -> None:
        if self._retired.is_set():
            raise Cancelled
        self._site.platform.logs.begin_anew(self._stream())
        for warning in self._site.share(self.variant).warnings:
            self._say(f"sagedock: {warning}")
        try:
            self._container = self._engine.create(self._site.spec(self.variant, self.name))
            self._engine.start(self._container)
        except ContainerNotStarted as error:
            self._say(str(error))
            reason = reasons.cannot_start(self.variant.name, self.variant.image)
            raise NotServing(reason) from error
        self._attend(self._container)
        self._await_ping(self._container)

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
        name = f"endpoint {self._site.key.name}/{self.name}"
        return threading.Thread(target=work, name=name, daemon=True)

    def _follow(self, container: str, stream: Stream) -> None:
        try:
            follow(self._engine.logs(container), self._site.platform.logs, stream)
        except EngineError as error:  # somebody else removed it
            _log.warning("endpoint %s: %s", self._site.key.name, error)

    def _await_ping(self, container: str) -> None:
        """Return once /ping answers 200; then it serves."""
        ends = time.monotonic() + self._startup_s
        pause_s = _FIRST_PAUSE_S
        while True:
            address = self._engine.address(container, routes.PORT)
            if address is not None and answers_ping(address):
                break
            if self._retired.wait(pause_s):
                raise Cancelled
            if self._ended.is_set() or time.monotonic() > ends:
                raise NotServing(reasons.no_ping(self.variant.name))
            pause_s = min(pause_s * _SLOWER, _LONGEST_PAUSE_S)
        self.backend = Backend(*address, name=self.name)
        self._changed()

    def _watch(self, container: str, ended: threading.Event, follower: threading.Thread) -> None:
        """Await the container's end; one that served is replaced."""
        try:
            self._engine.wait(container)
        except EngineError as error:
            _log.warning("endpoint %s: %s", self._site.key.name, error)
        ended.set()
        if self.backend is None or self._retired.is_set():
            return
        self.backend = None
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
        name = f"{self.variant.name}/{self.name}"
        return self._site.platform.logs.open(key.region, log_groups.endpoint(key.name), name)

    def _say(self, text: str) -> None:
        """Put a line of ours into the log."""
        line = Line(stream="stderr", time_s=time.time(), data=text.encode(), consumed=0)
        self._site.platform.logs.write(self._stream(), [line])
