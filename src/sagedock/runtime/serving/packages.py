"""What the model's code asks pip for, installed outside the model's folder, which is read-only."""

import asyncio
import os
import sys
import sysconfig
import tempfile
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

from sagedock.errors import InvalidRequest
from sagedock.runtime import requirements
from sagedock.runtime.log import write_all

__all__ = ["CODE", "importable", "install"]

#: The folder of a model's code.
CODE = "code"
_REQUIREMENTS = "requirements.txt"
_PREFIX = "sagedock-packages-"
_TAIL_LINES = 50
_WHEELS = (
    f"; no package index can be reached: put the wheels of all that it asks for, and of what they"
    f" need, in {CODE}/{requirements.WHEELHOUSE} of the model, or install them in the image"
)


async def install(
    code: Path, env: Mapping[str, str], say: Callable[[str], None], *, apart: bool = False
) -> Path | None:
    """Install ``code``/requirements.txt; return the folder to import from, if a new one.

    A folder ``wheelhouse`` there is where pip looks, without a network. Packages go where the
    image's own are; where that is read-only, or with ``apart``, to a new folder. Raises
    InvalidRequest where pip fails.
    """
    if not (code / _REQUIREMENTS).is_file():
        return None
    found = requirements.find_packages(
        [requirements.WHEELHOUSE] if (code / requirements.WHEELHOUSE).is_dir() else [],
        code,
        online=requirements.has_route(),
        env=env,
    )
    writable = os.access(sysconfig.get_path("purelib"), os.W_OK)
    folder = None if writable and not apart else Path(tempfile.mkdtemp(prefix=_PREFIX))
    where = ("--target", str(folder)) if folder else ()
    command = ("-m", "pip", "install", *found.options, *where, "-r", _REQUIREMENTS)
    say(f"installing: {' '.join(command[1:])}")
    code_of_pip, tail = await _run(command, code)
    if code_of_pip:
        last = next((line for line in reversed(tail) if line.startswith("ERROR")), "")
        problem = f"pip could not install {CODE}/{_REQUIREMENTS} (exit {code_of_pip}): {last}"
        hint = _WHEELS if requirements.no_index_hint(found, tail) else ""
        raise InvalidRequest([problem + hint])
    return folder


def importable(folder: Path, env: Mapping[str, str]) -> dict[str, str]:
    """Return the variable by which a worker imports from ``folder`` first."""
    return {"PYTHONPATH": ":".join(filter(None, (str(folder), env.get("PYTHONPATH"))))}


async def _run(command: tuple[str, ...], cwd: Path) -> tuple[int, list[str]]:
    """Run Python, its output to the log; return its exit code and its last lines."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        cwd=cwd,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    async for line in cast("asyncio.StreamReader", process.stdout):
        write_all(line)
        tail.append(line.decode("utf-8", "replace").rstrip())
    return await process.wait(), list(tail)
