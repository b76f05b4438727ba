"""Lambda functions of Lambda steps: Python callables of the user's, each call a process.

A function is registered by name, as FILE:CALLABLE; it is called with the step's arguments and
returns a mapping, as a handler of AWS Lambda does. Its context has ``function_name`` and
``aws_request_id``.
"""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["FunctionFailed", "FunctionMissing", "call", "function_name"]

#: Source: https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps.html (Lambda step:
#: "a maximum runtime of 10 minutes")
_LONGEST_S = 600.0
_SAID = 800
_PROGRAM = """
import importlib.util, json, sys, types
file, name, function, request = sys.argv[1:5]
spec = importlib.util.spec_from_file_location("sagedock_function", file)
module = importlib.util.module_from_spec(spec)
sys.path.insert(0, file.rpartition("/")[0])
spec.loader.exec_module(module)
context = types.SimpleNamespace(function_name=function, aws_request_id=request)
answer = getattr(module, name)(json.load(sys.stdin), context)
with open(sys.argv[5], "w") as result:
    json.dump(answer, result)
"""


class FunctionMissing(Exception):
    """No function is registered by that name; the text says what to do."""


class FunctionFailed(Exception):
    """The function raised, or answered what is no JSON; the text has its last words."""


def function_name(arn: str) -> str:
    """Return the name in a function's ARN, or the name itself; a version or an alias is cut off."""
    parts = arn.split(":")
    return parts[6] if len(parts) > 6 else parts[0]


def call(
    functions: Mapping[str, str],
    arn: str,
    arguments: Mapping[str, Any],
    *,
    environment: Mapping[str, str],
    scratch: Path,
) -> Any:
    """Call a registered function in a process of its own; return what it answers.

    Raises FunctionMissing or FunctionFailed.
    """
    name = function_name(arn)
    if name not in functions:
        raise FunctionMissing(
            f"no function is registered as {name}: name one in "
            f"SAGEDOCK_LAMBDAS={name}=FILE:CALLABLE"
        )
    file, _, handler = functions[name].rpartition(":")
    scratch.mkdir(parents=True, exist_ok=True)
    result = scratch / f"lambda-{uuid.uuid4().hex}.json"
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM, file, handler, name, str(uuid.uuid4()), str(result)],
            input=json.dumps(arguments).encode(),
            env={**os.environ, **environment},
            capture_output=True,
            timeout=_LONGEST_S,
            check=False,
        )
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip()
            raise FunctionFailed(said[-_SAID:] or f"the process ended with {done.returncode}")
        return json.loads(result.read_text())
    except subprocess.TimeoutExpired as error:
        raise FunctionFailed(f"Task timed out after {_LONGEST_S:.0f} seconds") from error
    finally:
        result.unlink(missing_ok=True)
