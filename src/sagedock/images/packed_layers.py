"""How large layers are compressed: measured once for each, and kept in a file by their digests."""

import hashlib
import json
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sagedock.images.preflight.archive import Bytes, gunzipped, members
from sagedock.images.preflight.saved import layer_form
from sagedock.images.writing import replace_file

__all__ = ["keep_packed", "known_packed", "measure_packed"]

_BLOCK = 512
#: Where archives of newer engines have their files, ``blobs/sha256/...``.
_BLOBS = "blobs/"


def known_packed(file: Path) -> dict[str, int]:
    """Return the compressed sizes that a file keeps, in bytes by the layers' diff ids; nothing
    where there is no such file, or it is broken: they can be measured again.
    """
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    items = found.items() if isinstance(found, dict) else ()
    return {str(key): value for key, value in items if isinstance(value, int)}


def keep_packed(file: Path, found: Mapping[str, int]) -> None:
    """Add measured sizes to a file."""
    known = {**known_packed(file), **found}
    text = json.dumps(known, indent=1, sort_keys=True) + "\n"
    replace_file(file, text.encode(), "free the disk")


def measure_packed(
    save: Callable[[], Iterator[bytes]],
    say: Callable[[str], object],
    known: Collection[str] = (),
) -> dict[str, int]:
    """Return the size of each layer of an image, compressed with gzip as for a push, by its diff
    id: the digest of what is compressed. Nothing is kept in memory or on disk.

    ``save`` returns the image's archive of ``docker save``; ``say`` is told of each layer that
    cannot be measured. Layers whose diff ids are ``known`` are not compressed. Older engines do not
    name layers by them: those are read for their digests first, and a second archive for the rest.
    """
    found: dict[str, int] = {}
    named = {f"{_BLOBS}{diff_id.replace(':', '/')}" for diff_id in known}
    later: set[str] = set()
    for layer in _layers(save(), say):
        if layer.name in named:
            continue
        if known and layer.form == "tar" and not layer.name.startswith(_BLOBS):
            if _digest(layer.pieces) not in known:
                later.add(layer.name)
        else:
            found |= _measured(layer)
    for layer in _layers(save(), lambda _: None) if later else ():
        if layer.name in later:
            found |= _measured(layer)
    return found


@dataclass(frozen=True, kw_only=True)
class _Layer:
    """A layer in an archive, whose ``pieces`` can be taken once, ``size`` bytes in all."""

    name: str
    form: Literal["gzip", "tar"]
    size: int
    pieces: Iterator[memoryview]


def _layers(archive: Iterator[bytes], say: Callable[[str], object]) -> Iterator[_Layer]:
    for member, content in members(Bytes(archive)):
        if member.kind != "file" or not member.size:
            continue
        source, name, size = Bytes(content), member.name, member.size
        form = layer_form(source.peek(_BLOCK), name)
        if form == "zstd":
            say(f"{name} is compressed with zstd, which is not read here")
        elif form is not None:
            yield _Layer(name=name, form=form, size=size, pieces=source.pieces(size))


def _measured(layer: _Layer) -> dict[str, int]:
    if layer.form == "gzip":
        return {_digest(gunzipped(layer.pieces)): layer.size}
    packer = _Packer()
    digest = _digest(packer.passing(layer.pieces))
    return {digest: packer.size()}


def _digest(chunks: Iterator[memoryview] | Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return f"sha256:{digest.hexdigest()}"


class _Packer:
    """Counts how many bytes those that pass have once they are compressed."""

    def __init__(self) -> None:
        self._packer, self._size = zlib.compressobj(wbits=31), 0

    def passing(self, chunks: Iterator[memoryview]) -> Iterator[memoryview]:
        for chunk in chunks:
            self._size += len(self._packer.compress(chunk))
            yield chunk

    def size(self) -> int:
        """Return it, once all have passed."""
        return self._size + len(self._packer.flush())
