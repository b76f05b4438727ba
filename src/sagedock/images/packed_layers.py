"""How large layers are compressed: measured once for each, and kept in a file by their digests."""

import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from sagedock.images.preflight.archive import Bytes, gunzipped, members
from sagedock.images.writing import replace_file

__all__ = ["keep_packed", "known_packed", "measure_packed"]

_GZIP = b"\x1f\x8b"
_TAR_MAGIC = slice(257, 262)
_BLOCK = 512
_PIECE = 1024 * 1024


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


def measure_packed(archive: Iterator[bytes]) -> dict[str, int]:
    """Return the size of each layer in an archive of ``docker save``, compressed with gzip as for a
    push, by its diff id: the digest of what is compressed. Nothing is kept in memory or on disk.
    """
    found: dict[str, int] = {}
    for member, content in members(Bytes(archive)):
        if member.kind != "file" or not member.size:
            continue
        source = Bytes(content)
        head = source.peek(_BLOCK)
        if head.startswith(_GZIP):
            found[_digest(gunzipped(source.pieces(member.size)))[0]] = member.size
        elif head[_TAR_MAGIC] == b"ustar" or member.name.endswith("layer.tar"):
            digest, packed = _digest(source.pieces(member.size))
            found[digest] = packed
    return found


def _digest(chunks: Iterator[memoryview] | Iterator[bytes]) -> tuple[str, int]:
    """Return the digest of some bytes, and their size compressed."""
    digest, packer, packed = hashlib.sha256(), zlib.compressobj(wbits=31), 0
    for chunk in chunks:
        digest.update(chunk)
        packed += len(packer.compress(chunk))
    return f"sha256:{digest.hexdigest()}", packed + len(packer.flush())
