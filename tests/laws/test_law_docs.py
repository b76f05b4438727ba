"""What the documents name exists: files, headings, verbs, commands, options, variables."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sagedock.cli.app import app
from tests.laws.tree import ROOT, SOURCES, literals, short, tracked_files

DOCUMENTS = tuple(file for file in tracked_files() if file.suffix == ".md")
VARIABLES = ROOT / "docs" / "reference" / "environment-variables.md"

_FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ (?P<text>.+)$", re.MULTILINE)
_VERB = re.compile(r"(?:^|[`\s])make (?P<verb>[a-z][a-z-]*)\b", re.MULTILINE)
_WORD = r"-{0,2}[a-zA-Z][\w-]*"
_COMMAND = re.compile(rf"(?<![\w/.-])sagedock (?P<words>{_WORD}(?: {_WORD})*)")
_VARIABLE = re.compile(r"\bSAGEDOCK_[A-Z_]+\b")

every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=short)


def prose(document: Path) -> str:
    """Return a document without its code blocks."""
    return _FENCE.sub("", document.read_text(encoding="utf-8"))


def code(document: Path) -> str:
    """Return a document's code, blocks and spans, each on lines of its own."""
    text = document.read_text(encoding="utf-8")
    blocks = [match["text"] for match in _FENCE.finditer(text) if match["language"] != "python"]
    return "\n".join([*blocks, *_SPAN.findall(_FENCE.sub("", text))])


def anchors(document: Path) -> set[str]:
    """Return the names by which a document's headings are linked to."""
    titles = [match["text"] for match in _HEADING.finditer(prose(document))]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@every_document
def test_links_lead_somewhere(document: Path) -> None:
    dead = []
    for match in _LINK.finditer(prose(document)):
        name, _, anchor = match["target"].partition("#")
        if "://" in name:
            continue
        target = (document.parent / name).resolve() if name else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(match["target"])
    assert dead == []


@cache
def verbs() -> frozenset[str]:
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    return frozenset(line.split()[0] for line in done.stdout.splitlines())


@every_document
def test_make_knows_each_verb(document: Path) -> None:
    assert {match["verb"] for match in _VERB.finditer(code(document))} <= verbs()


@cache
def help_of(words: tuple[str, ...]) -> str:
    terminal = {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
    done = CliRunner(env=terminal).invoke(app, [*words, "--help"])
    assert done.exit_code == 0, f"sagedock {' '.join(words)}: {done.output}"
    return done.stdout


def commands(document: Path) -> set[tuple[str, ...]]:
    """Return each ``sagedock WORD... --option`` that a document names, as words."""
    found = (match["words"].split() for match in _COMMAND.finditer(code(document)))
    return {tuple(words) for words in found}


@every_document
def test_the_command_line_knows_each_command(document: Path) -> None:
    for words in commands(document):
        names = tuple(word for word in words if re.fullmatch(r"[a-z][a-z0-9-]*", word))
        options = {word for word in words if word.startswith("--")}
        shown = help_of(names)
        assert all(option in shown for option in options), words


def test_each_command_of_the_reference_is_tried() -> None:
    tried = {words[:2] for words in commands(ROOT / "docs" / "reference" / "cli.md")}
    words = ("up", "down", "status", "env", "run", "clean", "interrupt", "fault")
    told = {("local", name) for name in words}
    assert told | {("images",), ("jobs",), ("jobs", "show"), ("--version",)} <= tried


def test_each_variable_of_the_source_is_told() -> None:
    read = {
        name for file in SOURCES for _, text in literals(file) for name in _VARIABLE.findall(text)
    }
    told = set(_VARIABLE.findall(VARIABLES.read_text(encoding="utf-8")))
    assert told == read


@every_document
def test_each_variable_told_is_in_the_reference(document: Path) -> None:
    told = set(_VARIABLE.findall(document.read_text(encoding="utf-8")))
    assert told <= set(_VARIABLE.findall(VARIABLES.read_text(encoding="utf-8")))


@every_document
def test_python_in_documents_compiles(document: Path) -> None:
    for match in _FENCE.finditer(document.read_text(encoding="utf-8")):
        if match["language"] == "python":
            compile(match["text"], short(document), "exec")
