"""`python -m sagedock.runtime.serving.worker FD`: one process that holds the model.

It loads the model, says so, and answers batches until the front hangs up.
"""

import os
import socket
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sagedock.contract import paths
from sagedock.runtime.place import locate
from sagedock.runtime.serving.pool.frames import Frame, Kind
from sagedock.runtime.serving.worker.channel import Channel, Hangup
from sagedock.runtime.serving.worker.conversation import converse
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

__all__ = ["main"]

_BROKEN = 500
#: How long an answer may wait for the next of its batch.
_HELD_S = 0.001


def main(arguments: Sequence[str], env: Mapping[str, str] = os.environ) -> int:
    """Serve the socket whose file descriptor is the first argument; return the exit code.

    The second is the model's folder, where that is not the platform's.
    """
    be_killed_first(WHILE_LOADING)
    log_to_stderr()
    channel = Channel(socket.socket(fileno=int(arguments[0])))
    try:
        folder = Path(arguments[1]) if len(arguments) > 1 else locate(paths.MODEL, env)
        model = load_model_of(folder, env)
    except Exception as error:  # noqa: BLE001 - whatever the user's code raises, the front must know
        channel.send([not_loaded(error)])
        return 1
    be_killed_first(WHILE_SERVING)
    try:
        channel.send([loaded(model, converses=model.functions.stream_fn is not None)])
        while True:
            batch = channel.batch()
            if batch[0].kind == Kind.OPEN:
                converse(channel, model, batch[0])
            else:
                _answer(channel, model, batch)
    except Hangup:
        return 0


def _answer(channel: Channel, model: Model, batch: Sequence[Frame]) -> None:
    """Send each answer, quick ones together; those that are streamed come last."""
    ready: list[Frame] = []
    streams: list[Streamed] = []
    due = time.monotonic() + _HELD_S
    for answer in model.answers(batch):
        if isinstance(answer, Streamed):
            streams.append(answer)
        else:
            ready.append(answer)
        if ready and (now := time.monotonic()) > due:
            channel.send(ready)
            ready, due = [], now + _HELD_S
    if ready:
        channel.send(ready)
    for stream in streams:
        channel.send([stream.start])
        channel.send(list(_stream(channel, stream)))


def _stream(channel: Channel, answer: Streamed) -> Iterator[Frame]:
    """Send the pieces; yield the end. A client that has gone ends it before the next piece."""
    number = answer.start.id
    try:
        for piece in answer.pieces:
            if channel.abandoned(number):
                break
            body = piece.encode() if isinstance(piece, str) else bytes(piece)
            channel.send([Frame(Kind.PIECE, number, body=body)])
    except Hangup:
        raise
    except Exception:  # noqa: BLE001 - the user's code: the client sees the answer cut short
        print(f"request {number}: its stream failed", flush=True)
        traceback.print_exc()
        yield Frame(Kind.END, number, _BROKEN)
    else:
        yield Frame(Kind.END, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
