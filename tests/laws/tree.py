"""The repository as the laws see it: its tracked files, and its source, parsed."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "sagedock"
SOURCES = tuple(sorted(PACKAGE.rglob("*.py")))


@cache
def parsed(file: Path) -> ast.Module:
    """Return a source file's syntax tree."""
    return ast.parse(file.read_text(encoding="utf-8"), filename=str(file))


@cache
def nodes(file: Path) -> tuple[ast.AST, ...]:
    """Return every node of a source file's syntax tree."""
    return tuple(ast.walk(parsed(file)))


def name_of(file: Path) -> str:
    """Return the name of the module that a source file holds."""
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(file: Path) -> str:
    """Return the room that a source file lies in, its own name for a file at the top."""
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def short(file: Path) -> str:
    """Return a file's path from the root, as pytest shows it."""
    return file.relative_to(ROOT).as_posix()


def literals(file: Path) -> list[tuple[int, str]]:
    """Return (line, text) of each string a file types; docstrings and comments are prose."""
    prose = {id(node.value) for node in nodes(file) if isinstance(node, ast.Expr)}
    return [
        (node.lineno, node.value)
        for node in nodes(file)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose
    ]


@cache
def tracked_files() -> tuple[Path, ...]:
    """Return the files that git tracks, and those it would: the next commit's."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = listed.stdout.decode().split("\0")
    return tuple(sorted(ROOT / name for name in names if name and (ROOT / name).is_file()))
