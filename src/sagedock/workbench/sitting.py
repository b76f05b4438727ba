"""One sitting at the workbench: from the first start of a container to the end of the last."""

import threading
import time
from collections.abc import Callable
from enum import Enum, auto
from pathlib import Path

from sagedock.contract import limits, routes
from sagedock.errors import ContractBroken, StorageError
from sagedock.workbench.edits import Edit, Watch
from sagedock.workbench.events import (
    Edited,
    Ended,
    Event,
    Refused,
    Serving,
    Slow,
    Starting,
    Waiting,
)
from sagedock.workbench.handler import Handler
from sagedock.workbench.layout import Layout
from sagedock.workbench.relay import Relay
from sagedock.workbench.served import Served

__all__ = ["Sitting"]

_LOOK_S = 0.1
#: Between two looks at /ping: each is a line in the container's log.
_FIRST_PAUSE_S, _LONGEST_PAUSE_S, _SLOWER = 0.1, 0.5, 1.5
_BROKEN = "the handler does not serve: see the terminal of `sagedock serve`"


class _Phase(Enum):
    STARTING = auto()
    SLOW = auto()
    SERVING = auto()
    DOWN = auto()


class Sitting:
    """Starts the container, looks at it and at the source, and starts it again."""

    def __init__(
        self,
        *,
        handler: Handler,
        is_watched: bool,
        tell: Callable[[Event], None],
        relay: Relay,
        layout: Layout,
        served: Served,
        folder: Path,
    ) -> None:
        self._handler = handler
        self._tell = tell
        self._relay = relay
        self._layout = layout
        self._served = served
        self._folder = folder
        self._watch = Watch(handler.packed(), layout.code) if is_watched else None
        self._phase = _Phase.DOWN
        self._next_ping_s = self._pause_s = 0.0

    def run(self, stop: threading.Event) -> None:
        """Serve until ``stop`` is set. Raises as ``Workbench.run`` does."""
        self._layout.lay_out_code()
        self._start()
        while (edit := self._next_edit(stop)) is not None:
            self._take_up(edit)

    def _next_edit(self, stop: threading.Event) -> Edit | None:
        """Look after the container until the source is changed; None once ``stop`` is set."""
        while not stop.wait(_LOOK_S):
            if self._watch is not None and (edit := self._watch.edit(stop.wait)):
                return edit
            self._look()
        return None

    def _start(self) -> None:
        self._relay.hold()
        self._phase = _Phase.STARTING
        self._next_ping_s, self._pause_s = 0.0, _FIRST_PAUSE_S
        self._tell(Starting(image=self._handler.image, container=self._served.name))
        self._served.start(self._folder)

    def _look(self) -> None:
        """Find out what has become of the container, and tell it once."""
        if self._phase is _Phase.DOWN:
            return
        if (ended := self._served.ended()) is not None:
            self._on_ended(ended)
        elif self._phase is not _Phase.SERVING:
            self._await_ping()

    def _await_ping(self) -> None:
        if time.monotonic() < self._next_ping_s:
            return
        address = self._served.address()
        took_s = time.monotonic() - self._served.started_s
        self._next_ping_s = time.monotonic() + self._pause_s
        self._pause_s = min(self._pause_s * _SLOWER, _LONGEST_PAUSE_S)
        if address is not None:
            self._phase = _Phase.SERVING
            self._relay.serve_at(address)
            url = f"{self._relay.url}{routes.INVOCATIONS.path}"
            self._tell(Serving(url=url, took_s=round(took_s, 2)))
        elif self._phase is _Phase.STARTING and took_s > limits.SERVING_STARTUP_S.value:
            self._phase = _Phase.SLOW
            self._tell(Slow(after_s=limits.SERVING_STARTUP_S.value))

    def _on_ended(self, ended: Ended) -> None:
        self._phase = _Phase.DOWN
        self._relay.refuse(_BROKEN)
        self._tell(ended)
        if self._watch is None:
            last = ended.last_lines[-1] if ended.last_lines else "it said nothing"
            raise ContractBroken(f"the container ended with code {ended.code}: {last}")
        self._tell(Waiting())

    def _take_up(self, edit: Edit) -> None:
        """Stop the container, and start it on the source as it is now."""
        self._relay.hold()
        self._tell(
            Edited(
                changed=edit.changed,
                added=edit.added,
                removed=edit.removed,
                anew=edit.of_requirements,
            )
        )
        self._served.stop()
        if edit.of_requirements:
            self._served.forget()
        problems = self._handler.problems() or self._lay_out()
        if problems:
            self._phase = _Phase.DOWN
            self._relay.refuse(_BROKEN)
            self._tell(Refused(problems=tuple(problems)))
            self._tell(Waiting())
        else:
            self._start()

    def _lay_out(self) -> list[str]:
        try:
            self._layout.lay_out_code()
        except StorageError as error:
            return [str(error)]
        return []
