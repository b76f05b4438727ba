"""NVIDIA_REQUIRE_CUDA: constraints on the driver that an image states itself."""

import re

from sagedock.contract.accelerators import BRANCH_CUDA

__all__ = ["unmet"]

_TERM = re.compile(r"(cuda|driver|brand|arch)(>=|<=|!=|=|<|>)([\w.]+)")
_LONGEST = 4096
#: What data-centre GPUs call themselves.
_BRANDS = frozenset({"tesla", "nvidia"})


def unmet(constraints: str, branch: int) -> bool:
    """Say whether a driver meets none of the alternatives: blanks part them, commas join terms."""
    alternatives = constraints[:_LONGEST].split()
    return bool(alternatives) and not any(
        all(_holds(term, branch) for term in each.split(",")) for each in alternatives
    )


def _holds(term: str, branch: int) -> bool:
    match = _TERM.fullmatch(term)
    if match is None:
        return True  # what is not known is not held against the image
    name, sign, value = match.groups()
    if name == "brand":
        return (value in _BRANDS) == (sign == "=")
    if name == "arch":
        return True
    has = (branch,) if name == "driver" else _cuda(branch)
    wanted = tuple(int(part) for part in value.split(".") if part.isdigit())
    size = min(len(has), len(wanted))
    return {
        ">=": has[:size] >= wanted[:size],
        "<=": has[:size] <= wanted[:size],
        ">": has[:size] > wanted[:size],
        "<": has[:size] < wanted[:size],
        "=": has[:size] == wanted[:size],
        "!=": has[:size] != wanted[:size],
    }[sign]


def _cuda(branch: int) -> tuple[int, int]:
    return max((cuda for each, cuda in BRANCH_CUDA.items() if each <= branch), default=(0, 0))
