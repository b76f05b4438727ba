"""Which image a stage of a Dockerfile starts from, by its text and the arguments of a build."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sagedock.images.dockerfile import From, arguments, as_from, instructions
from sagedock.images.image import ARCHITECTURE

__all__ = ["another_base"]

#: Only these forms: https://docs.docker.com/reference/dockerfile/#environment-replacement
_VARIABLE = re.compile(
    r"\$(?:(?P<plain>\w+)|\{(?P<braced>\w+)(?:(?P<form>:?[-+])(?P<word>[^{}$]*))?\})"
)
#: What the builder sets itself, as far as our platform tells it. Source:
#: https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope
_PLATFORM = {
    "TARGETPLATFORM": f"linux/{ARCHITECTURE}",
    "TARGETOS": "linux",
    "TARGETARCH": ARCHITECTURE,
    "TARGETVARIANT": "",
}


class _UnknownForm(Exception):
    """A variable in a form that is not read here."""


@dataclass(frozen=True)
class _Stage:
    """A stage: its FROM, and the image or stage that this means."""

    begins: From
    start: str


def another_base(
    base: str, target: str, args: Mapping[str, str], dockerfile: str
) -> tuple[int, str, str] | None:
    """Return where a Dockerfile, given as text, starts ``target`` from another image than ``base``:
    the line, its ``FROM ...``, and the image; None where it does not, or where that is not known.

    ``args`` are those of the build beside BASE.
    """
    try:
        stages = _stages(dockerfile, {**_PLATFORM, "BASE": base, **args})
    except _UnknownForm:
        return None
    found = _position(target, stages)
    while found is not None:
        stage = stages[found]
        before = _position(stage.start, stages[:found], by_number=False)
        if before is None:
            same = _same_image(stage.start, base)
            return None if same else (stage.begins.line, stage.begins.said, stage.start)
        found = before
    return None


def _position(name: str, stages: list[_Stage], *, by_number: bool = True) -> int | None:
    """Return the place of the last stage of that name, or of that number."""
    for number in reversed(range(len(stages))):
        if stages[number].begins.name.lower() == name.lower() != "":
            return number
    return int(name) if by_number and name.isdigit() and int(name) < len(stages) else None


def _same_image(start: str, base: str) -> bool:
    """Say whether two names mean one image; a digest that only FROM has pins what it names."""
    if "@" not in base:
        start = start.partition("@")[0]
    return _whole(start) == _whole(base)


def _whole(name: str) -> str:
    short = re.sub(r"^(?:index\.)?docker\.io/(?:library/)?", "", name)
    return short if re.search(r"[:@][^/]*$", short) else f"{short}:latest"


def _stages(dockerfile: str, given: Mapping[str, str]) -> list[_Stage]:
    """Return the stages. Of arguments, those before the first FROM count, as for the builder."""
    stages: list[_Stage] = []
    known = {name: given[name] for name in _PLATFORM}
    for instruction in instructions(dockerfile):
        if begins := as_from(instruction):
            stages.append(_Stage(begins, _resolved(begins.image.strip("\"'"), known)))
        elif not stages and instruction.is_a("ARG"):
            for name, default in arguments(instruction.rest):
                if name in given:
                    known[name] = given[name]
                elif default is not None or name not in known:
                    known[name] = _resolved(re.sub(r"[\"']", "", default or ""), known)
    return stages


def _resolved(text: str, known: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        name = found["plain"] or found["braced"]
        if name.startswith("BUILD") and name not in known:
            raise _UnknownForm  # the builder's own platform
        form, word, here = found["form"] or "", found["word"] or "", known.get(name)
        is_set = bool(here) if form.startswith(":") else here is not None
        if form.endswith("+"):
            return word if is_set else ""
        return here or "" if is_set or not form else word

    if "$" in _VARIABLE.sub("", text) or "\\" in text:
        raise _UnknownForm
    return _VARIABLE.sub(value, text)
