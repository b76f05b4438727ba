"""Law: each call of a public class that the documents show has parameters of that class."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

import sagedock
from tests.laws.tree import short, tracked_files

DOCUMENTS = tuple(file for file in tracked_files() if file.suffix == ".md")
_BLOCK = re.compile(r"^ *```python\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_CLASSES = {
    name: each
    for name in sagedock.__all__
    if inspect.isclass(each := getattr(sagedock, name)) and not issubclass(each, Exception)
}


def calls(document: Path) -> Iterator[ast.Call]:
    """Yield the calls of public classes in a document's Python, blocks and spans."""
    text = document.read_text(encoding="utf-8")
    blocks = [textwrap.dedent(block) for block in _BLOCK.findall(text)]
    for code in [*blocks, *_SPAN.findall(_BLOCK.sub("", text))]:
        try:
            parsed = ast.parse(code)
        except SyntaxError:  # a shell's line, or words
            continue
        for node in ast.walk(parsed):
            named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            if named and node.func.id in _CLASSES:
                yield node


def wrong(call: ast.Call) -> str | None:
    """Return why a class would not take a call's arguments; ``...`` stands for any others."""
    elided = any(isinstance(each, ast.Constant) and each.value is ... for each in call.args)
    given = [] if elided else call.args
    named = {each.arg: None for each in call.keywords if each.arg}
    try:
        inspect.signature(_CLASSES[call.func.id]).bind_partial(*given, **named)
    except TypeError as error:
        return f"{ast.unparse(call)}: {error}"
    return None


@pytest.mark.parametrize("document", DOCUMENTS, ids=short)
def test_a_document_calls_classes_as_they_are(document: Path) -> None:
    assert [told for call in calls(document) if (told := wrong(call))] == []


def test_a_wrong_call_would_be_found() -> None:
    (call,) = (
        node for node in ast.walk(ast.parse("DataCapture('x')")) if isinstance(node, ast.Call)
    )
    assert wrong(call)
