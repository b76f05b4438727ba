"""Lambda functions of Lambda steps: Python callables of the user's, each call a process.

A function is registered by name, as FILE:CALLABLE, or was created in Lambda here, from a zip file;
it is called with the step's arguments and returns a mapping, as a handler of AWS Lambda does. Its
context has ``function_name`` and ``aws_request_id``. It runs with the server's own Python.
"""

import io
import json
import os
import shutil
import subprocess
import sys
import uuid
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sagedock.local.others import Function

__all__ = ["FunctionFailed", "FunctionMissing", "call", "function_name"]

#: Source: https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps.html (Lambda step:
#: "a maximum runtime of 10 minutes")
_LONGEST_S = 600.0
_SAID = 800
_PROGRAM = """
import importlib.util, json, sys, types
root, file, name, function, request = sys.argv[1:6]
spec = importlib.util.spec_from_file_location("sagedock_function", file)
module = importlib.util.module_from_spec(spec)
sys.path.insert(0, root)
spec.loader.exec_module(module)
context = types.SimpleNamespace(function_name=function, aws_request_id=request)
handler = getattr(module, name, None)
if handler is None:
    sys.exit(f"Runtime.HandlerNotFound: Handler '{name}' missing on module '{file}'")
answer = handler(json.load(sys.stdin), context)
try:
    text = json.dumps(answer)
except (TypeError, ValueError) as error:
    sys.exit(f"Runtime.MarshalError: Unable to marshal response: {error}")
with open(sys.argv[6], "w") as result:
    result.write(text)
"""


class FunctionMissing(Exception):
    """No function is registered by that name; the text says what to do."""


class FunctionFailed(Exception):
    """The function raised, or answered what is no JSON; the text has its last words."""


def function_name(arn: str) -> str:
    """Return the name in a function's ARN, or the name itself; a version or an alias is cut off."""
    parts = arn.split(":")
    return parts[6] if len(parts) > 6 else parts[0]


@dataclass(frozen=True, kw_only=True)
class _Program:
    """What a call runs: a callable of a Python file, with ``root`` on the path."""

    root: Path
    file: Path
    handler: str
    variables: Mapping[str, str] = field(default_factory=dict)
    limit_s: float = _LONGEST_S


def call(
    registered: Mapping[str, str],
    created: Callable[[str], Function | None],
    arn: str,
    arguments: Mapping[str, Any],
    *,
    environment: Mapping[str, str],
    scratch: Path,
) -> Any:
    """Call a function in a process of its own; return what it answers. ``created`` finds those that
    Lambda has, by name; one that is registered goes before.

    Raises FunctionMissing or FunctionFailed.
    """
    name = function_name(arn)
    if name in registered:
        file, _, handler = registered[name].rpartition(":")
        program = _Program(root=Path(file).parent, file=Path(file), handler=handler)
        return _answer(program, name, arguments, environment, scratch)
    function = created(name)
    if function is None:
        raise FunctionMissing(
            f"no function is registered as {name}: name one in "
            f"SAGEDOCK_LAMBDAS={name}=FILE:CALLABLE, or create it in Lambda, which keeps it until "
            "the server ends"
        )
    with _unpacked(name, function, scratch) as program:
        return _answer(program, name, arguments, environment, scratch)


@contextmanager
def _unpacked(name: str, function: Function, scratch: Path) -> Iterator[_Program]:
    """Unpack a function's code for as long as it is called."""
    if not function.runtime.startswith("python") or function.has_layers:
        raise FunctionFailed(
            f"{name} is not run here: only Python in a zip file, without layers, is; register "
            f"another in SAGEDOCK_LAMBDAS={name}=FILE:CALLABLE"
        )
    module, _, handler = function.handler.rpartition(".")
    folder = scratch / f"lambda-{uuid.uuid4().hex}"
    try:
        with zipfile.ZipFile(io.BytesIO(function.code)) as packed:
            packed.extractall(folder)
        file = folder / f"{module.replace('.', '/')}.py"
        if not file.is_file():
            raise FunctionFailed(f"Unable to import module '{module}': {name} has no {file.name}")
        yield _Program(
            root=folder,
            file=file,
            handler=handler,
            variables={"AWS_LAMBDA_FUNCTION_NAME": name, **function.variables},
            limit_s=min(function.limit_s, _LONGEST_S),
        )
    except zipfile.BadZipFile as error:
        raise FunctionFailed(f"the code of {name} is no zip file: {error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answer(
    program: _Program,
    name: str,
    arguments: Mapping[str, Any],
    environment: Mapping[str, str],
    scratch: Path,
) -> Any:
    scratch.mkdir(parents=True, exist_ok=True)
    result = scratch / f"lambda-{uuid.uuid4().hex}.json"
    words = (program.root, program.file, program.handler, name, uuid.uuid4(), result)
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM, *map(str, words)],
            input=json.dumps(arguments).encode(),
            env={**os.environ, **environment, **program.variables},
            capture_output=True,
            timeout=program.limit_s,
            check=False,
        )
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip()
            raise FunctionFailed(said[-_SAID:] or f"the process ended with {done.returncode}")
        return json.loads(result.read_text())
    except subprocess.TimeoutExpired as error:
        raise FunctionFailed(f"Task timed out after {program.limit_s:.0f} seconds") from error
    finally:
        result.unlink(missing_ok=True)
