"""How the source reads, as far as a machine can tell: sizes, names, excepts, public surfaces."""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import sagedock
from tests.laws.tree import PACKAGE, SOURCES, name_of, nodes, parsed, short

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


def broken(law: Callable[[Path], object]) -> dict[str, object]:
    """Return what ``law`` says of each source file that breaks it; it says nothing of others."""
    told = {short(file): law(file) for file in SOURCES}
    return {file: problem for file, problem in told.items() if problem}


def test_files_are_short() -> None:
    def law(file: Path) -> object:
        lines = len(file.read_text(encoding="utf-8").splitlines())
        return lines if lines > LONGEST_FILE else None

    assert broken(law) == {}


def test_functions_are_short() -> None:
    assert broken(_long_functions) == {}


def _long_functions(file: Path) -> object:
    functions = [
        node for node in nodes(file) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return {each.name: size for each in functions if (size := _lines(each)) > LONGEST_FUNCTION}


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_names_say_what_may_be_inside() -> None:
    assert broken(lambda file: NAMELESS & set(name_of(file).split("."))) == {}


def test_public_modules_have_a_docstring() -> None:
    without = broken(lambda file: not ast.get_docstring(parsed(file)))
    assert without == {}, "say in one line what the module promises"


def test_no_except_hides_what_it_cannot_name() -> None:
    why = "name the exceptions, raise again, or say why: noqa: BLE001 - why"
    assert broken(_hiding) == {}, why


def _hiding(file: Path) -> object:
    lines = file.read_text(encoding="utf-8").splitlines()
    return [
        f"line {handler.lineno}"
        for handler in nodes(file)
        if isinstance(handler, ast.ExceptHandler)
        and _is_broad(handler)
        and not _raises(handler)
        and not re.search(r"# noqa: BLE001 - \w", lines[handler.lineno - 1])
    ]


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


def test_all_is_sorted() -> None:
    def law(file: Path) -> object:
        names = published(file) or []
        wanted = sorted(set(names), key=in_order)
        return wanted if names != wanted else None

    assert broken(law) == {}


def test_all_is_bound() -> None:
    assert broken(lambda file: set(published(file) or []) - bound(file)) == {}


def test_all_is_complete() -> None:
    assert broken(_unpublished) == {}


def _unpublished(file: Path) -> object:
    definitions = {
        node.name
        for node in parsed(file).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    }
    return set() if _is_command_line(file) else definitions - set(published(file) or [])


def _is_command_line(file: Path) -> bool:
    """Say whether a module's functions are commands, published by the object that holds them."""
    return file.parent == PACKAGE / "cli" and "app" in bound(file)


def imports_between_rooms() -> list[tuple[str, str, str]]:
    """Return (importing module, module, name) of each ``from sagedock... import name``."""
    return [
        (name_of(file), node.module, alias.name)
        for file in SOURCES
        for node in nodes(file)
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
