"""The tree of exceptions that errors.py draws is the tree that it defines."""

import inspect
import re

import pytest

from sagedock import errors
from sagedock.errors import SagedockError

#: ``    │   ├── ImageNotFound .... 3   what it means``: indent, name, and the code where it is new.
_LINE = re.compile(r"^    (?P<indent>[│ ]*)(?:[├└]── )?(?P<name>[A-Z]\w+)(?: \.+ (?P<code>\d+))?")
_INDENT = 4


def drawn() -> dict[str, tuple[str | None, int]]:
    """Return each name that the docstring draws with (its parent's name, its exit code)."""
    found: dict[str, tuple[str | None, int]] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").partition("::\n")[2].splitlines():
        match = _LINE.match(line)
        if match is None:
            assert not line.strip(), f"not a line of the tree: {line!r}"
            continue
        depth = 0 if match["name"] == "SagedockError" else 1 + len(match["indent"]) // _INDENT
        above = above[:depth]
        parent = above[-1] if above else None
        code = int(match["code"]) if match["code"] else found[str(parent)][1]
        found[match["name"]] = (parent, code)
        above.append(match["name"])
    return found


def defined() -> dict[str, tuple[str | None, int]]:
    classes = [
        each
        for _, each in inspect.getmembers(errors, inspect.isclass)
        if each.__module__ == errors.__name__
    ]
    return {
        each.__name__: (
            None if each is SagedockError else each.__bases__[0].__name__,
            each.exit_code,
        )
        for each in classes
    }


def test_the_tree_is_drawn_as_it_is() -> None:
    assert drawn() == defined()


def test_all_of_it_is_public() -> None:
    assert sorted(defined()) == list(errors.__all__)


@pytest.mark.parametrize("name", errors.__all__)
def test_each_is_a_sagedock_error_with_a_promise(name: str) -> None:
    error = getattr(errors, name)
    assert issubclass(error, SagedockError)
    assert error.__doc__
    assert 0 < error.exit_code < 126  # a shell's own codes begin there


def test_an_exit_code_means_one_branch_of_the_tree() -> None:
    tops = [code for parent, code in defined().values() if parent == "SagedockError"]
    assert len(tops) == len(set(tops))
