"""Search and GetSearchSuggestions."""

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sagedock.api import messages
from sagedock.api import search_messages as words
from sagedock.api.model import Shape
from sagedock.local.caller import Caller
from sagedock.local.platform import Platform
from sagedock.local.refusal import Refused
from sagedock.local.search.expression import Expression, refuse_wrong
from sagedock.local.search.properties import found_in
from sagedock.local.search.records import SEARCHED, Record, Searched, records

__all__ = ["SearchOperations"]

Request = Mapping[str, Any]
Answer = dict[str, Any]
#: Where a record stands in the order: what it has is of a kind, and has a value; then its name.
Place = tuple[int, Any, str]

_DEFAULT_PAGE = 10
_MOST_SUGGESTIONS = 50
_LAST_MODIFIED = "LastModifiedTime"


class SearchOperations:
    """The search over all resources. It reads them all: it is not quick."""

    quick: frozenset[str] = frozenset()

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def table(self) -> Mapping[str, Callable[[Caller, Request], Any]]:
        """Return each operation's name with what carries it out."""
        return {"GetSearchSuggestions": self.suggest, "Search": self.search}

    def search(self, caller: Caller, request: Request) -> Answer:
        """Answer a page of what satisfies an expression. No other account shares anything here."""
        if request.get("VisibilityConditions"):
            raise Refused(words.search_elsewhere("VisibilityConditions"))
        searched = SEARCHED.get(request["Resource"])
        if searched is None or request.get("CrossAccountFilterOption") == "CrossAccount":
            return _answer([], None, 0)
        wanted, sort_by = request.get("SearchExpression"), request.get("SortBy")
        shape = searched.shape
        refuse_wrong(request["Resource"], shape, wanted, sort_by)
        expression = Expression(shape=shape, wanted=wanted)
        found = [
            (_place(shape, each, sort_by), each)
            for each in records(self._platform, caller.region, searched)
            if expression.matches(each.values)
        ]
        descending = request.get("SortOrder", "Descending") == "Descending"
        found.sort(key=lambda pair: pair[0], reverse=descending)
        after = _after(request.get("NextToken"))
        left = [pair for pair in found if after is None or _is_behind(pair[0], after, descending)]
        page = left[: request.get("MaxResults", _DEFAULT_PAGE)]
        token = _token(page[-1][0]) if len(page) < len(left) else None
        return _answer([{searched.member: each.values} for _, each in page], token, len(found))

    def suggest(self, caller: Caller, request: Request) -> Answer:
        """Answer names of properties that begin with a hint. Which the service chooses is
        unverified.
        """
        searched = SEARCHED.get(request["Resource"])
        query = (request.get("SuggestionQuery") or {}).get("PropertyNameQuery") or {}
        hint = query.get("PropertyNameHint", "").lower()
        names = set() if searched is None else set(self._names(caller, searched))
        told = sorted(name for name in names if name.lower().startswith(hint))
        return {
            "PropertyNameSuggestions": [{"PropertyName": name} for name in told[:_MOST_SUGGESTIONS]]
        }

    def _names(self, caller: Caller, searched: Searched) -> Iterator[str]:
        shape = searched.shape
        yield from shape.members
        for each in records(self._platform, caller.region, searched):
            for member, value in each.values.items():
                yield from (f"{member}.{name}" for name in _below(shape.members[member], value))


def _below(shape: Shape, value: Any) -> Iterator[str]:
    """Yield what a property's name may go on with."""
    match shape.type_name:
        case "structure" | "map":
            yield from value
        case "list" if shape.name == "TagList":
            yield from (tag["Key"] for tag in value)


def _answer(results: list[Any], token: str | None, hits: int) -> Answer:
    answer: Answer = {"Results": results, "TotalHits": {"Value": hits, "Relation": "EqualTo"}}
    return answer if token is None else {**answer, "NextToken": token}


def _place(shape: Shape, record: Record, sort_by: str | None) -> Place:
    """Return where a record stands: those without the property first (unverified)."""
    resource = record.resource
    if sort_by is None or sort_by == _LAST_MODIFIED:
        return 1, resource.modified, resource.key.name
    value = next((each.value for each in found_in(shape, record.values, sort_by)), None)
    match value:
        case None:
            return 0, 0, resource.key.name
        case bool() | int() | float():
            return 1, float(value), resource.key.name
        case str():
            return 2, value, resource.key.name
        case _:
            return 3, json.dumps(value, sort_keys=True, default=str), resource.key.name


def _is_behind(place: Place, after: Place, descending: bool) -> bool:
    return place < after if descending else place > after


def _token(place: Place) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def _after(token: str | None) -> Place | None:
    if token is None:
        return None
    try:
        match json.loads(base64.urlsafe_b64decode(token)):
            case [0 | 1 as rank, int() | float() as value, str(name)]:
                return rank, value, name
            case [2 | 3 as rank, str(value), str(name)]:
                return rank, value, name
    except (binascii.Error, ValueError, RecursionError) as error:
        raise Refused(messages.invalid_pagination_token(token)) from error
    raise Refused(messages.invalid_pagination_token(token))
