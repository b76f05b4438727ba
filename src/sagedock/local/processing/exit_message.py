"""The text that containers leave for ExitMessage."""

import codecs
from collections.abc import Iterable

from sagedock.contract import limits, paths
from sagedock.engine import Engine
from sagedock.local.container_files import read_file

__all__ = ["NotText", "exit_message"]

_MOST_BYTES = int(limits.EXIT_MESSAGE_BYTES)


class NotText(Exception):
    """A container left a message that is not UTF-8."""


def exit_message(engine: Engine, containers: Iterable[str]) -> str | None:
    """Return the containers' messages, one after the other, cut to 1 KB, or None without one.

    Source: the page of ``paths.EXIT_MESSAGE``. Raises NotText.
    """
    text = "".join(
        _text(read_file(engine, each, paths.EXIT_MESSAGE.path, _MOST_BYTES)) for each in containers
    )
    return text.encode()[:_MOST_BYTES].decode(errors="ignore") or None


def _text(data: bytes) -> str:
    """Return what a file begins with; a character that the limit cuts is left out."""
    is_whole = len(data) < _MOST_BYTES
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(data, final=is_whole)
    except UnicodeDecodeError as error:
        raise NotText(str(error)) from error
