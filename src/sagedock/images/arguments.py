"""What a Dockerfile says, by its text: its arguments, the stages that can be built, its labels.

An argument that it does not declare changes nothing, and BuildKit has no word for it.
"""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

__all__ = ["absent_stage", "declared_arguments", "declared_labels", "stages", "unused_arguments"]

#: ``ARG A``, ``ARG A=1 B``; a line may go on behind a backslash.
#: https://docs.docker.com/reference/dockerfile/#arg
_INSTRUCTION = re.compile(r"^[ \t]*ARG[ \t]+(?P<words>.*)$", re.IGNORECASE | re.MULTILINE)
_NAME = re.compile(r"(?:^|\s)(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?==|\s|$)")
#: ``FROM [--platform=...] IMAGE [AS STAGE]``. https://docs.docker.com/reference/dockerfile/#from
_STAGE = re.compile(
    r"^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*\S+(?:[ \t]+AS[ \t]+(?P<name>\S+))?",
    re.IGNORECASE | re.MULTILINE,
)
#: ``LABEL a=b "c d"="e f"``, ``LABEL a b``. https://docs.docker.com/reference/dockerfile/#label
_LABEL = re.compile(r"^[ \t]*LABEL[ \t]+(?P<words>.*)$", re.IGNORECASE | re.MULTILINE)
_KEY = re.compile(r"(?:^|(?<=\s))(?:\"(?P<quoted>[^\"]+)\"|(?P<plain>[^\s\"'=]+))(?==)")
_COMMENT = re.compile(r"^[ \t]*#.*\n", re.MULTILINE)
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


def declared_labels(dockerfile: str) -> frozenset[str]:
    """Return the keys of all ``LABEL`` instructions of a Dockerfile's text, of any stage."""
    text = re.sub(r"\\[ \t]*\n", " ", _COMMENT.sub("", dockerfile))
    found = set()
    for instruction in _LABEL.finditer(text):
        words = re.sub(r"=(?:\"[^\"]*\"|'[^']*')", "=x", instruction["words"])
        keys = {match["quoted"] or match["plain"] for match in _KEY.finditer(words)}
        found |= keys or {words.split()[0].strip("\"'")}
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


def stages(dockerfile: str) -> tuple[str, ...]:
    """Return the stages of a Dockerfile's text in their order, by the names that BuildKit has for
    them: ``stage-1`` where the second has none.
    """
    found = enumerate(_STAGE.finditer(dockerfile))
    return tuple(match["name"] or f"stage-{number}" for number, match in found)


def absent_stage(target: str, dockerfile: str) -> Iterator[str]:
    """Yield a problem where a Dockerfile, given as text, has no stage of that name or number."""
    named = [match["name"] for match in _STAGE.finditer(dockerfile) if match["name"]]
    if target.lower() in (stage.lower() for stage in named) or target.isdigit():
        return
    there = f"it has {', '.join(named)}" if named else "write `FROM ... AS` and a name"
    yield f"target {target!r} is no stage of the Dockerfile: {there}"
