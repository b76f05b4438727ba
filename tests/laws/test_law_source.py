"""How the source reads, as far as a machine can tell: sizes, names, excepts, public surfaces."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import sagedock
from tests.laws.tree import PACKAGE, SOURCES, name_of, parsed, short

LONGEST_FILE = 400
LONGEST_FUNCTION = 50
NAMELESS = {"common", "core", "helpers", "manager", "utils"}
#: What `import sagedock` must not load, and what the client must not load before it is used.
HEAVY = {
    "boto3",
    "botocore",
    "docker",
    "matplotlib",
    "moto",
    "optuna",
    "rich",
    "starlette",
    "typer",
    "uvicorn",
}

every_file = pytest.mark.parametrize("file", SOURCES, ids=short)


@every_file
def test_files_are_short(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@every_file
def test_functions_are_short(file: Path) -> None:
    functions = [
        node
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    long = {each.name: size for each in functions if (size := _lines(each)) > LONGEST_FUNCTION}
    assert long == {}


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


@every_file
def test_names_say_what_may_be_inside(file: Path) -> None:
    assert not NAMELESS & set(name_of(file).split("."))


@every_file
def test_public_modules_have_a_docstring(file: Path) -> None:
    assert ast.get_docstring(parsed(file)), "say in one line what the module promises"


@every_file
def test_no_except_hides_what_it_cannot_name(file: Path) -> None:
    lines = file.read_text(encoding="utf-8").splitlines()
    hiding = [
        f"line {handler.lineno}"
        for handler in ast.walk(parsed(file))
        if isinstance(handler, ast.ExceptHandler)
        and _is_broad(handler)
        and not _raises(handler)
        and not re.search(r"# noqa: BLE001 - \w", lines[handler.lineno - 1])
    ]
    assert hiding == [], "name the exceptions, raise again, or say why: noqa: BLE001 - why"


def _is_broad(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    named = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)}
    return bool(named & {"BaseException", "Exception"})


def _raises(handler: ast.ExceptHandler) -> bool:
    return any(isinstance(node, ast.Raise) for node in ast.walk(handler))


def published(file: Path) -> list[str] | None:
    """Return a module's ``__all__``, None where it has none."""
    for node in parsed(file).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
        ):
            return [str(name) for name in ast.literal_eval(node.value)]
    return None


def bound(file: Path) -> set[str]:
    """Return the names that a module's top level binds."""
    return set(_bound(parsed(file).body))


def _bound(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
            case ast.Import() | ast.ImportFrom():
                yield from (alias.asname or alias.name for alias in node.names)
            case ast.If():  # if TYPE_CHECKING
                yield from _bound(node.body)
            case ast.Assign():
                yield from (each.id for each in node.targets if isinstance(each, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name)):
                yield name


def in_order(name: str) -> tuple[int, str]:
    """Sort as ruff does: CONSTANTS, Classes, functions."""
    return (0 if name.isupper() else 1 if name[:1].isupper() else 2, name)


@every_file
def test_all_is_sorted_and_bound(file: Path) -> None:
    names = published(file) or []
    assert names == sorted(set(names), key=in_order)
    assert set(names) <= bound(file)


@every_file
def test_all_is_complete(file: Path) -> None:
    definitions = {
        node.name
        for node in parsed(file).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    }
    if _is_command_line(file):
        return
    assert definitions <= set(published(file) or [])


def _is_command_line(file: Path) -> bool:
    """Say whether a module's functions are commands, published by the object that holds them."""
    return file.parent == PACKAGE / "cli" and "app" in bound(file)


def imports_between_rooms() -> list[tuple[str, str, str]]:
    """Return (importing module, module, name) of each ``from sagedock... import name``."""
    return [
        (name_of(file), node.module, alias.name)
        for file in SOURCES
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sagedock")
        for alias in node.names
        if node.module
    ]


def test_what_is_imported_is_published() -> None:
    files = {name_of(file): file for file in SOURCES}
    hidden = [
        f"{importer}: {module}.{name}"
        for importer, module, name in imports_between_rooms()
        if f"{module}.{name}" not in files and name not in (published(files[module]) or [])
    ]
    assert hidden == []


def loaded_after(statement: str) -> set[str]:
    """Return the modules that a fresh Python has loaded after ``statement``."""
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("statement", ["import sagedock", "from sagedock import Estimator"])
def test_importing_loads_nothing_heavy(statement: str) -> None:
    before = loaded_after("pass")  # an environment may load some at every start
    assert (loaded_after(statement) - before) & HEAVY == set()


@pytest.mark.parametrize("name", sagedock.__all__)
def test_each_public_name_can_be_fetched(name: str) -> None:
    found = getattr(sagedock, name)
    assert found.__name__ == name
    assert name in dir(sagedock)


def test_an_unknown_name_is_refused_by_name() -> None:
    with pytest.raises(AttributeError, match="'Estimtor'"):
        _ = sagedock.Estimtor  # type: ignore[attr-defined]
