"""How much the tests try that try many: all of it, or less where `make check` sets QUICK."""

import os

QUICK = bool(os.environ.get("QUICK"))


def amount(full: int, *, quick: int) -> int:
    """Return how many there are to be: ``full``, or ``quick`` where QUICK is set."""
    return quick if QUICK else full
