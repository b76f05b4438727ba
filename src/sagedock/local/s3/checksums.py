"""S3's flexible checksums, computed as the bytes pass.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

import base64
import hashlib
import zlib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, Protocol

__all__ = [
    "ALGORITHMS",
    "CAN_COVER_AN_OBJECT",
    "DEFAULT_ALGORITHM",
    "Digests",
    "combined",
    "composite",
    "digest_size",
]

#: S3 computes this one by itself for an object that came without a checksum.
DEFAULT_ALGORITHM = "crc64nvme"
#: The algorithms whose value for a whole object follows from those of its parts.
CAN_COVER_AN_OBJECT = frozenset({"crc32", "crc32c", "crc64nvme"})


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


class _WideCrc:
    """A CRC that zlib does not have; ``size`` in bytes."""

    def __init__(self, algorithm: str) -> None:
        self._model = _crc_model(algorithm)
        self._size = digest_size(algorithm)
        self._value = 0

    def update(self, data: bytes) -> None:
        if data:
            self._value = self._model.calc(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


@cache
def _crc_model(algorithm: str) -> Any:
    # Loaded here: most requests need zlib's CRC32 alone.
    import anycrc

    names = {"crc32": "CRC32", "crc32c": "CRC32-ISCSI", "crc64nvme": "CRC64-NVME"}
    return anycrc.Model(names[algorithm])


_MAKERS: Mapping[str, tuple[int, Callable[[], _Hash]]] = {
    "crc32": (4, _Crc32),
    "crc32c": (4, lambda: _WideCrc("crc32c")),
    "crc64nvme": (8, lambda: _WideCrc("crc64nvme")),
    "sha1": (20, lambda: hashlib.sha1(usedforsecurity=False)),
    "sha256": (32, hashlib.sha256),
    "sha512": (64, hashlib.sha512),
}
#: Lower-case names, as in the header ``x-amz-checksum-NAME``. The xxHash family is not here.
ALGORITHMS = tuple(_MAKERS)


def digest_size(algorithm: str) -> int:
    """Return the length of a digest in bytes."""
    return _MAKERS[algorithm][0]


class Digests:
    """The MD5 of a stream, its length in bytes, and any of ``ALGORITHMS``, in one pass."""

    def __init__(self, algorithms: Iterable[str] = ()) -> None:
        self.size = 0
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._others = {name: _MAKERS[name][1]() for name in algorithms}

    def update(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        self.size += len(data)
        self._md5.update(data)
        for other in self._others.values():
            other.update(data)

    @property
    def md5(self) -> bytes:
        """The MD5 of everything so far."""
        return self._md5.digest()

    def values(self) -> dict[str, str]:
        """Return the base64 value of each algorithm asked for."""
        return {name: _base64(hash_.digest()) for name, hash_ in self._others.items()}


def composite(algorithm: str, parts: Iterable[str]) -> str:
    """Return the checksum of the parts' checksums, with the suffix ``-N``."""
    values = [base64.b64decode(value) for value in parts]
    whole = _MAKERS[algorithm][1]()
    whole.update(b"".join(values))
    return f"{_base64(whole.digest())}-{len(values)}"


def combined(algorithm: str, parts: Iterable[tuple[str, int]]) -> str:
    """Return the checksum of a whole object from its parts' ``(value, size in bytes)``.

    Only for ``CAN_COVER_AN_OBJECT``: the CRC of a concatenation follows from those of its pieces.
    """
    model = _crc_model(algorithm)
    whole = 0
    for value, size in parts:
        piece = int.from_bytes(base64.b64decode(value), "big")
        whole = model.combine(whole, piece, size) if size else whole
    return _base64(whole.to_bytes(digest_size(algorithm), "big"))


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
