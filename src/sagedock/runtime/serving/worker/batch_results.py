"""What a ``batch_predict_fn`` returns, held to its promise: a list, one result for each input."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

__all__ = ["WrongResults", "batch_results"]


class WrongResults(Exception):
    """The results cannot be told apart by input: none of them is anybody's answer."""


def batch_results(
    batch_predict: Callable[..., Any], inputs: Sequence[Any], model: Any, contexts: Sequence[Any]
) -> list[Any]:
    """Return a result for each input. Raises WrongResults where there are more or fewer."""
    found = batch_predict(list(inputs), model, list(contexts))
    if not isinstance(found, Iterable) or isinstance(found, str | bytes | bytearray | Mapping):
        what = f"{type(found).__name__}, no list of results,"
    elif len(results := list(found)) != len(inputs):
        what = _counted(len(results), "result")
    else:
        return results
    raise WrongResults(f"batch_predict_fn returned {what} for {_counted(len(inputs), 'input')}")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
