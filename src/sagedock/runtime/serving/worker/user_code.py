"""The user's functions: found, checked, and called alike, whether they take a context or not."""

import difflib
import importlib.util
import inspect
import operator
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from types import ModuleType
from typing import Any

from sagedock.contract import variables
from sagedock.errors import InvalidRequest
from sagedock.runtime.serving.worker.batch_results import batch_results
from sagedock.runtime.serving.worker.defaults import Defaults

__all__ = ["Function", "Functions", "find_functions", "import_program", "misspelt"]

DEFAULT_PROGRAM = "inference.py"
_CODE = "code"
_INPUT, _PREDICT, _OUTPUT = "input_fn", "predict_fn", "output_fn"
_TRANSFORM, _BATCH, _STREAM = "transform_fn", "batch_predict_fn", "stream_fn"
#: How many arguments each takes; one more is the context.
_ARGUMENTS = {
    "model_fn": 1,
    "pre_model_fn": 1,
    "model_warmup_fn": 2,
    _INPUT: 2,
    _PREDICT: 2,
    _OUTPUT: 2,
    _TRANSFORM: 4,
    _BATCH: 2,
    _STREAM: 2,
}

#: How alike a name must be to one that is known, of 1, to be a slip.
_ALIKE = 0.8

Function = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Functions:
    """A model's functions. Each takes a context as its last argument, whatever the user's takes."""

    model_fn: Function
    pre_model_fn: Function | None
    model_warmup_fn: Function | None
    input_fn: Function
    predict_fn: Function
    #: Which of the user's functions ``predict_fn`` calls.
    predict_step: str
    output_fn: Function
    transform_fn: Function | None
    batch_predict_fn: Function | None
    stream_fn: Function | None


def import_program(model_dir: Path, env: Mapping[str, str]) -> ModuleType | None:
    """Import the user's program; None where the model comes without one.

    That is SAGEMAKER_PROGRAM, or inference.py, in SAGEMAKER_SUBMIT_DIRECTORY where that is a folder
    of this machine, else in the model's folder ``code``. Raises InvalidRequest for a program that
    is named and is not there.
    """
    folder = _code_folder(model_dir, env)
    named = env.get(variables.SAGEMAKER_PROGRAM.name)
    file = folder / (named or DEFAULT_PROGRAM)
    if not file.is_file():
        if not named:
            return None
        raise InvalidRequest([f"{variables.SAGEMAKER_PROGRAM}: {folder} holds no file {named!r}"])
    if not file.resolve().is_relative_to(folder.resolve()):
        raise InvalidRequest([f"{variables.SAGEMAKER_PROGRAM}: {named!r} lies outside {folder}"])
    sys.path.insert(0, str(file.parent))
    return _import(file)


def _code_folder(model_dir: Path, env: Mapping[str, str]) -> Path:
    submitted = env.get(variables.SAGEMAKER_SUBMIT_DIRECTORY.name, "").removeprefix("file://")
    if submitted and Path(submitted).is_dir():
        return Path(submitted)
    return model_dir / _CODE


def _import(file: Path) -> ModuleType:
    name = file.stem
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        problem = f"{variables.SAGEMAKER_PROGRAM}: {file.name} is no Python file: call it NAME.py"
        raise InvalidRequest([problem])
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # pickle and dataclasses look a class's module up there
    spec.loader.exec_module(module)
    return module


def find_functions(module: ModuleType | None, defaults: Defaults) -> Functions:
    """Return the user's functions, the defaults in the place of those that are not there.

    Raises InvalidRequest with every function that cannot be used.
    """
    own = {name: getattr(module, name) for name in _ARGUMENTS if hasattr(module, name)}
    problems = [*_arity_problems(own), *_combination_problems(set(own))]
    if problems:
        raise InvalidRequest(problems)
    calls = {name: _with_context(name, function) for name, function in own.items()}
    batch = calls.get(_BATCH)
    return Functions(
        model_fn=calls.get("model_fn", defaults.default_model_fn),
        pre_model_fn=calls.get("pre_model_fn"),
        model_warmup_fn=calls.get("model_warmup_fn"),
        input_fn=calls.get(_INPUT, defaults.default_input_fn),
        predict_fn=calls.get(_PREDICT) or (_alone(batch) if batch else defaults.default_predict_fn),
        predict_step=_BATCH if batch and _PREDICT not in calls else _PREDICT,
        output_fn=calls.get(_OUTPUT, defaults.default_output_fn),
        transform_fn=calls.get(_TRANSFORM),
        batch_predict_fn=batch,
        stream_fn=calls.get(_STREAM),
    )


def misspelt(module: ModuleType | None) -> Iterator[str]:
    """Yield a warning for each function that nothing calls and whose name is nearly a known one."""
    own = {} if module is None else vars(module)
    absent = [name for name in _ARGUMENTS if name not in own]
    for name, value in own.items():
        if name[0] != "_" and name not in _ARGUMENTS and callable(value):
            for meant in _meant(name, absent):
                yield f"{name} is called by nothing: is {meant} meant?"


def _meant(name: str, absent: Sequence[str]) -> list[str]:
    """Return which of the absent functions a name may stand for. What does not end as they do may
    be a function of the user's own, such as predict: it is a single slip away, or none of them.
    """
    if name.endswith("_fn"):
        return difflib.get_close_matches(name, absent, n=1, cutoff=_ALIKE)
    return [known for known in absent if _is_one_slip(name, known)][:1]


def _is_one_slip(name: str, known: str) -> bool:
    """Say whether a letter more, less or other, or two that changed places, lie between them."""
    start = _alike(name, known)
    a, b = name[start:], known[start:]
    end = _alike(a[::-1], b[::-1])
    a, b = a[: len(a) - end], b[: len(b) - end]
    return max(len(a), len(b)) <= 1 or (len(a) == 2 and a == b[::-1])


def _alike(a: str, b: str) -> int:
    """Return how many letters they begin with alike."""
    return sum(takewhile(bool, map(operator.eq, a, b)))


def _combination_problems(names: set[str]) -> list[str]:
    others = sorted(names & {_INPUT, _PREDICT, _OUTPUT, _BATCH})
    if _TRANSFORM not in names or not others:
        return []
    return [f"{_TRANSFORM} does all of it: take {', '.join(others)} out, or take it out"]


def _arity_problems(own: Mapping[str, Function]) -> list[str]:
    return [
        f"{name} takes {taken} arguments: it must take {_ARGUMENTS[name]}, or one more for the"
        " context"
        for name, function in own.items()
        if (taken := _positional(function)) not in (_ARGUMENTS[name], _ARGUMENTS[name] + 1)
    ]


def _positional(function: Function) -> int:
    parameters = inspect.signature(function).parameters.values()
    if any(each.kind is each.VAR_POSITIONAL for each in parameters):
        return _ARGUMENTS.get(getattr(function, "__name__", ""), len(parameters))
    return sum(
        each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD) for each in parameters
    )


def _with_context(name: str, function: Function) -> Function:
    """Return ``function`` as one that also takes a context, and leaves it out."""
    count = _ARGUMENTS[name]
    if _positional(function) == count + 1:
        return function
    return lambda *arguments: function(*arguments[:count])


def _alone(batch_predict: Function) -> Function:
    """Return a function of one input that calls one of a batch of inputs."""
    return lambda data, model, context: batch_results(batch_predict, [data], model, [context])[0]
