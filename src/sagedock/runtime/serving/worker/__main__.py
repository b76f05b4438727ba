"""`python -m sagedock.runtime.serving.worker FD`: one process that holds the model.

It loads the model, says so, and answers batches until the front hangs up.
"""

import contextlib
import logging
import os
import socket
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sagedock.contract import paths, variables
from sagedock.errors import SagedockError
from sagedock.runtime.place import locate
from sagedock.runtime.serving.pool.frames import Frame, Kind
from sagedock.runtime.serving.worker.channel import Channel, Hangup
from sagedock.runtime.serving.worker.conversation import converse
from sagedock.runtime.serving.worker.defaults import default_handler
from sagedock.runtime.serving.worker.model import Model, Streamed, load
from sagedock.runtime.serving.worker.user_code import find_functions, import_program

__all__ = ["main"]

_BROKEN = 500
_OOM_WISH = Path("/proc/self/oom_score_adj")
#: A model that is being loaded goes before those that serve.
_WHILE_LOADING, _WHILE_SERVING = 900, 500
#: As many as the front may give at once; it has its own limit.
_LARGEST_BATCH = 1 << 16
#: How long an answer may wait for the next of its batch.
_HELD_S = 0.001


def main(arguments: Sequence[str], env: Mapping[str, str] = os.environ) -> int:
    """Serve the socket whose file descriptor is the first argument; return the exit code.

    The second is the model's folder, where that is not the platform's.
    """
    _be_killed_first(_WHILE_LOADING)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    channel = Channel(socket.socket(fileno=int(arguments[0])))
    try:
        model = _load(Path(arguments[1]) if len(arguments) > 1 else locate(paths.MODEL, env), env)
    except Exception as error:  # noqa: BLE001 - whatever the user's code raises, the front must know
        if not isinstance(error, SagedockError):
            traceback.print_exc()
        channel.send([Frame(Kind.FAILED, body=_cause(error).encode())])
        return 1
    _be_killed_first(_WHILE_SERVING)
    try:
        batches = model.functions.batch_predict_fn is not None
        streams = int(model.functions.stream_fn is not None)
        channel.send([Frame(Kind.READY, _LARGEST_BATCH if batches else 1, streams)])
        while True:
            batch = channel.batch()
            if batch[0].kind == Kind.OPEN:
                converse(channel, model, batch[0])
            else:
                _answer(channel, model, batch)
    except Hangup:
        return 0


def _be_killed_first(wish: int) -> None:
    """Tell the kernel which process to end where memory runs out: a worker, never the front."""
    with contextlib.suppress(OSError):  # a container may forbid it
        _OOM_WISH.write_text(str(wish), encoding="ascii")


def _load(folder: Path, env: Mapping[str, str]) -> Model:
    functions = find_functions(import_program(folder, env), default_handler())
    properties = {
        "model_dir": str(folder),
        "gpu_id": 0 if env.get("CUDA_VISIBLE_DEVICES") else None,
    }
    accept = env.get(variables.SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT.name, "application/json")
    return load(functions, folder, properties, accept)


def _cause(error: Exception) -> str:
    return str(error) if isinstance(error, SagedockError) else f"{type(error).__name__}: {error}"


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
