"""Errors in the command line's words: what a program passes by name, a command has as an option."""

from sagedock.errors import InvalidRequest, SagedockError

__all__ = ["in_our_words"]

#: How programs say what a command's options say.
_OPTIONS = {
    'Session(target="local")': "--target local",
    "Session(region=...)": "--region",
}
#: Parameters of Session that have an option of their own.
_PARAMETERS = ("region",)


def in_our_words(error: SagedockError) -> str:
    """Return the text of an error, with options in the place of a program's parameters."""
    lines = error.problems if isinstance(error, InvalidRequest) else (str(error),)
    return "\n".join(map(_line, lines))


def _line(said: str) -> str:
    for theirs, ours in _OPTIONS.items():
        said = said.replace(theirs, ours)
    parameter, colon, rest = said.partition(": ")
    return f"--{parameter}{colon}{rest}" if parameter in _PARAMETERS else said
