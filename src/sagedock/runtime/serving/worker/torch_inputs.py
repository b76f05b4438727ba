"""Which inputs a torch model takes, by name: clients' are held to it once a call has failed."""

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["arguments", "wrong_names"]


def arguments(model: Any, tensors: Any) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
    """Return what to call a model with; ``tensors`` is one, or a mapping by name.

    An exported program takes by position what it was exported with so.
    """
    if not isinstance(tensors, dict):
        return (tensors,), {}
    if not hasattr(model, "_in_spec"):
        return (), tensors
    by_position = _names(model)[0][: model._in_spec.children_specs[0].num_children]
    if not set(by_position) <= set(tensors):
        return (), tensors
    rest = {name: value for name, value in tensors.items() if name not in by_position}
    return tuple(tensors[name] for name in by_position), rest


def wrong_names(model: Any, tensors: Any) -> str | None:
    """Return what is wrong with the names of the inputs; None where nothing is, or none is known.

    With it a model cannot have been called at all, whatever its own code may raise.
    """
    try:
        known, required, takes_any = _names(model)
    except (TypeError, ValueError):  # no signature can be read
        return None
    given = set(tensors) if isinstance(tensors, dict) else set(known[:1])
    problems = list(_problems(given, known, required, takes_any=takes_any))
    if not problems:
        return None
    return f"the model takes the inputs {', '.join(known)}: {'; '.join(problems)}"


def _problems(
    given: set[str], known: list[str], required: list[str], *, takes_any: bool
) -> Iterator[str]:
    if not takes_any and (unknown := sorted(given - set(known))):
        yield f"{', '.join(unknown)} is unknown"
    if missing := [name for name in required if name not in given]:
        yield f"{', '.join(missing)} is missing"


def _names(model: Any) -> tuple[list[str], list[str], bool]:
    """Return all inputs, those without a default, and whether any other is taken, too."""
    schema = getattr(model.forward, "schema", None)
    if schema is not None:  # TorchScript
        rows = [each for each in schema.arguments if each.name != "self"]
        return (
            [each.name for each in rows],
            [each.name for each in rows if not each.has_default_value()],
            False,
        )
    parameters = inspect.signature(model.forward).parameters.values()
    loose = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    named = [each for each in parameters if each.kind not in loose]
    return (
        [each.name for each in named],
        [each.name for each in named if each.default is each.empty],
        len(named) < len(parameters),
    )
