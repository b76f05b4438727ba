"""The user's program: which kind it is, how it is made ready, and the command that runs it."""

import os
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import assert_never

from sagedock.contract import variables
from sagedock.errors import InvalidRequest

__all__ = [
    "Kind",
    "command",
    "find",
    "kind_of",
    "make_executable",
    "pip_targets",
    "without_shell",
]

_SHOWN_FILES = 10
#: `sh` runs the file by its first line, or itself where there is none; no argument is parsed again.
_SHELL = ("/bin/sh", "-c", 'exec "$0" "$@"')


class Kind(StrEnum):
    """What the toolkit tells apart."""

    SCRIPT = "script"
    PACKAGE = "package"
    COMMAND = "command"


def kind_of(program: str, code: Path) -> Kind:
    """Return the kind of entry point, by the toolkit's rules."""
    if program.endswith(".sh"):
        return Kind.COMMAND
    if (code / "setup.py").exists():
        return Kind.PACKAGE
    return Kind.SCRIPT if program.endswith(".py") else Kind.COMMAND


def find(program: str | None, code: Path) -> str:
    """Return the entry point relative to ``code``: ``./train.py`` is ``train.py``.

    Raises InvalidRequest where none is named, where it is not there, or lies outside.
    """
    if not program:
        raise InvalidRequest(
            [
                "no entry point is named: set the hyperparameter sagemaker_program (or the"
                f" variable {variables.SAGEMAKER_PROGRAM}) to a file in {code}, e.g. train.py."
                f" {_files(code)}"
            ]
        )
    path = Path(os.path.normpath(code / program))
    inside = path.is_relative_to(code) and path.resolve().is_relative_to(code.resolve())
    if not inside:
        problem = f"sagemaker_program: {program!r} lies outside {code}: name a file inside it"
        raise InvalidRequest([problem])
    relative = str(path.relative_to(code))
    if kind_of(relative, code) is not Kind.PACKAGE and not path.is_file():
        problem = f"sagemaker_program: there is no file {program!r} in {code}. {_files(code)}"
        raise InvalidRequest([problem])
    return relative


def _files(code: Path) -> str:
    names = sorted(entry.name for entry in code.iterdir()) if code.is_dir() else []
    if not names:
        return "The folder is empty: does the job name its source (sagemaker_submit_directory)?"
    more = ", ..." if len(names) > _SHOWN_FILES else ""
    return f"It holds {', '.join(names[:_SHOWN_FILES])}{more}"


def pip_targets(kind: Kind, code: Path) -> list[str]:
    """Return what pip must install to make the program ready; nothing for most."""
    targets = ["."] if kind is Kind.PACKAGE else []
    if (code / "requirements.txt").exists():
        targets += ["-r", "requirements.txt"]
    return targets


def make_executable(program: str, code: Path) -> None:
    """Let a command be run: archives and uploads lose that bit."""
    file = code / program
    if not os.access(file, os.X_OK):
        file.chmod(0o755)


def command(program: str, kind: Kind, arguments: Sequence[str]) -> list[str]:
    """Return the command of a single process, hyperparameters as its arguments."""
    match kind:
        case Kind.SCRIPT:
            return [sys.executable, "--", program, *arguments]
        case Kind.PACKAGE:
            module = ".".join(PurePosixPath(program.removesuffix(".py")).parts)
            return [sys.executable, "-m", module, *arguments]
        case Kind.COMMAND:
            return [*_SHELL, f"./{program}", *arguments]
        case _:
            assert_never(kind)


def without_shell(argv: Sequence[str]) -> list[str]:
    """Return a command as its reader thinks of it: without the shell that only starts it."""
    return list(argv[len(_SHELL) :] if tuple(argv[: len(_SHELL)]) == _SHELL else argv)
