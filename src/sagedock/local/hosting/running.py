"""One container that was started, until it ends: its output is stored, and its end awaited."""

import logging
import threading
from collections.abc import Callable, Iterator

from sagedock.engine import Engine, Exit, LogFrame
from sagedock.errors import EngineError, StorageError
from sagedock.local.hosting.last_lines import LastLines
from sagedock.local.logs import LogStore, Stream, follow

__all__ = ["Running"]

_log = logging.getLogger(__name__)

#: How long the rest of its output is awaited once it has ended.
_REST_S = 30.0


class Running:
    """One container. ``on_end`` is given this, by a thread of its own, once it has ended."""

    def __init__(
        self,
        engine: Engine,
        container: str,
        *,
        logs: LogStore,
        stream: Stream,
        on_end: Callable[["Running"], None],
    ) -> None:
        self.id = container
        #: How it ended; None while it runs, and where the engine cannot tell.
        self.exit: Exit | None = None
        self.ended = threading.Event()
        #: Whether it has answered /ping with 200.
        self.served = False
        self._engine = engine
        self._logs = logs
        self._stream = stream
        self._on_end = on_end
        self._said = LastLines()
        self._follower = threading.Thread(target=self._follow, name=stream.name, daemon=True)
        self._watcher = threading.Thread(target=self._watch, name=stream.name, daemon=True)

    def begin(self) -> None:
        """Follow its output from where that is known to, and await its end; returns at once."""
        self._follower.start()
        self._watcher.start()

    def await_output(self) -> None:
        """Return once the output of a container that ended is stored."""
        self._follower.join(_REST_S)

    def join(self) -> None:
        """Return once it has ended, and whoever was told of that is done."""
        self._follower.join()
        self._watcher.join()

    @property
    def is_over(self) -> bool:
        """Whether ``join`` would return at once."""
        return not (self._follower.is_alive() or self._watcher.is_alive())

    @property
    def how(self) -> str:
        """How it ended, in words."""
        if self.exit is None:
            return "ended"
        memory = ": it was out of memory" if self.exit.out_of_memory else ""
        return f"ended with code {self.exit.code}{memory}"

    @property
    def last_lines(self) -> tuple[str, ...]:
        """What it said last."""
        return self._said.lines

    def _follow(self) -> None:
        try:
            follow(self._kept(self._engine.logs(self.id)), self._logs, self._stream)
        except (EngineError, StorageError) as error:  # removed by somebody; or the disk is full
            _log.warning("%s %s: %s", self._stream.group, self._stream.name, error)

    def _kept(self, frames: Iterator[LogFrame]) -> Iterator[LogFrame]:
        for frame in frames:
            self._said.add(frame.data)
            yield frame

    def _watch(self) -> None:
        try:
            self.exit = self._engine.wait(self.id)
        except EngineError as error:
            _log.warning("%s %s: %s", self._stream.group, self._stream.name, error)
        self.ended.set()
        self._on_end(self)
