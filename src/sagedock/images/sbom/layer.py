"""The files of an image that tell of packages, kept as one pass over its layers meets them.

What cannot be read (too large, binary, broken) is kept as the reason why, so that a list that
misses packages says so.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from sagedock.errors import EngineError
from sagedock.images.preflight.archive import Bytes
from sagedock.images.preflight.files import Entry, Files
from sagedock.images.preflight.layer_files import read_files
from sagedock.images.sbom.debian import licence_lines
from sagedock.images.sbom.java import LARGEST_JAR, jar_lines

__all__ = ["COPYRIGHT", "DPKG", "METADATA", "OTHER_SYSTEMS", "LayerReader", "why_not"]

_KIB = 1024
_MIB = 1024 * _KIB
_REFUSED = b"\0"
#: All that is kept of an image: one that tells more is not made to be read.
_KEPT_OF_ALL = 64 * _MIB

DPKG = re.compile(r"var/lib/dpkg/status(?:\.d/(?!.*\.md5sums)[^/]+)?")
COPYRIGHT = re.compile(r"usr/share/doc/[^/]+/copyright")
METADATA = re.compile(
    r"(?:.*/)?(?:[^/]+\.dist-info/METADATA|[^/]+\.egg-info(?:/PKG-INFO)?|EGG-INFO/PKG-INFO)"
)
#: Where other package managers keep what they installed: such packages are not listed.
OTHER_SYSTEMS = {
    "lib/apk/db/installed": "apk",
    "var/lib/rpm/rpmdb.sqlite": "rpm",
    "var/lib/rpm/Packages": "rpm",
    "usr/lib/sysimage/rpm/rpmdb.sqlite": "rpm",
    "var/lib/pacman/local": "pacman",
}

Keep = Callable[[bytes], bytes]


def why_not(text: bytes) -> str | None:
    """Return why a file was not read, where that is what was kept of it."""
    return text[1:].decode() if text.startswith(_REFUSED) else None


class LayerReader:
    """Reads the layers of one image."""

    def __init__(self) -> None:
        self._kept = 0

    def read(self, source: Bytes) -> Files:
        """Return a layer's files, with the text of those that tell of packages."""
        return read_files(source, self._look)

    def _look(self, _: Files, path: str, entry: Entry, content: Iterator[memoryview]) -> Entry:
        text = _kept_of(path, entry.size, content)
        self._kept += len(text)
        if self._kept > _KEPT_OF_ALL:
            raise EngineError(
                f"what the image's files tell of packages is more than {_KEPT_OF_ALL // _MIB} MiB "
                f"(at {path!a}): no image that is made to be used has that much"
            )
        return replace(entry, text=text) if text else entry


def _kept_of(path: str, size: int, content: Iterator[memoryview]) -> bytes:
    if METADATA.fullmatch(path):
        return _header(size, content)
    if COPYRIGHT.fullmatch(path):
        return _whole(size, 2 * _MIB, content, licence_lines)
    if DPKG.fullmatch(path):
        return _whole(size, 16 * _MIB, content)
    if path.endswith(".dist-info/RECORD"):
        return _hash(content)
    if path.endswith(".dist-info/direct_url.json"):
        return _whole(size, 64 * _KIB, content, _archive_hash)
    if path.endswith("/_vendor/vendor.txt"):
        return _whole(size, 256 * _KIB, content)
    if path.endswith(".jar"):
        return _whole(size, LARGEST_JAR, content, jar_lines, text=False)
    if path in ("etc/os-release", "usr/lib/os-release"):
        return _whole(size, 64 * _KIB, content)
    if path.endswith("/release") and size <= 16 * _KIB:
        said = b"".join(map(bytes, content))
        return said if said.startswith((b"IMPLEMENTOR=", b"JAVA_")) else b""
    return b""


def _whole(
    size: int,
    largest: int,
    content: Iterator[memoryview],
    keep: Keep = bytes,
    *,
    text: bool = True,
) -> bytes:
    """Return what ``keep`` makes of a file, or why it is not read."""
    if size > largest:
        return _REFUSED + f"has {size} bytes, and at most {largest} are read".encode()
    said = b"".join(map(bytes, content))
    if text and b"\0" in said:
        return _REFUSED + b"is binary, and ought to be text"
    try:
        return keep(said)
    except ValueError as error:
        return _REFUSED + str(error).encode()


def _header(size: int, content: Iterator[memoryview]) -> bytes:
    """Return the header of a file of metadata: the description below it may be long."""
    longest = 256 * _KIB
    said = b""
    for piece in content:
        said += bytes(piece)
        found = re.search(rb"\r?\n\r?\n", said)
        if found or len(said) > longest:
            said = said[: found.start()] if found else said
            break
    if len(said) > longest:
        return _REFUSED + f"has a header of more than {longest} bytes (of {size})".encode()
    return _REFUSED + b"is binary, and ought to be text" if b"\0" in said else said or b"\n"


def _hash(content: Iterator[memoryview]) -> bytes:
    hashed = hashlib.sha256()
    for piece in content:
        hashed.update(piece)
    return hashed.hexdigest().encode()


def _archive_hash(said: bytes) -> bytes:
    """Return the hash of the archive that a distribution was installed from, if it is told.

    Source: https://packaging.python.org/en/latest/specifications/direct-url/
    """
    try:
        found = json.loads(said)["archive_info"]["hashes"]["sha256"]
    except RecursionError as error:
        raise ValueError("is nested too deeply to be read") from error
    except (KeyError, TypeError):
        return b""
    is_hash = isinstance(found, str) and re.fullmatch(r"[0-9a-f]{64}", found)
    return found.encode() if is_hash else b""
