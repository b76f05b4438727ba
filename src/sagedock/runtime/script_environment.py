"""The environment variables that the user's script gets."""

from collections.abc import Mapping, Sequence

__all__ = ["build", "fit"]

#: Linux's MAX_ARG_STRLEN: `NAME=value` and its final zero byte, in bytes (32 pages of 4 KiB).
_LONGEST = 131_072


def build(
    inherited: Mapping[str, str], sm_variables: Mapping[str, str], path: Sequence[str]
) -> dict[str, str]:
    """Return what the toolkit would give: all that is inherited, SM_*, PYTHONPATH from ``path``."""
    return {**inherited, **sm_variables, "PYTHONPATH": ":".join(filter(None, path))}


def fit(variables: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the variables that Linux accepts, and the names of those that are too long.

    A hundred hyperparameters of 2500 characters, which SageMaker allows, make SM_HPS too long: the
    script could not be started at all. Each is still in its own SM_HP_* and in the JSON file.
    """
    fitting = {name: value for name, value in variables.items() if _size(name, value) <= _LONGEST}
    return fitting, sorted(variables.keys() - fitting.keys())


def _size(name: str, value: str) -> int:
    return (
        len(name.encode("utf-8", "surrogateescape"))
        + len(value.encode("utf-8", "surrogateescape"))
        + 2
    )
