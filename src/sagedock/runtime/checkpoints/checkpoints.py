"""What a training program calls: `load`, then after each step `step`, which saves where it is due.

``Store`` knows how, ``Checkpoints`` when.
"""

import operator
import os
import signal
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, SupportsIndex

from sagedock.contract import paths, signals
from sagedock.errors import ContractBroken, InvalidRequest, StorageError
from sagedock.runtime import log
from sagedock.runtime.checkpoints.formats import TORCH, Format
from sagedock.runtime.checkpoints.ranks import Ranks, this_process
from sagedock.runtime.checkpoints.stop import Stopped, StopSignal
from sagedock.runtime.checkpoints.store import Store
from sagedock.runtime.configuration import read_object
from sagedock.runtime.place import locate

__all__ = ["Checkpoints", "default_folder"]


def default_folder(env: Mapping[str, str]) -> Path | None:
    """Return where the job's checkpoints belong, or None outside of a SageMaker container.

    That is LocalPath of its CheckpointConfig where the platform tells it, else its default.
    """
    config = locate(paths.CHECKPOINT_CONFIG, env)
    if config.exists():
        path = read_object(config).get("LocalPath", paths.CHECKPOINTS.path)
        if not isinstance(path, str) or not path:
            raise ContractBroken(f"{config}: LocalPath must be a path, not {path!r}")
        return Path(path)
    return locate(paths.CHECKPOINTS, env) if locate(paths.RESERVED, env).is_dir() else None


class Checkpoints:
    """A training's state, saved every ``every_s`` seconds and on SIGTERM, loaded at the start.

    Every rank calls ``load`` once, after torch.distributed is initialised if it is used, then
    ``step`` equally often. Rank 0 saves for all; with ``sharded`` each rank saves its own state,
    and a step counts once all have. ``keep`` steps stay on the disk. Where one cannot be written,
    StorageError ends the training; with ``on_failure="warn"`` the log says so. ``folder`` is the
    job's own by default; outside of a SageMaker container nothing is kept then.

    As a context manager it takes note of SIGTERM, in the main thread only: the next ``step`` saves,
    then raises Stopped, which ends the program with ``exit_code`` unless it is caught.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        *,
        every_s: float = 60.0,
        keep: int = 2,
        sharded: bool = False,
        format: Format = TORCH,  # noqa: A002 - it is no builtin to those who pass it
        on_failure: Literal["raise", "warn"] = "raise",
        exit_code: int = signals.EXIT_SIGNALLED + signal.SIGTERM,
        ranks: Ranks | None = None,
        say: Callable[[str], None] = log.say,
        clock: Callable[[], float] = time.monotonic,
        env: Mapping[str, str] = os.environ,
    ) -> None:
        _check(every_s, keep, on_failure)
        #: How many steps lie behind the newest checkpoint of this training.
        self.done = 0
        self._folder = default_folder(env) if folder is None else Path(folder)
        self._open = partial(Store, sharded=sharded, format=format, keep=keep, say=say)
        self._every_s = every_s
        self._on_failure = on_failure
        self._exit_code = exit_code
        self._ranks = ranks
        self._say = say
        self._clock = clock
        self._env = env
        self._stop = StopSignal()
        self._store: Store | None = None
        self._waiting_since = clock()

    def __enter__(self) -> Self:
        """Take note of SIGTERM from now on."""
        self._stop.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Put the former handler of SIGTERM back."""
        self._stop.__exit__(kind, error, traceback)

    def load(self) -> Any:
        """Return the state of the newest whole checkpoint, or None; ``done`` says how old it is.

        A file that is torn, altered or foreign is passed over, and the log says why. Raises
        StorageError for a folder that cannot be used, InvalidRequest for one of other ranks.
        """
        self._ranks = self._ranks or this_process(self._env)
        found = None
        if self._folder is not None:
            self._store = self._open(self._folder, ranks=self._ranks)
            found = self._store.load()
        self.done, state = found or (0, None)
        self._waiting_since = self._clock()
        return state

    def step(self, done: SupportsIndex, state: Callable[[], Any]) -> None:
        """Save ``state()`` if it is time; ``done`` steps are behind it. Raises Stopped on SIGTERM.

        Where the ranks can talk they decide together, so that all save, or stop, after one step.
        """
        wishes = self._talking().together((self._stop.asked, self._is_due()))
        stop = any(asked for asked, _ in wishes)
        if stop or any(due for _, due in wishes):
            self.save(done, state())
        if stop:
            self._end(operator.index(done))

    def save(self, done: SupportsIndex, state: Any) -> None:
        """Save now, on every rank. Raises StorageError, or says that it could not be saved."""
        steps = operator.index(done)
        self._talking()
        if steps < self.done:
            problem = (
                f"done: {steps} steps, but {self.done} lie behind the newest checkpoint already:"
                " go on from there, `for step in range(checkpoints.done, steps)`"
            )
            raise InvalidRequest([problem])
        failure = self._store.save(steps, state) if self._store else self._nowhere()
        self._waiting_since = self._clock()
        if failure is None:
            self.done = steps
        elif self._on_failure == "raise" and self._store:
            raise StorageError(failure)
        else:
            self._say(failure)

    def _talking(self) -> Ranks:
        if self._ranks is None or (self._folder is not None and self._store is None):
            raise InvalidRequest(["call load() before step() and save()"])
        return self._ranks

    def _is_due(self) -> bool:
        return self._clock() - self._waiting_since >= self._every_s

    def _nowhere(self) -> str:
        return f"nothing is saved: {locate(paths.RESERVED, self._env)} is not there: give a folder"

    def _end(self, done: int) -> None:
        self._say(f"asked to stop: ending after step {done}")
        if self._stop.asked:
            self._stop.pass_on()
        raise Stopped(self._exit_code)


def _check(every_s: float, keep: int, on_failure: str) -> None:
    problems = []
    if not every_s >= 0:
        problems.append(f"every_s: {every_s} seconds: give 0 or more")
    if keep < 1:
        problems.append(f"keep: {keep} checkpoints: give 1 or more")
    if on_failure not in ("raise", "warn"):
        problems.append(f"on_failure: {on_failure!r}: give 'raise' or 'warn'")
    if problems:
        raise InvalidRequest(problems)
