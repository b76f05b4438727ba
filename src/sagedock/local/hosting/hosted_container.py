"""One container of an instance: it serves, and is replaced when it ends or is not healthy."""

import logging
import threading
import time
from collections.abc import Callable

from sagedock.api import metrics
from sagedock.contract import limits
from sagedock.errors import ContainerNotStarted, EngineError, SagedockError, StorageError
from sagedock.local.hosting import reasons
from sagedock.local.hosting.checking import Condition
from sagedock.local.hosting.containers import Site
from sagedock.local.hosting.health import problem_of
from sagedock.local.hosting.measures import Measures
from sagedock.local.hosting.model_store import ModelStore
from sagedock.local.hosting.plan import ContainerPlan, VariantPlan
from sagedock.local.hosting.routes import Backend
from sagedock.local.hosting.running import Running
from sagedock.local.hosting.several import Member
from sagedock.local.logs import Line, Stream

__all__ = ["Cancelled", "HostedContainer", "NotServing"]

_log = logging.getLogger(__name__)

#: Between two looks at /ping of a container that starts: short at first, for many start at once.
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _SLOWER = 0.02, 1.0, 1.5
#: Between two attempts to replace a container that does not serve any more.
_RETRY_S, _LONGEST_RETRY_S = 0.5, 30.0
#: So often a container may end before it serves, and the pause before it is started again. On AWS
#: it is until the time for /ping is over: what ends so often will not serve, and says why sooner.
_MOST_STARTS, _RESTART_S = 3, 0.3


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
        #: The container that was started last, and what its checks found since it serves.
        self._run: Running | None = None
        self._condition = self._healthy()
        #: Held for a moment, where a container that serves and its end, or its retirement, meet.
        self._state = threading.Lock()
        self._retired = threading.Event()
        #: Held while a container is started: one at a time, and none once it is retired.
        self._changing = threading.Lock()
        self._runs: list[Running] = []

    def launch(self) -> None:
        """Start a container, and return once it serves. Raises NotServing, Cancelled, or
        EngineError.
        """
        with self._changing:
            self._launch()

    def adopt(self, container: str) -> None:
        """Take up a container that a killed server left, and return once it serves, or another in
        its place. Raises as ``launch`` does.
        """
        with self._changing:
            self._container = container
            run = self._attend(container)
            address = self._pinged(run, time.monotonic() + self._startup_s)
            if address is not None and self._store is not None:
                self._store.clear(address)
            if address is None or not self._serve(run, address):
                run.await_output()
                self._forget_container()
                self._launch()

    def check(self, is_busy: Callable[[], bool]) -> None:
        """Ask a container that serves whether it is healthy; one that is given up gets no request
        from now on, and is replaced. ``is_busy`` says whether its instance has requests.
        """
        with self._state:
            run, member = self._run, self.member
        if run is None or member is None or self._retired.is_set():
            return
        was_busy, address = is_busy(), (member.backend.host, member.backend.port)
        found = problem_of(address, many=self._plan.many_models)
        busy = was_busy or is_busy()
        if self._condition.is_hopeless(found, is_busy=busy, now=time.monotonic()) and found:
            self._give_up(run, found.why)

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
        member = self.member
        if member is not None:
            member.backend.is_retired = True
            member.backend.hang_up()
        with self._changing:  # from here on nobody starts another one
            container, self._container = self._container, None
            with self._state:
                self.member = None
        try:
            if container is not None:
                self._engine.stop(container, grace_s)
            for run in self._runs:
                run.join()
            if container is not None:
                self._engine.remove(container)
        except EngineError as error:  # removed when the server starts next
            _log.warning("endpoint %s: %s", self._site.key.name, error)

    def _launch(self) -> None:
        """Start a container until one serves; again where it ends before."""
        ends, starts = time.monotonic() + self._startup_s, 1
        while True:
            run = self._start()
            address = self._pinged(run, ends)
            if address is not None and self._serve(run, address):
                return
            run.await_output()
            self._say(f"sagedock: the container {run.how} before it served: start {starts}")
            if starts >= _MOST_STARTS or time.monotonic() > ends:
                raise NotServing(self._reason(run, f"The container {run.how}, {starts} times"))
            if self._retired.wait(_RESTART_S):
                raise Cancelled
            self._forget_container()
            starts += 1

    def _start(self) -> Running:
        self._check_retired()
        self._site.platform.logs.begin_anew(self._stream())
        for warning in self._site.share(self._variant).warnings:
            self._say(f"sagedock: {warning}")
        if self._store is not None:
            self._store.empty()
        spec = self._site.spec(self._variant, self._plan, self._instance)
        try:
            self._container = self._site.platform.images.create(spec, self._check_retired)
            self._engine.start(self._container)
        except ContainerNotStarted as error:
            self._say(str(error))
            reason = reasons.cannot_start(self._variant.name, self._plan.image)
            raise NotServing(reasons.explained(reason, str(error))) from error
        return self._attend(self._container)

    def _check_retired(self) -> None:
        if self._retired.is_set():
            raise Cancelled

    def _attend(self, container: str) -> Running:
        """Follow a container's output from where it is known to, and await its end."""
        run = Running(
            self._engine,
            container,
            logs=self._site.platform.logs,
            stream=self._stream(),
            on_end=self._on_end,
        )
        self._runs = [each for each in self._runs if not each.is_over] + [run]
        with self._state:
            self._run, self._condition = run, self._healthy()
        run.begin()
        return run

    def _healthy(self) -> Condition:
        """Return the condition of a container that begins to serve."""
        settings, is_async = self._site.platform.settings, self._site.plan.asynchronous is not None
        longest_s = int(limits.ASYNC_LONGEST_S) if is_async else 0
        return Condition(
            most=settings.health_check_failures,
            patience_s=max(longest_s, settings.invocation_s, settings.stream_s),
        )

    def _pinged(self, run: Running, ends: float) -> tuple[str, int] | None:
        """Return where a container is, once /ping answers 200; None where it ended before."""
        pause_s, why = _FIRST_PAUSE_S, "It has no address"
        while True:
            address = self._engine.address(run.id, self._plan.port)
            if address is not None:
                if (problem := problem_of(address, many=self._plan.many_models)) is None:
                    return address
                why = problem.why
            if self._retired.wait(pause_s):
                raise Cancelled
            if run.ended.is_set():
                return None
            if time.monotonic() > ends:
                raise NotServing(self._reason(run, why))
            pause_s = min(pause_s * _SLOWER, _LONGEST_PAUSE_S)

    def _reason(self, run: Running, why: str) -> str:
        """Return why a container does not serve: the service's words, ours, and its own."""
        reason = reasons.no_ping(self._variant.name, self._plan.name if self._several else None)
        return reasons.explained(reason, why, run.last_lines)

    def _serve(self, run: Running, address: tuple[str, int]) -> bool:
        """Let requests go to a container; return False where it has ended meanwhile."""
        backend, store = Backend(*address, name=self._instance), self._store
        member = Member(
            name=self._plan.name,
            backend=backend,
            measures=self._measures,
            models=None if store is None else store.models(run.id, backend),
            prefix=None if store is None else store.prefix,
        )
        with self._state:
            if run.ended.is_set():
                return False
            run.served, self.member = True, member
        self._changed()
        return True

    def _give_up(self, run: Running, why: str) -> None:
        """Stop a container that is not healthy: its end has it replaced. Returns at once."""
        with self._state:
            member = self.member
            if self._run is not run or member is None:
                return
            self.member = None
        member.backend.hang_up()
        self._changed()
        self._say(f"sagedock: the container is not healthy: {why}: it is replaced")
        threading.Thread(target=self._stop, args=(run,), name="not healthy", daemon=True).start()

    def _stop(self, run: Running) -> None:
        try:
            self._engine.stop(run.id, self._site.platform.settings.endpoint_stop_grace_s)
        except EngineError as error:  # who retires the instance removes the container
            _log.warning("endpoint %s: %s", self._site.key.name, error)

    def _on_end(self, run: Running) -> None:
        """Replace a container that served, and has ended."""
        with self._state:
            if self._run is not run or not run.served:
                return
            was_serving, self.member = self.member is not None, None
        if was_serving and not self._retired.is_set():
            self._changed()
        if self._retired.is_set():  # also where who was told just now wants no other one
            return
        run.await_output()
        if was_serving:
            self._say(f"sagedock: the container {run.how} while it served: it is replaced")
        self._replace()

    def _replace(self) -> None:
        """Start a container in the place of one that ended, ever more slowly until one serves."""
        pause_s = _RETRY_S
        while not self._retired.is_set():
            try:
                with self._changing:
                    self._forget_container()
                    self._launch()
            except Cancelled:
                return
            except (NotServing, SagedockError, OSError) as error:
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
        """Put a line of ours into the log. Nothing depends on it: the disk may refuse it."""
        line = Line(stream="stderr", time_s=time.time(), data=text.encode(), consumed=0)
        try:
            self._site.platform.logs.write(self._stream(), [line])
        except StorageError as error:
            _log.warning("endpoint %s: %s: %s", self._site.key.name, text, error)
