"""The environment variables that the user's script gets."""

from collections.abc import Mapping, Sequence

__all__ = ["build", "fit", "unless_set"]

#: Linux's MAX_ARG_STRLEN: `NAME=value` and its final zero byte, in bytes (32 pages of 4 KiB).
_LONGEST = 131_072


def build(
    inherited: Mapping[str, str], sm_variables: Mapping[str, str], path: Sequence[str]
) -> dict[str, str]:
    """Return what the toolkit would give: all that is inherited, SM_*, PYTHONPATH from ``path``."""
    return {**inherited, **sm_variables, "PYTHONPATH": ":".join(filter(None, path))}


def unless_set(wished: Mapping[str, str], inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a launcher wishes, without those that the job sets otherwise.

    A list that ends with what the job sets (LD_PRELOAD) holds both, and stays.
    """
    return {
        name: value
        for name, value in wished.items()
        if name not in inherited or value.endswith(f":{inherited[name]}")
    }


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
