"""States whose every byte is known from their step, so that a wrong one is seen."""

import json
import random
import struct
from pathlib import Path
from typing import Any, BinaryIO

from sagedock.runtime.checkpoints import Checkpoints, Format

_BLOCK = random.Random(0).randbytes(1 << 20)
_STEP = struct.Struct(">Q")


def body(step: int) -> bytes:
    """Return 1 to 4 MB that belong to a step."""
    start = step * 7919 % 4096
    return (_BLOCK * (1 + step % 4))[start:]


def save(state: Any, file: BinaryIO) -> None:
    file.write(_STEP.pack(state))
    file.write(body(state))


def load(file: BinaryIO) -> int:
    (step,) = _STEP.unpack(file.read(_STEP.size))
    assert file.read() == body(step), "the content is not that of its step"
    return int(step)


#: A training whose whole state is how many steps it has done.
COUNTER = Format(name="counter", save=save, load=load)


def checkpoints(folder: Path, said: list[str] | None = None, **options: Any) -> Checkpoints:
    """Return a counter's checkpoints, which save at every step where nothing else is said."""
    say = (lambda _: None) if said is None else said.append
    given: dict[str, Any] = {"every_s": 0.0, "format": COUNTER, "say": say, "env": {}, **options}
    return Checkpoints(folder, **given)


def steps_in(folder: Path) -> list[int]:
    """Return the steps of the checkpoints in a folder, whoever wrote them."""
    return sorted(int(file.name[5:17]) for file in folder.glob("step-*.ckpt"))


def unfinished_in(folder: Path) -> list[Path]:
    return list(folder.glob("*.sagemaker-ignore"))


def stamp_of(file: Path) -> dict[str, Any]:
    """Return the JSON that a checkpoint ends with, as anybody could read it."""
    content = file.read_bytes()
    length = struct.unpack(">I", content[-16:-12])[0]
    found: dict[str, Any] = json.loads(content[-16 - length : -16])
    return found
