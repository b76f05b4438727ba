"""The check of a request before anything is sent: every problem at once, in the user's words."""

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sagedock.client.reference_types import problems_of_types
from sagedock.client.words import remedy_of, word_of
from sagedock.jobs import Request
from sagedock.jobs.pipeline import Reference

if TYPE_CHECKING:
    from sagedock.api import Problem, Rule

__all__ = ["instance_types_in", "problems_in", "unknown_instance_type"]

_INSTANCE_TYPE = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9-]+")
_LONGEST_VALUE = 120
_TYPE = "InstanceType"


def problems_in(request: Request) -> list[str]:
    """Return a line for each problem: the parameter, the value, the demand, the remedy.

    An instance type that the installed botocore does not know is let through if it is formed like
    one: AWS has newer ones (``unknown_instance_type`` tells).
    """
    from sagedock.api import problems_in_request, rule_problems, type_problems, unknown_members

    parameters, open_places = _without_references(request.parameters)
    named = (request.service, request.operation, parameters)
    allowed = frozenset(_formed_like_a_type(parameters))
    lines = [
        *(
            f"{word_of(found.member, parameters)}: {found.message}"
            for found in type_problems(*named)
        ),
        *problems_of_types(request),
        *(
            f"extra: {request.operation} has no {member}: check its spelling"
            for member in unknown_members(*named)
        ),
        *(
            _line(found, parameters)
            for found in problems_in_request(*named, allow=allowed)
            if not any(place.startswith(found.member) for place in open_places)
        ),
    ]
    if open_places:  # rules across fields cannot be judged before the pipeline runs
        return lines
    # They expect fields that are right one by one.
    return lines or [
        f"{_words_of(found.rule, parameters)}: {found.message}" for found in rule_problems(*named)
    ]


def _words_of(rule: "Rule", parameters: Mapping[str, Any]) -> str:
    """Return the words for a rule's fields; of those that exclude each other, the ones given."""
    fields = [each for each in rule.fields if not rule.excludes or each in parameters]
    return ", ".join(word_of(each, parameters) for each in fields)


def _without_references(parameters: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return a request without what is known only when a pipeline runs, and where that was."""
    places: list[str] = []

    def kept(value: Any, place: str) -> Any:
        if isinstance(value, Reference):
            places.append(place)
            return None
        if isinstance(value, Mapping):
            found = {n: kept(each, f"{place}.{n}" if place else n) for n, each in value.items()}
            return {name: each for name, each in found.items() if each is not None}
        if isinstance(value, list | tuple):
            found_items = [kept(each, f"{place}[{n}]") for n, each in enumerate(value)]
            return [each for each in found_items if each is not None]
        return value

    return kept(parameters, ""), places


def unknown_instance_type(request: Request) -> str | None:
    """Return a warning for an instance type that the installed botocore does not know."""
    from sagedock.api import problems_in_request

    known, _ = _without_references(request.parameters)
    for found in problems_in_request(request.service, request.operation, known):
        if _is_type(found):
            given, near = _given(found), _near(found)
            return f"instance_type: the installed botocore does not know {given!r}{near}"
    return None


def instance_types_in(request: Request) -> frozenset[str]:
    """Return the instance types that the installed botocore does not know, formed like one."""
    from sagedock.api import problems_in_request

    known, _ = _without_references(request.parameters)
    found = problems_in_request(request.service, request.operation, known)
    return frozenset(_given(each) for each in found if _is_type(each))


def _formed_like_a_type(parameters: Any) -> Iterator[str]:
    """Yield the instance types anywhere in a request that are formed like one."""
    if isinstance(parameters, Mapping):
        given = parameters.get(_TYPE)
        if isinstance(given, str) and _INSTANCE_TYPE.fullmatch(given):
            yield given
        parameters = parameters.values()
    elif not isinstance(parameters, list | tuple):
        return
    for value in parameters:
        yield from _formed_like_a_type(value)


def _is_type(problem: "Problem") -> bool:
    return problem.kind == "enum" and problem.member.rpartition(".")[2] == _TYPE


def _line(problem: "Problem", parameters: Mapping[str, Any]) -> str:
    value = problem.shown.strip()
    if len(value) > _LONGEST_VALUE:
        value = f"{value[:_LONGEST_VALUE]}..."
    demand = _demand(problem)
    parts = [word_of(problem.member, parameters), f"{value} {demand}".strip()]
    return ": ".join([*parts, remedy] if (remedy := remedy_of(problem.member)) else parts)


def _demand(problem: "Problem") -> str:
    if problem.kind == "required":
        return "is missing"
    if _is_type(problem):
        return f"is no SageMaker instance type{_near(problem)}"
    return problem.constraint.removeprefix("Member ")


def _given(problem: "Problem") -> str:
    return problem.shown.strip().strip("'")


def _near(problem: "Problem") -> str:
    """Return the types of the kind of job that are written nearly as the one given, in words."""
    near = difflib.get_close_matches(_given(problem).lower(), _choices(problem), n=3)
    return f"; near it are {', '.join(near)}" if near else ""


def _choices(problem: "Problem") -> list[str]:
    return problem.constraint.partition("[")[2].rstrip("]").split(", ")
