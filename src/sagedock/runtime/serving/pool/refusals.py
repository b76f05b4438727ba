"""Answers that say why there is no prediction: one line of JSON, no traceback, no path."""

import json

from sagedock.runtime.serving.pool.frames import Header, pack_headers
from sagedock.runtime.serving.pool.work import Answer

__all__ = [
    "BUSY",
    "CLOSING",
    "LOST",
    "NEVER_STARTED",
    "STARVED",
    "TOO_LONG",
    "refusal",
    "too_large",
]

_JSON = (b"content-type", b"application/json")
_LATER = (b"retry-after", b"1")


def refusal(status: int, message: str, *headers: Header) -> Answer:
    """Return an answer whose body is ``{"error": message}``."""
    body = json.dumps({"error": message}).encode()
    return Answer(status, pack_headers([_JSON, *headers]), body)


BUSY = refusal(503, "the server is busy: as many requests wait as may; try again later", _LATER)
CLOSING = refusal(503, "the server is stopping: try another instance", _LATER)
NEVER_STARTED = refusal(503, "no worker was free in time: try again later", _LATER)
TOO_LONG = refusal(504, "the model did not answer in time")
LOST = refusal(500, "the model's process ended while it ran this request")
#: The platform unloads another model for it, and asks again.
STARVED = refusal(507, "no memory is left for this request: the kernel ended the model's process")


def too_large(most_bytes: int) -> Answer:
    """Return what is said in the place of an answer above ``most_bytes``."""
    return refusal(500, f"the answer is larger than {most_bytes >> 20} MB")
