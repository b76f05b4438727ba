"""The instructions of a Dockerfile, read from its text: no builder is asked, no file is opened.

Source: https://docs.docker.com/reference/dockerfile/
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["From", "Instruction", "arguments", "as_from", "froms", "instructions"]

_HEREDOC = re.compile(r"<<-?[\"']?(?P<word>[A-Za-z_]\w*)[\"']?")
_HAVE_HEREDOCS = ("RUN", "COPY", "ADD")
#: ``A``, ``A=1``, ``A="b c"``.
_ARGUMENT = re.compile(
    r"(?<!\S)(?P<name>[A-Za-z_]\w*)"
    r"(?:=(?P<value>(?:\"[^\"]*\"|'[^']*'|[^\s\"'])*))?(?=\s|$)"
)
#: ``[--platform=...] IMAGE [AS STAGE]``.
_FROM = re.compile(
    r"(?P<said>(?:--\S+\s+)*(?P<image>\S+))(?:\s+AS\s+(?P<name>\S+))?", re.IGNORECASE
)


@dataclass(frozen=True)
class Instruction:
    """An instruction: the number of its first line, its word as it is written, and the rest, of
    all its lines, as one.
    """

    line: int
    word: str
    rest: str

    def is_a(self, word: str) -> bool:
        """Say whether it is that instruction, whatever the case."""
        return self.word.upper() == word


@dataclass(frozen=True)
class From:
    """A FROM: the number of its line, what it says before AS, the image, and the stage's name or
    nothing.
    """

    line: int
    said: str
    image: str
    name: str


def instructions(dockerfile: str) -> Iterator[Instruction]:
    """Yield each instruction; comments and here-documents are none, however they read."""
    begun, parts, ends = 0, list[str](), list[str]()
    for number, line in enumerate(dockerfile.splitlines(), start=1):
        if ends:
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
        instruction = _instruction(begun, parts)
        parts.clear()
        if instruction.word.upper() in _HAVE_HEREDOCS:
            ends += [found["word"] for found in _HEREDOC.finditer(instruction.rest)]
        yield instruction
    if parts:
        yield _instruction(begun, parts)


def _instruction(line: int, parts: list[str]) -> Instruction:
    word, _, rest = " ".join(parts).replace("\t", " ").partition(" ")
    return Instruction(line, word, rest.strip())


def arguments(rest: str) -> Iterator[tuple[str, str | None]]:
    """Yield name and default of what an ARG declares; the default is as it is written, or None."""
    return ((found["name"], found["value"]) for found in _ARGUMENT.finditer(rest))


def froms(dockerfile: str) -> Iterator[From]:
    """Yield each FROM: they begin the stages."""
    return filter(None, map(as_from, instructions(dockerfile)))


def as_from(instruction: Instruction) -> From | None:
    """Return an instruction as a FROM; None where it is another, or has no image."""
    found = _FROM.match(instruction.rest)
    if found is None or not instruction.is_a("FROM"):
        return None
    said = f"{instruction.word} {found['said']}"
    return From(instruction.line, said, found["image"], found["name"] or "")
