"""In the worker: what Multi Model Server calls to load the model and to answer batches.

Frames come in as one opaque body, and leave so: what a model's code sees is what it sees in workers
of our own.
"""

import importlib.util
import logging
import os
import sys
import traceback
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sagedock.runtime.serving.mms.carrier import LAST, MORE
from sagedock.runtime.serving.mms.greeting import Greeting, introduce
from sagedock.runtime.serving.pool.frames import HEAD_BYTES, Frame, Kind, parse_head
from sagedock.runtime.serving.pool.refusals import refusal, too_large
from sagedock.runtime.serving.pool.work import Answer
from sagedock.runtime.serving.worker.loading import (
    WHILE_LOADING,
    WHILE_SERVING,
    be_killed_first,
    load_model_of,
    loaded,
    log_to_stderr,
    not_loaded,
)
from sagedock.runtime.serving.worker.model import Model, Streamed

__all__ = ["Handler", "handle"]

_LIFELINES = "lifelines.sock"
_LOG = (1, 2)


class Handler:
    """A worker's one model. An instance is what Multi Model Server calls.

    It is no function of a class's, whose failure to load that server would hide.
    """

    def __init__(self) -> None:
        self._model: Model | None = None
        self._outputs: tuple[int, ...] = ()
        self._line: Any = None
        self._answer_bytes = 0
        self._ready: deque[Frame] = deque()

    def __call__(
        self, data: Sequence[Mapping[str, Any]] | None, context: Any
    ) -> list[bytes] | None:
        """Load the model where there is no data; else answer what the data holds."""
        context.metrics = None  # one line of its log for each request
        if data is None:
            self._load(Path(context.system_properties["model_dir"]).parent, context.model_name)
            return None
        self._keep_outputs()
        self._ready.extend(self._answers(list(_frames(data[0]["body"]))))
        return [self._packed()]

    # --- load -------------------------------------------------------------------------------------

    def _load(self, server: Path, name: str) -> None:
        self._line, greeting, self._outputs = introduce(server / _LIFELINES, name)
        self._answer_bytes = greeting.answer_bytes
        _log_to(self._outputs)
        _adopt(greeting)
        be_killed_first(WHILE_LOADING)
        try:
            self._model = load_model_of(Path(greeting.folder), os.environ)
        except Exception as error:  # noqa: BLE001 - whatever the user's code raises, the front must know
            self._tell(not_loaded(error))
            sys.stdout.flush()
            os._exit(1)  # the server would only say it again
        be_killed_first(WHILE_SERVING)
        self._tell(loaded(self._model))

    def _tell(self, frame: Frame) -> None:
        self._line.sendall(frame.head() + frame.headers + bytes(frame.body))

    def _keep_outputs(self) -> None:
        """Log where the container's log is: the server has led it elsewhere after the load."""
        if self._outputs:
            _log_to(self._outputs)
            self._outputs = ()

    # --- answer -----------------------------------------------------------------------------------

    def _answers(self, batch: Sequence[Frame]) -> Iterator[Frame]:
        if self._model is None:
            raise RuntimeError("the model is not loaded")
        for answer in self._model.answers(batch) if batch else ():
            whole = _joined(answer, self._answer_bytes) if isinstance(answer, Streamed) else answer
            yield _within(whole, self._answer_bytes)

    def _packed(self) -> bytes:
        """Return the answers that fit, and whether more wait."""
        taken: list[Frame] = []
        size = 0
        while self._ready and (not taken or size + len(self._ready[0].body) <= self._answer_bytes):
            taken.append(self._ready.popleft())
            size += len(taken[-1].body)
        return b"".join([MORE if self._ready else LAST, *_pieces(taken)])


def _frames(body: bytearray) -> Iterator[Frame]:
    """Yield the frames of a batch; the requests' bodies are not copied."""
    view, start = memoryview(body), 0
    while start < len(view):
        head, start = view[start : start + HEAD_BYTES], start + HEAD_BYTES
        kind, more, status, number, headers_size, body_size = parse_head(bytes(head))
        headers, start = view[start : start + headers_size], start + headers_size
        yield Frame(kind, number, status, more, bytes(headers), view[start : start + body_size])
        start += body_size


def _pieces(frames: Iterable[Frame]) -> Iterator[bytes | bytearray | memoryview]:
    for frame in frames:
        yield from (frame.head(), frame.headers, frame.body)


def _log_to(outputs: Sequence[int]) -> None:
    sys.stdout.flush()
    for output, standard in zip(outputs, _LOG, strict=True):
        os.dup2(output, standard)


def _adopt(greeting: Greeting) -> None:
    """Be as a worker of our own would have been started."""
    os.environ.clear()
    os.environ.update(greeting.variables)
    os.chdir(greeting.directory)
    sys.path[:0] = filter(None, greeting.variables.get("PYTHONPATH", "").split(os.pathsep))
    log_to_stderr()
    for each in logging.getLogger().handlers:
        each.addFilter(_is_worth_a_line)


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """Say whether it is more than how the server's own worker goes about its work."""
    theirs = importlib.util.find_spec("mms")
    place = str(Path(theirs.origin).parent) if theirs and theirs.origin else None
    return record.levelno > logging.INFO or place is None or place not in record.pathname


def _joined(answer: Streamed, most: int) -> Frame:
    """Return a streamed answer as a whole one: the server sends nothing piece by piece."""
    number, body = answer.start.id, bytearray()
    try:
        for piece in answer.pieces:
            body += piece.encode() if isinstance(piece, str) else piece
            if len(body) > most:
                break
    except Exception:  # noqa: BLE001 - the user's code: the log has it, the client a word
        print(f"request {number}: its stream failed", flush=True)
        traceback.print_exc()
        why = f"the answer broke off; the log says why (request {number})"
        return _refused(number, refusal(500, why))
    return Frame(Kind.ANSWER, number, answer.start.status, 0, answer.start.headers, body)


def _within(answer: Frame, most: int) -> Frame:
    if len(answer.body) <= most:
        return answer
    return _refused(answer.id, too_large(most))


def _refused(number: int, answer: Answer) -> Frame:
    return Frame(Kind.ANSWER, number, answer.status, 0, answer.headers, answer.body)


handle = Handler()
