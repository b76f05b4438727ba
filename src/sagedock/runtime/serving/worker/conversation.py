"""A bidirectional stream: the client's messages into ``stream_fn``, its outputs to the client."""

import json
import traceback
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any

from sagedock.runtime.serving.pool.frames import Frame, Kind
from sagedock.runtime.serving.pool.messages import binary, closing, text
from sagedock.runtime.serving.worker.channel import Channel, Hangup
from sagedock.runtime.serving.worker.context import Context
from sagedock.runtime.serving.worker.model import Model
from sagedock.runtime.serving.worker.refused import InvalidInput, public

__all__ = ["converse"]

#: Codes of RFC 6455, 7.4.1.
_INTERNAL_ERROR, _POLICY_VIOLATION = 1011, 1008
#: As many messages may wait in the worker; further ones wait outside, and their client with them.
_MOST_WAITING = 64


def converse(channel: Channel, model: Model, opened: Frame) -> None:
    """Carry out one stream to its end. Raises Hangup where the front has gone."""
    messages = _Messages(channel, opened.id)
    channel.send([Frame(Kind.START, opened.id, 200)])
    context = Context(opened.headers, model.properties)
    try:
        for output in _outputs(model, messages, context):
            channel.send([Frame(Kind.PIECE, opened.id, body=output)])
    except Hangup:
        raise
    except InvalidInput as error:
        _close(channel, opened.id, _POLICY_VIOLATION, public(str(error)))
    except Exception:  # noqa: BLE001 - the user's code: the client is told where to look
        print(f"request {opened.id}: stream_fn failed", flush=True)
        traceback.print_exc()
        why = f"stream_fn failed; the log says why (request {opened.id})"
        _close(channel, opened.id, _INTERNAL_ERROR, why)
    channel.send([Frame(Kind.END, opened.id)])


def _close(channel: Channel, number: int, code: int, reason: str) -> None:
    channel.send([Frame(Kind.PIECE, number, body=closing(code, reason))])


def _outputs(model: Model, messages: "_Messages", context: Context) -> Iterator[bytes]:
    """Yield what the user's function says, until it ends or its client has left."""
    if model.functions.stream_fn is None:
        raise TypeError("there is no stream_fn")
    said: Iterable[Any] = model.functions.stream_fn(messages, model.model, context) or ()
    with ExitStack() as stack:
        if close := getattr(said, "close", None):
            stack.callback(close)  # a generator's own clean-up, where it is not exhausted
        for each in said:
            if messages.has_client():
                yield _packed(each)
            else:
                break


class _Messages(Iterator[str | bytes]):
    """The client's messages: text as str, binary as bytes. They end when it leaves, or when the
    server stops.
    """

    def __init__(self, channel: Channel, number: int) -> None:
        self._channel = channel
        self._number = number
        self._waiting: deque[str | bytes] = deque()
        self._ended = False
        self._left = False

    def __next__(self) -> str | bytes:
        while not self._waiting and not self._ended:
            self._take(self._channel.frame())
        if self._left or not self._waiting:
            raise StopIteration
        return self._waiting.popleft()

    def has_client(self) -> bool:
        """Return whether the client is still there; do not wait to learn it."""
        while len(self._waiting) < _MOST_WAITING and self._channel.has_news():
            self._take(self._channel.frame())
        return not self._left

    def _take(self, frame: Frame) -> None:
        if frame.id != self._number:
            return
        if frame.kind == Kind.MESSAGE:
            body = bytes(frame.body)
            self._waiting.append(body.decode() if frame.status else body)
        elif frame.kind in (Kind.FINISH, Kind.ABANDON):
            self._ended = True
            self._left = self._left or frame.kind == Kind.ABANDON


def _packed(output: Any) -> bytes:
    """Return one message: bytes are binary, str is text, anything else is text, as JSON."""
    if isinstance(output, bytes | bytearray | memoryview):
        return binary(bytes(output))
    return text(output if isinstance(output, str) else json.dumps(output))
