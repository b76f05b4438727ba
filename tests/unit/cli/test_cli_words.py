"""What the rooms below tell programs, a command tells by its options."""

import ast
from collections.abc import Iterator
from pathlib import Path

import sagedock
from sagedock.cli.words import in_our_words
from sagedock.errors import InvalidRequest, SagedockError

_SOURCES = Path(sagedock.__file__).parent


def _messages(word: str) -> Iterator[str]:
    """Yield every text with ``word`` in it that is no docstring."""
    for file in sorted(_SOURCES.rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
        docstrings = {
            ast.get_docstring(each, clean=False)
            for each in ast.walk(tree)
            if isinstance(each, documented)
        }
        texts = (each.value for each in ast.walk(tree) if isinstance(each, ast.Constant))
        for text in texts:
            if isinstance(text, str) and word in text and text not in docstrings:
                yield text


def test_no_command_tells_of_a_parameter_of_session() -> None:
    found = list(_messages("Session("))
    assert found
    for text in found:
        assert "Session(" not in in_our_words(SagedockError(text)), text


def test_each_problem_has_its_own_option() -> None:
    error = InvalidRequest(["region: 'x' is none", "name: give Session(region=...)"])
    assert in_our_words(error) == "--region: 'x' is none\nname: give --region"
