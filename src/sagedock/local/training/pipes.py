"""Pipe-mode channels: a FIFO for each epoch, fed from the local S3 while the job's containers run.

The FIFOs of a host lie in one folder of this machine, which its container sees read-only: it may
open them, and nothing of root's can be left in the folder. The next epoch's FIFO appears once the
reader has got, or left, the one before. Source: the contract's RUNNING page.

After a server was killed its FIFOs are still there. The epoch that was being read has ended early
for its reader; what comes next is the epoch behind it, from its start.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

from sagedock.contract import paths
from sagedock.local.s3 import ObjectStore
from sagedock.local.training.fifo import Ended, Ending, Fifo, ReaderLeft
from sagedock.local.training.inputs import Input, Share
from sagedock.local.training.order import positions
from sagedock.local.training.plan import Plan
from sagedock.local.training.sources import Source
from sagedock.local.training.stream import Stream

__all__ = ["Feeds", "Pipe", "clear_pipes"]

_log = logging.getLogger(__name__)
#: Whoever the container runs as may read.
_MODE = 0o644


@dataclass(frozen=True, kw_only=True)
class Pipe:
    """One channel of one host: what is sent, and the folder of its FIFOs.

    ``begun`` is a file that holds the number of the epoch that was last begun.
    """

    channel: Input
    share: Share
    plan: Path
    folder: Path
    begun: Path

    def fifo(self, epoch: int) -> Path:
        """Return where an epoch's FIFO lies."""
        return self.folder / PurePosixPath(paths.fifo(self.channel.name, epoch)).name

    def last_begun(self) -> int:
        """Return the number of the epoch that was last begun, -1 before the first."""
        return int(self.begun.read_text()) if self.begun.exists() else -1

    def begin(self, epoch: int) -> None:
        """Remember that an epoch was begun; a kill leaves this number or the one before."""
        self.begun.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.begun.with_name(f"{self.begun.name}~")  # no channel is called so
        unfinished.write_text(str(epoch))
        unfinished.replace(self.begun)

    def make(self, epoch: int) -> None:
        """Make an epoch's FIFO, if it is not there."""
        path = self.fifo(epoch)
        if not path.exists():
            os.mkfifo(path)
            path.chmod(_MODE)

    def remove(self, epochs: Iterable[int]) -> None:
        """Remove the FIFOs of epochs that are over."""
        for epoch in epochs:
            self.fifo(epoch).unlink(missing_ok=True)


def clear_pipes(pipes: Iterable[Pipe]) -> None:
    """Forget what an earlier attempt of the job had: its epochs begin anew."""
    for pipe in pipes:
        pipe.begun.unlink(missing_ok=True)
        for path in pipe.folder.iterdir():
            if path.is_fifo():
                path.unlink()


class Feeds:
    """Feeds the pipes of a job's hosts, in one thread each, from ``start`` until ``close``.

    ``broke`` is called from such a thread with what ended it: ChannelUnreadable, mostly. A context
    manager. One that was closed is not started again; a new one goes on where it ended.
    """

    def __init__(
        self,
        store: ObjectStore,
        region: str,
        pipes: Sequence[Pipe],
        broke: Callable[[Exception], None],
    ) -> None:
        self._source = Source(store=store, region=region)
        self._pipes = pipes
        self._broke = broke
        self._ending = Ending()
        self._threads: list[threading.Thread] = []

    def start(self) -> Self:
        """Make the FIFOs that containers may open at once, and feed whoever opens one."""
        waiting = [_offered(pipe) for pipe in self._pipes]
        for pipe, epochs in zip(self._pipes, waiting, strict=True):
            thread = threading.Thread(
                target=self._run, args=(pipe, epochs), name=f"feed {pipe.folder}", daemon=True
            )
            self._threads.append(thread)
            thread.start()
        return self

    def close(self) -> None:
        """End the feeding, also in the middle of an epoch. Returns when no thread is left."""
        self._ending.set()
        for thread in self._threads:
            thread.join()
        self._ending.close()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self.close)
            self.start()
            stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self, pipe: Pipe, waiting: Sequence[int]) -> None:
        try:
            self._feed(pipe, waiting)
        except Ended:
            return
        except Exception as error:  # noqa: BLE001 - raised again by the thread that watches the job
            self._broke(error)

    def _feed(self, pipe: Pipe, waiting: Sequence[int]) -> None:
        """Feed one epoch after another; the reader opens any of ``waiting`` first."""
        about = pipe.channel.uri
        if about is None:
            raise LookupError(f"channel {pipe.channel.name} is not in S3")
        stream = Stream(source=self._source, channel=pipe.channel, about=about)
        plan = Plan(pipe.plan, about)
        try:
            while True:
                epoch = self._feed_epoch(pipe, waiting, stream, plan)
                pipe.remove(range(waiting[0], epoch + 1))
                waiting = [epoch + 1]
                pipe.make(epoch + 1)
        finally:
            plan.close()

    def _feed_epoch(self, pipe: Pipe, waiting: Sequence[int], stream: Stream, plan: Plan) -> int:
        number, fifo = Fifo.of_first([pipe.fifo(epoch) for epoch in waiting], self._ending)
        epoch = waiting[number]
        with fifo:
            pipe.begin(epoch)
            try:
                for line in _lines(plan, pipe, epoch):
                    stream.send(line, fifo)
                fifo.flush()
            except ReaderLeft:
                _log.debug("%s: the reader left before the end", pipe.fifo(epoch))
            except Ended:
                raise
            except Exception as error:  # whatever it is must be told before the FIFO ends: to its
                # reader that end looks like the data's, and the job would seem to go well
                self._broke(error)
                raise Ended from error
        return epoch


def _lines(plan: Plan, pipe: Pipe, epoch: int) -> Iterator[bytes]:
    """Yield the host's lines of an epoch. A shuffled channel is shuffled across all hosts."""
    order = positions(len(plan), pipe.channel.seed, epoch=epoch)
    for place in range(pipe.share.index, len(order), pipe.share.count):
        yield plan.line(order[place])


def _offered(pipe: Pipe) -> list[int]:
    """Make the FIFOs that a reader may open now, and return their epochs.

    That is the one behind the epoch that was begun last. If it has a FIFO already, a killed server
    made it: a reader may wait at it, or have met its end the moment it was begun, and look for the
    one behind it.
    """
    following = pipe.last_begun() + 1
    epochs = [following, following + 1] if pipe.fifo(following).exists() else [following]
    for epoch in epochs:
        pipe.make(epoch)
    # Of these there are two where the second of two that were offered was opened.
    pipe.remove(range(max(following - 2, 0), following))
    return epochs
