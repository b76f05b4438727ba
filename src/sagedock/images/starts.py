"""Which image a stage of a Dockerfile starts from, by its text and the arguments of a build."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sagedock.images.image import ARCHITECTURE

__all__ = ["another_base"]

_ARG = re.compile(r"ARG[ \t]+(?P<words>.+)", re.IGNORECASE)
_FROM = re.compile(
    r"(?P<said>FROM[ \t]+(?:--\S+[ \t]+)*(?P<image>\S+))(?:[ \t]+AS[ \t]+(?P<name>\S+))?",
    re.IGNORECASE,
)
_PAIR = re.compile(
    r"(?P<name>[A-Za-z_]\w*)(?:=(?P<value>(?:\"[^\"]*\"|'[^']*'|[^\s\"'])*))?(?=\s|$)"
)
#: Only these forms: https://docs.docker.com/reference/dockerfile/#environment-replacement
_VARIABLE = re.compile(
    r"\$(?:(?P<plain>\w+)|\{(?P<braced>\w+)(?:(?P<form>:?[-+])(?P<word>[^{}$]*))?\})"
)
_HEREDOC = re.compile(r"<<-?[\"']?(?P<word>[A-Za-z_]\w*)[\"']?")
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


@dataclass(frozen=True, kw_only=True)
class _Stage:
    """A stage: what its FROM says, in which line, and the image or stage that this means."""

    line: int
    said: str
    name: str
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
            return None if same else (stage.line, stage.said, stage.start)
        found = before
    return None


def _position(name: str, stages: list[_Stage], *, by_number: bool = True) -> int | None:
    """Return the place of the last stage of that name, or of that number."""
    for number in reversed(range(len(stages))):
        if stages[number].name.lower() == name.lower() != "":
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
    for line, text in _instructions(dockerfile):
        if found := _FROM.match(text):
            start = _resolved(found["image"].strip("\"'"), known)
            stages.append(
                _Stage(line=line, said=found["said"], name=found["name"] or "", start=start)
            )
        elif not stages and (found := _ARG.fullmatch(text)):
            for pair in _PAIR.finditer(found["words"]):
                name, default = pair["name"], re.sub(r"[\"']", "", pair["value"] or "")
                if name in given:
                    known[name] = given[name]
                elif pair["value"] is not None or name not in known:
                    known[name] = _resolved(default, known)
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


def _instructions(dockerfile: str) -> Iterator[tuple[int, str]]:
    """Yield each instruction as one line, with the number of its first."""
    begun, parts, ends = 0, list[str](), list[str]()
    for number, line in enumerate(dockerfile.splitlines(), start=1):
        if ends:  # a here-document
            if line.strip() == ends[0]:
                ends.pop(0)
            continue
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        begun = begun if parts else number
        text = line.rstrip()
        parts.append(text.removesuffix("\\").strip())
        if text.endswith("\\"):
            continue
        whole = " ".join(parts)
        parts.clear()
        if re.match(r"(?:RUN|COPY|ADD)\s", whole, re.IGNORECASE):
            ends += [found["word"] for found in _HEREDOC.finditer(whole)]
        yield begun, whole
