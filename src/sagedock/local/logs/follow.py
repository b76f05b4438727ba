"""From a container's output to stored events, as fast as it comes and without loss."""

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import TypeAlias

from sagedock.engine import LogFrame
from sagedock.local.logs.lines import Line, LineAssembler
from sagedock.local.logs.store import LogStore, Stream

__all__ = ["follow"]

#: At most 64 MiB: a frame has up to 16 KiB.
_QUEUED_FRAMES = 4_000
_BATCH_LINES = 2_000
_Frames: TypeAlias = "queue.Queue[LogFrame | BaseException | None]"


def follow(frames: Iterator[LogFrame], store: LogStore, stream: Stream) -> None:
    """Store every line of ``frames`` until they end. Call it again after a restart: it goes on.

    Reading and storing are two threads. A slow writer's lines are stored one by one, at once;
    a fast one's in batches.
    """
    frames_queue: _Frames = queue.Queue(_QUEUED_FRAMES)
    abandoned = threading.Event()
    reader = threading.Thread(
        target=_read,
        args=(frames, frames_queue, abandoned),
        name=f"logs {stream.name}",
        daemon=True,
    )
    reader.start()
    known = {"stdout": stream.stdout_bytes, "stderr": stream.stderr_bytes}
    assembler = LineAssembler(skip=known)
    ended = False
    try:
        while not ended:
            lines, ended = _batch(frames_queue, assembler)
            if lines:
                store.write(stream, lines)
    finally:
        _abandon(frames_queue, abandoned)
    reader.join()


def _abandon(frames: _Frames, abandoned: threading.Event) -> None:
    """Let the reader end, where it has not: it may wait for room in the queue."""
    abandoned.set()
    with suppress(queue.Empty):
        while True:
            frames.get_nowait()


def _read(frames: Iterator[LogFrame], into: _Frames, abandoned: threading.Event) -> None:
    try:
        for frame in frames:
            if abandoned.is_set():
                return
            into.put(frame)
    except BaseException as error:  # noqa: BLE001 - raised again by the thread that stores
        into.put(error)
    else:
        into.put(None)


def _batch(frames: _Frames, assembler: LineAssembler) -> tuple[list[Line], bool]:
    """Return the lines that are there now (at least one frame is awaited), and whether it ended."""
    lines: list[Line] = []
    item = frames.get()
    while True:
        if isinstance(item, BaseException):
            raise item
        if item is None:
            return lines + assembler.end(time.time()), True
        lines += assembler.take(item)
        if frames.empty() or len(lines) >= _BATCH_LINES:
            return lines, False
        item = frames.get()
