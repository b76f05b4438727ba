"""How large layers are compressed: measured once for each, and kept in a file by their digests."""

import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from sagedock.images.preflight.archive import Bytes, gunzipped, members
from sagedock.images.preflight.saved import layer_form
from sagedock.images.writing import replace_file

__all__ = ["keep_packed", "known_packed", "measure_packed"]

_BLOCK = 512


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


def measure_packed(archive: Iterator[bytes], say: Callable[[str], object]) -> dict[str, int]:
    """Return the size of each layer in an archive of ``docker save``, compressed with gzip as for a
    push, by its diff id: the digest of what is compressed. Nothing is kept in memory or on disk.

    ``say`` is told of each layer that cannot be measured.
    """
    found: dict[str, int] = {}
    for member, content in members(Bytes(archive)):
        if member.kind != "file" or not member.size:
            continue
        source = Bytes(content)
        match layer_form(source.peek(_BLOCK), member.name):
            case "gzip":
                found[_digest(gunzipped(source.pieces(member.size)))] = member.size
            case "zstd":
                say(f"{member.name} is compressed with zstd, which is not read here")
            case "tar":
                packer = _Packer()
                digest = _digest(packer.passing(source.pieces(member.size)))
                found[digest] = packer.size()
            case None:
                pass
    return found


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
