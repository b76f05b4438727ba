"""What a worker hears over its lifeline before it loads the model, and how both sides say it."""

import array
import asyncio
import json
import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

__all__ = ["Greeting", "greet", "introduce", "name_of"]

_END = b"\n"
_LONGEST_NAME = 64
_PART = 1 << 16
_OUTPUTS = (1, 2)


@dataclass(frozen=True, kw_only=True)
class Greeting:
    """The model's folder, the worker's variables and working directory, an answer's most bytes."""

    folder: str
    variables: Mapping[str, str]
    directory: str
    answer_bytes: int

    def packed(self) -> bytes:
        """Return it as a line."""
        return json.dumps(asdict(self)).encode("ascii") + _END

    @classmethod
    def unpacked(cls, line: bytes) -> Self:
        """Return what ``packed`` was called on."""
        return cls(**json.loads(line))


# --- the front's side -----------------------------------------------------------------------------


async def name_of(line: socket.socket) -> str:
    """Return the name with which a worker introduces itself. Raises OSError where none comes."""
    loop = asyncio.get_running_loop()
    said = b""
    while not said.endswith(_END):
        part = await loop.sock_recv(line, _LONGEST_NAME)
        said += part
        if not part or len(said) > _LONGEST_NAME:
            raise ConnectionResetError("a worker did not say its name")
    return said[: -len(_END)].decode("ascii", "replace")


async def greet(line: socket.socket, greeting: Greeting) -> None:
    """Send a greeting, and with it where the container's log is. Raises OSError."""
    packed = greeting.packed()
    sent = socket.send_fds(line, [packed], _OUTPUTS)
    await asyncio.get_running_loop().sock_sendall(line, packed[sent:])


# --- the worker's side ----------------------------------------------------------------------------


def introduce(path: Path, name: str) -> tuple[socket.socket, Greeting, tuple[int, ...]]:
    """Return the lifeline, the greeting, and the log's two file descriptors.

    Raises OSError where nobody awaits a worker of that name.
    """
    line = socket.socket(socket.AF_UNIX)
    line.connect(os.fspath(path))
    line.sendall(name.encode("ascii") + _END)
    said, outputs, _, _ = socket.recv_fds(line, _PART, len(_OUTPUTS))
    while not said.endswith(_END):
        part = line.recv(_PART)
        if not part:
            raise ConnectionResetError(f"nobody awaits the worker {name}")
        said += part
    return line, Greeting.unpacked(said), tuple(array.array("i", outputs))
