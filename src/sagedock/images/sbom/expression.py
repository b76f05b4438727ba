"""SPDX expressions, taken apart: which licences one names, and whether it can do without some."""

import re
from collections.abc import Callable, Iterator

__all__ = ["names_in", "needs_one_of", "same_licence"]

_TOKEN = re.compile(r"\(|\)|[^\s()]+")
_WORDS = frozenset({"AND", "OR", "WITH", "(", ")"})
_EXCEPTION = re.compile(r" WITH .*", re.IGNORECASE)
#: LICENCE-with-MORE, as SPDX had a few, and as Debian's names are written behind LicenseRef-, where
#: MORE is an exception. With GNU's licences it always is; else, unless it says so, the whole is
#: another licence: Debian's MIT-with-advertising-restriction, say.
_WITH_MORE = re.compile(
    r"(?:LicenseRef-)?(?P<licence>(?:A|L)?GPL-.+?(?=-with-)|.+?(?=-with-.*exception))-with-.*",
    re.IGNORECASE,
)
_VERSIONS = re.compile(r"(?:-only|-or-later|\+)$", re.IGNORECASE)


def names_in(expression: str) -> tuple[str, ...]:
    """Return the licences that an expression names, exceptions with theirs, each once."""
    tokens = _tokens(expression)
    return tuple(dict.fromkeys(each for each in tokens if each not in _WORDS))


def same_licence(one: str, other: str) -> bool:
    """Say whether two names mean one licence, "only" or "or later" aside, and exceptions to it."""
    return _bare(one) == _bare(other)


def needs_one_of(expression: str, denied: Callable[[str], bool]) -> bool:
    """Say whether nobody can use what is under this expression without a licence that is denied:
    of a choice (OR) all are, else one is.
    """
    return _Reader(_tokens(expression)).whole(denied)


def _bare(name: str) -> str:
    found = _WITH_MORE.fullmatch(name)
    licence = found["licence"] if found else _EXCEPTION.sub("", name)
    return _VERSIONS.sub("", licence).lower()


def _tokens(expression: str) -> list[str]:
    """Return the parts of an expression, an exception together with what it is of."""
    found: list[str] = []
    parts = iter(_TOKEN.findall(expression))
    for each in parts:
        if each == "WITH" and found:
            found[-1] += f" WITH {next(parts, '')}"
        else:
            found.append(each)
    return found


class _Reader:
    """Reads by descent: OR of ANDs of names or of what is in parentheses."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens: Iterator[str] = iter(tokens)
        self._next: str | None = next(self._tokens, None)

    def whole(self, denied: Callable[[str], bool]) -> bool:
        found = self._all(denied)
        while self._next == "OR":
            self._take()
            found = self._all(denied) and found
        return found

    def _all(self, denied: Callable[[str], bool]) -> bool:
        found = self._one(denied)
        while self._next == "AND":
            self._take()
            found = self._one(denied) or found
        return found

    def _one(self, denied: Callable[[str], bool]) -> bool:
        name = self._take()
        if name == "(":
            found = self.whole(denied)
            self._take()
            return found
        return name is not None and denied(name)

    def _take(self) -> str | None:
        taken, self._next = self._next, next(self._tokens, None)
        return taken
