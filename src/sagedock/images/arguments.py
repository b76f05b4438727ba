"""What a Dockerfile says, by its text: its arguments, the stages that can be built, its labels.

An argument that it does not declare changes nothing, and BuildKit has no word for it.
"""

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from sagedock.images.dockerfile import arguments, froms, instructions

__all__ = ["absent_stage", "declared_arguments", "declared_labels", "stages", "unused_arguments"]

#: The keys of ``LABEL a=b "c d"="e f"``. https://docs.docker.com/reference/dockerfile/#label
_KEY = re.compile(r"(?:^|(?<=\s))(?:\"(?P<quoted>[^\"]+)\"|(?P<plain>[^\s\"'=]+))(?==)")
#: Declared by the builder itself. https://docs.docker.com/build/building/variables/
_PREDEFINED = re.compile(
    r"BUILDKIT_\w+|SOURCE_DATE_EPOCH|(?:HTTPS?|FTP|NO|ALL)_PROXY", re.IGNORECASE
)


def declared_arguments(dockerfile: str) -> frozenset[str]:
    """Return the names of all ``ARG`` instructions of a Dockerfile's text, whatever their stage."""
    found = (each.rest for each in instructions(dockerfile) if each.is_a("ARG"))
    return frozenset(name for rest in found for name, _ in arguments(rest))


def declared_labels(dockerfile: str) -> frozenset[str]:
    """Return the keys of all ``LABEL`` instructions of a Dockerfile's text, of any stage."""
    found = set()
    for instruction in instructions(dockerfile):
        if instruction.is_a("LABEL") and instruction.rest:
            words = re.sub(r"=(?:\"[^\"]*\"|'[^']*')", "=x", instruction.rest)
            keys = {match["quoted"] or match["plain"] for match in _KEY.finditer(words)}
            found |= keys or {words.split()[0].strip("\"'")}  # LABEL a b
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
    return tuple(each.name or f"stage-{number}" for number, each in enumerate(froms(dockerfile)))


def absent_stage(target: str, dockerfile: str) -> Iterator[str]:
    """Yield a problem where a Dockerfile, given as text, has no stage of that name or number."""
    names = [each.name for each in froms(dockerfile)]
    named = [name for name in names if name]
    if target.lower() in map(str.lower, named) or (target.isdigit() and int(target) < len(names)):
        return
    there = f"it has {', '.join(named)}" if named else "write `FROM ... AS` and a name"
    yield f"target {target!r} is no stage of the Dockerfile: {there}"
