"""One rule across the fields of a request."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

from sagedock.api.service_error import ServiceError

__all__ = ["BROKEN", "Finding", "Request", "Rule", "RuleProblem", "part", "repeated"]

Request: TypeAlias = Mapping[str, Any]
#: What fills a message's placeholders where a rule is broken; None where it is kept.
Finding: TypeAlias = Mapping[str, str] | None

#: The finding of a broken rule whose message has no placeholder.
BROKEN: Finding = MappingProxyType({})

_NOTHING: Request = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule: the fields it reads, the test, the service's words, and where they were seen.

    ``message`` is a format; the test's finding fills its placeholders. Where ``verified`` is false
    the source states the rule, and the words are ours. Where the rule ``excludes``, its fields must
    not be there together.
    """

    fields: tuple[str, ...]
    finding: Callable[[Request], Finding]
    message: str
    source: str
    verified: bool
    excludes: bool = False
    code: str = "ValidationException"


@dataclass(frozen=True, kw_only=True)
class RuleProblem:
    """One broken rule, with its message filled in."""

    rule: Rule
    message: str

    @property
    def error(self) -> ServiceError:
        """The refusal that the service sends."""
        return ServiceError(code=self.rule.code, message=self.message)


def part(request: Request, name: str) -> Request:
    """Return the structure ``name`` of ``request``, empty where it is absent."""
    return request.get(name) or _NOTHING


def repeated(names: Iterable[str]) -> Finding:
    """Return the finding that names what occurs twice, or None where nothing does."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    return {"names": ", ".join(twice)} if twice else None
