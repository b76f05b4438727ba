"""The container of a handler: started, followed, stopped, started again."""

import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path

from sagedock.contract import routes, signals
from sagedock.engine import ContainerSpec, Engine
from sagedock.errors import EngineError
from sagedock.local.hosting.health import answers_ping
from sagedock.local.logs.lines import Line, LineAssembler
from sagedock.workbench.events import Ended, Event, Log
from sagedock.workbench.handler import Handler
from sagedock.workbench.layout import Layout
from sagedock.workbench.leftovers import labels_of

__all__ = ["Served"]

#: Between SIGTERM and SIGKILL: requests that take longer are cut short by an edit.
_GRACE_S = 5.0
_LAST_LINES = 20
_BRIDGE = "bridge"  # Docker's own network


class Served:
    """At most one container, of which ``tell`` gets every line. ``end`` it when done."""

    def __init__(
        self, engine: Engine, handler: Handler, layout: Layout, tell: Callable[[Event], None]
    ) -> None:
        self._engine = engine
        self._handler = handler
        self._layout = layout
        self._tell = tell
        self._container: str | None = None
        self._network: str | None = None
        self._follower: threading.Thread | None = None
        self._told_until_s = 0.0
        self._last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._ended: Ended | None = None
        self.name = f"sagedock-serve-{uuid.uuid4().hex[:8]}"
        self.started_s = 0.0

    def start(self, folder: Path) -> None:
        """Start the container, made if there is none. Raises EngineError."""
        if self._container is None:
            self._container = self._engine.create(self._spec(labels_of(folder)))
        self._last_lines.clear()
        self._ended = None
        self.started_s = time.monotonic()
        self._engine.start(self._container)
        self._follower = threading.Thread(
            target=self._follow, args=(self._container,), name="container", daemon=True
        )
        self._follower.start()

    def stop(self) -> None:
        """Stop the container, and return once all that it said is told."""
        if self._container is not None:
            self._engine.stop(self._container, _GRACE_S)
        if self._follower is not None:
            self._follower.join()

    def forget(self) -> None:
        """Remove the container, and with it what was installed in it."""
        container, self._container = self._container, None
        if container is not None:
            self._engine.remove(container)
        self._told_until_s = 0.0

    def end(self) -> None:
        """Leave nothing in the engine."""
        try:
            self.stop()
        finally:
            self.forget()
            if self._network is not None:
                self._engine.remove_network(self._network)

    def ended(self) -> Ended | None:
        """Return how the container ended; None while it runs."""
        return self._ended

    def address(self) -> tuple[str, int] | None:
        """Return where the container serves; None while /ping does not answer 200."""
        if self._container is None:
            return None
        address = self._engine.address(self._container, routes.PORT)
        return address if address is not None and answers_ping(address) else None

    def _spec(self, labels: Mapping[str, str]) -> ContainerSpec:
        handler = self._handler
        if handler.isolated:
            self._network = self._engine.ensure_network(self.name, labels, isolated=True).name
        return ContainerSpec(
            name=self.name,
            image=handler.image,
            command=(signals.SERVE_ARGUMENT,),
            environment=handler.variables(),
            labels=labels,
            network=self._network or _BRIDGE,
            binds=self._layout.mounts(),
            memory_mib=handler.memory_mib,
            gpus=handler.gpus,
            ports=() if handler.isolated else (routes.PORT,),
        )

    def _follow(self, container: str) -> None:
        """Tell each line of this start, then remember how it ended."""
        lines, before_s = LineAssembler(), self._told_until_s
        try:
            for frame in self._engine.logs(container):
                if frame.time_s > before_s:  # else it is of an earlier start
                    self._told_until_s = max(self._told_until_s, frame.time_s)
                    self._pass_on(lines.take(frame))
            self._pass_on(lines.end(time.time()))
            exit_ = self._engine.wait(container)
        except EngineError as error:  # somebody else removed it
            self._last_lines.append(str(error))
            code, out_of_memory = signals.EXIT_KILLED, False
        else:
            code, out_of_memory = exit_.code, exit_.out_of_memory
        self._ended = Ended(
            code=code, out_of_memory=out_of_memory, last_lines=tuple(self._last_lines)
        )

    def _pass_on(self, lines: list[Line]) -> None:
        for line in lines:
            text = line.data.decode("utf-8", "replace").removesuffix("\r")
            self._last_lines.append(text)
            self._tell(Log(stream=line.stream, text=text))
