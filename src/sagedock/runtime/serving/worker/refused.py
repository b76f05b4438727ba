"""Errors of a request, as the client may see them: a status and one line, nothing of the inside."""

import re
from typing import Any

__all__ = ["InvalidInput", "Refused", "UnsupportedType", "public", "refused"]

_LONGEST = 500
_PATH = re.compile(r"(?<![\w./:<])/(?:[\w.@+~-]+/)*[\w.@+~-]+")
#: What an ``input_fn`` raises over a body that is not what it takes.
_BODY_ERRORS = (ArithmeticError, AssertionError, LookupError, TypeError, ValueError)


class InvalidInput(Exception):
    """The request's body is wrong: the client gets the text, and ``status`` (4xx)."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class UnsupportedType(InvalidInput):
    """No function takes, or gives, this content type."""

    def __init__(self, message: str) -> None:
        super().__init__(message, 415)


class Refused(Exception):
    """What the client gets in the place of a prediction."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def refused(error: Exception, step: str, number: int) -> Refused:
    """Return what the client gets for ``error``, raised in ``step``, e.g. ``input_fn``.

    ``number`` finds the traceback in the log. Errors of AWS's toolkit, and others that carry a
    ``status_code``, keep it.
    """
    if isinstance(error, InvalidInput):
        return Refused(error.status, public(str(error)))
    if status := _own_status(error):
        return Refused(status, public(str(getattr(error, "message", error))))
    if type(error).__name__ == "UnsupportedFormatError":  # of AWS's toolkit
        return Refused(415, public(str(error).partition("\n")[0]))
    if step == "input_fn" and isinstance(error, _BODY_ERRORS):
        return Refused(400, public(f"the body cannot be read: {_words(error)}"))
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return Refused(507, f"no memory is left for this request (log: request {number})")
    return Refused(500, f"{step} failed; the log says why (request {number})")


def _own_status(error: Any) -> int | None:
    status = getattr(error, "status_code", None)
    return int(status) if isinstance(status, int) and 400 <= status <= 599 else None


def _words(error: Exception) -> str:
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    return f"{text!r} is missing" if isinstance(error, KeyError) else text or type(error).__name__


def public(text: str) -> str:
    """Return a text as one short line without the paths in it."""
    line = _PATH.sub("(path)", " ".join(text.split()))
    return line if len(line) <= _LONGEST else line[: _LONGEST - 3] + "..."
