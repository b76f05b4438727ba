"""The payloads of one instance's objects: threads send them, and each object is stored whole."""

import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from sagedock.local.transform.assembling import Assembler, AssemblyType
from sagedock.local.transform.failures import ObjectFailed
from sagedock.local.transform.inputs import InputObject
from sagedock.local.transform.payloads import Payload

__all__ = ["Ends", "Feed", "Opens", "Ticket"]

#: Opens an object: its bytes, unpacked, and their payloads. Raises ObjectFailed.
Opens = Callable[[InputObject], tuple[io.BufferedReader, Iterator[Payload]]]
#: Is told of each object once, when it ends: its position, itself, and the file of its output, or
#: why it failed. Raises ObjectFailed where the output cannot be stored.
Ends = Callable[[int, InputObject, "Path | ObjectFailed"], None]


class _Work:
    """One object in work."""

    def __init__(
        self,
        position: int,
        source: InputObject,
        opened: tuple[io.BufferedReader, Iterator[Payload]],
        output: Path,
        assemble_with: AssemblyType,
    ) -> None:
        self.position = position
        self.source = source
        self.output = output
        self.input, self.payloads = opened
        self._file: BinaryIO = output.open("wb")
        self.assembler = Assembler(self._file, assemble_with)
        self.taken = 0
        self.is_all_taken = False
        self.has_failed = False

    @property
    def is_complete(self) -> bool:
        return self.is_all_taken and self.assembler.written == self.taken

    def close(self) -> None:
        self.input.close()
        self._file.close()


@dataclass(slots=True)
class Ticket:
    """One payload to send; ``work`` and ``number`` are the feed's."""

    work: _Work
    number: int
    payload: Payload


class Feed:
    """Hands out payloads in order, and takes the answers in any order.

    ``objects`` are (position, object). Outputs are gathered in files of ``folder``. At most
    ``most_ahead`` payloads are under way, or wait for an earlier one's answer.
    """

    def __init__(
        self,
        objects: Iterator[tuple[int, InputObject]],
        opens: Opens,
        ends: Ends,
        folder: Path,
        *,
        assemble_with: AssemblyType,
        most_ahead: int,
    ) -> None:
        self._objects = objects
        self._opens = opens
        self._ends = ends
        self._folder = folder
        self._assemble_with = assemble_with
        self._most_ahead = most_ahead
        self._ahead = 0
        self._current: _Work | None = None
        self._open: list[_Work] = []
        self._is_stopped = False
        self._changed = threading.Condition()

    @property
    def has_room(self) -> bool:
        """Whether another payload may be handed out now."""
        return self._ahead < self._most_ahead

    def take(self) -> Ticket | None:
        """Return the next payload; None when there is no more. Waits while too many are ahead."""
        with self._changed:
            while not (self.has_room or self._is_stopped):
                self._changed.wait()
            while not self._is_stopped:
                work = self._current or self._begin()
                if work is None:
                    return None
                if ticket := self._ticket(work):
                    self._ahead += 1
                    return ticket
            return None

    def answered(self, ticket: Ticket, answer: bytes) -> None:
        """Take the answer to a payload."""
        work = ticket.work
        with self._changed:
            if work.has_failed or self._is_stopped:
                self._ahead -= 1
            else:
                before = work.assembler.written
                work.assembler.take(ticket.number, answer)
                self._ahead -= work.assembler.written - before
                self._end_if_complete(work)
            self._changed.notify_all()

    def failed(self, ticket: Ticket, failure: ObjectFailed) -> None:
        """Take that a payload failed: its object does, and nothing more of it is handed out."""
        with self._changed:
            self._ahead -= 1
            if not (ticket.work.has_failed or self._is_stopped):
                self._fail(ticket.work, failure)
            self._changed.notify_all()

    def stop(self) -> None:
        """Hand out nothing more, and forget what is in work."""
        with self._changed:
            self._is_stopped = True
            for work in self._open:
                work.close()
                work.output.unlink(missing_ok=True)
            self._open.clear()
            self._changed.notify_all()

    def fail_all(self, failure: ObjectFailed) -> None:
        """Let every object in work fail, and hand out nothing more: the container is gone."""
        with self._changed:
            if self._is_stopped:
                return
            for work in list(self._open):
                self._fail(work, failure)
        self.stop()

    def _begin(self) -> _Work | None:
        """Begin the next object that can be opened, or return None."""
        for position, source in self._objects:
            try:
                opened = self._opens(source)
            except ObjectFailed as failure:
                self._ends(position, source, failure)
                continue
            output = self._folder / f"{position}.out"
            self._current = _Work(position, source, opened, output, self._assemble_with)
            self._open.append(self._current)
            return self._current
        return None

    def _ticket(self, work: _Work) -> Ticket | None:
        """Return an object's next payload; None where it has no more, or fails."""
        try:
            payload = next(work.payloads, None)
        except ObjectFailed as failure:
            self._fail(work, failure)
            return None
        if payload is None:
            self._current = None
            work.is_all_taken = True
            self._end_if_complete(work)
            return None
        work.taken += 1
        return Ticket(work, work.taken - 1, payload)

    def _end_if_complete(self, work: _Work) -> None:
        if not work.is_complete:
            return
        self._open.remove(work)
        work.close()
        try:
            self._ends(work.position, work.source, work.output)
        except ObjectFailed as failure:
            work.output.unlink(missing_ok=True)
            self._ends(work.position, work.source, failure)

    def _fail(self, work: _Work, failure: ObjectFailed) -> None:
        work.has_failed = True
        if self._current is work:
            self._current = None
        self._open.remove(work)
        self._ahead -= work.assembler.early
        work.close()
        work.output.unlink(missing_ok=True)
        self._ends(work.position, work.source, failure)
