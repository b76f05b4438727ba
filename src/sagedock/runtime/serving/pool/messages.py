"""What a worker says in a bidirectional stream: a byte that tells the kind, then what is said."""

import struct

__all__ = ["CLOSE", "LARGEST_MESSAGE", "TEXT", "binary", "closing", "reason_of", "text"]

#: A message, either way, in bytes; SageMaker's own limit is not told.
LARGEST_MESSAGE = 1 << 20
TEXT = b"t"
CLOSE = b"c"
_BINARY = b"b"
_CODE = struct.Struct("!H")


def text(message: str) -> bytes:
    """Return a text message. Raises ValueError where it is too large."""
    return TEXT + _fitting(message.encode())


def binary(message: bytes) -> bytes:
    """Return a binary message. Raises ValueError where it is too large."""
    return _BINARY + _fitting(message)


def closing(code: int, reason: str) -> bytes:
    """Return what ends a stream: a code of RFC 6455, and why."""
    return CLOSE + _CODE.pack(code) + reason.encode()


def reason_of(piece: bytes) -> tuple[int, str]:
    """Return what ``closing`` was given."""
    return _CODE.unpack_from(piece, 1)[0], piece[1 + _CODE.size :].decode()


def _fitting(message: bytes) -> bytes:
    if len(message) > LARGEST_MESSAGE:
        raise ValueError(
            f"a message of {len(message)} bytes is too large: yield {LARGEST_MESSAGE} at most"
        )
    return message
