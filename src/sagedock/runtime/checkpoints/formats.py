"""How a state becomes bytes and comes back, without running code that lies in the bytes."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

__all__ = ["JSON", "TORCH", "Format"]


def _nothing_refused(_file: BinaryIO) -> Sequence[str]:
    return ()


@dataclass(frozen=True, kw_only=True)
class Format:
    """A name, and a pair of functions: ``save(state, file)`` and ``load(file)``.

    ``save`` gets a file that it only writes to; ``load`` one that holds what ``save`` wrote, with
    ``seek`` and ``fileno``. ``refused`` names what in such a file ``load`` would not take.
    """

    name: str
    save: Callable[[Any, BinaryIO], object]
    load: Callable[[BinaryIO], Any]
    refused: Callable[[BinaryIO], Sequence[str]] = _nothing_refused


def _save_torch(state: Any, file: BinaryIO) -> None:
    import torch

    torch.save(state, file)


def _load_torch(file: BinaryIO) -> Any:
    """Map the tensors from the file, privately: the ranks of a host share the pages they read.

    torch finds the end of its archive by itself, so that our stamp behind it does no harm.
    """
    import torch

    return torch.load(_path(file), map_location="cpu", weights_only=True, mmap=True)


def _refused_by_torch(file: BinaryIO) -> Sequence[str]:
    from torch.serialization import get_unsafe_globals_in_checkpoint

    return list(get_unsafe_globals_in_checkpoint(_path(file)))


def _path(file: BinaryIO) -> str:
    return f"/proc/self/fd/{file.fileno()}"


def _save_json(state: Any, file: BinaryIO) -> None:
    file.write(json.dumps(state).encode())


#: Tensors, numbers, texts, lists and dictionaries, by torch.save and torch.load(weights_only=True).
TORCH = Format(name="torch", save=_save_torch, load=_load_torch, refused=_refused_by_torch)
#: What JSON knows; tuples come back as lists.
JSON = Format(name="json", save=_save_json, load=json.load)
