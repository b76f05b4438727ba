"""The framing of event streams, as AWS's clients read it.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html (the frame)
and the shape ResponseStream of the service's model (the events).
"""

import json
import struct
import zlib
from collections.abc import Mapping

__all__ = ["CONTENT_TYPE", "exception", "payload_part"]

CONTENT_TYPE = b"application/vnd.amazon.eventstream"
_STRING = 7
#: Two lengths and their checksum before a message, the whole's checksum behind it.
_AROUND = 16


def payload_part(piece: bytes) -> bytes:
    """Return a PayloadPart that holds ``piece``."""
    return _message(_PART_HEADERS, piece)


def exception(name: str, text: Mapping[str, str]) -> bytes:
    """Return an exception, which ends a stream."""
    headers = _headers(
        {
            ":exception-type": name,
            ":content-type": "application/json",
            ":message-type": "exception",
        }
    )
    return _message(headers, json.dumps(text).encode())


def _headers(headers: Mapping[str, str]) -> bytes:
    return b"".join(
        struct.pack(f"!B{len(name)}sBH", len(name), name.encode(), _STRING, len(value))
        + value.encode()
        for name, value in headers.items()
    )


def _message(headers: bytes, payload: bytes) -> bytes:
    begin = struct.pack("!II", len(headers) + len(payload) + _AROUND, len(headers))
    whole = begin + struct.pack("!I", zlib.crc32(begin)) + headers + payload
    return whole + struct.pack("!I", zlib.crc32(whole))


_PART_HEADERS = _headers(
    {
        ":event-type": "PayloadPart",
        ":content-type": "application/octet-stream",
        ":message-type": "event",
    }
)
