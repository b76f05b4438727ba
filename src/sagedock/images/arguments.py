"""What a Dockerfile takes: an argument that it does not declare changes nothing, without a word."""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

__all__ = ["declared_arguments", "unused_arguments"]

#: ``ARG A``, ``ARG A=1 B``; a line may go on behind a backslash.
#: https://docs.docker.com/reference/dockerfile/#arg
_INSTRUCTION = re.compile(r"^[ \t]*ARG[ \t]+(?P<words>.*)$", re.IGNORECASE | re.MULTILINE)
_NAME = re.compile(r"(?:^|\s)(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?==|\s|$)")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
#: Declared by the builder itself. https://docs.docker.com/build/building/variables/
_PREDEFINED = re.compile(
    r"BUILDKIT_\w+|SOURCE_DATE_EPOCH|(?:HTTPS?|FTP|NO|ALL)_PROXY", re.IGNORECASE
)


def declared_arguments(dockerfile: str) -> frozenset[str]:
    """Return the names of all ``ARG`` instructions of a Dockerfile's text, whatever their stage."""
    text = re.sub(r"\\[ \t]*\n", " ", dockerfile)
    found = set()
    for instruction in _INSTRUCTION.finditer(text):
        words = _QUOTED.sub("x", instruction["words"])
        found |= {match["name"] for match in _NAME.finditer(words)}
    return frozenset(found)


def unused_arguments(given: Iterable[str], dockerfile: str) -> Iterator[str]:
    """Yield a problem for each argument that a Dockerfile, given as text, does not declare."""
    declared = declared_arguments(dockerfile)
    for name in given:
        if name in declared or _PREDEFINED.fullmatch(name):
            continue
        near = get_close_matches(name, declared, n=1, cutoff=0.5)
        meant = f"did you mean {near[0]}?" if near else f"it declares {', '.join(sorted(declared))}"
        if not declared:
            meant = "it declares none"
        yield f"args: the Dockerfile has no `ARG {name}`, so it would change nothing: {meant}"
