"""Lists of experiments, trials and components: those that a filter leaves, in pages.

Filters are applied before pages are cut: a trial has few components (unverified).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sagedock.local.listing import place_of, token_of
from sagedock.local.resources import Resource

__all__ = ["page_of"]

_DEFAULT_PAGE = 10

Request = Mapping[str, Any]
Place = tuple[Any, str]


def page_of(found: Iterable[Resource], request: Request) -> tuple[list[Resource], str | None]:
    """Return the page that ``request`` asks for, and the token of the next one; newest first if it
    does not say. Source: the model's words on SortOrder.
    """
    after, before = _epoch(request.get("CreatedAfter")), _epoch(request.get("CreatedBefore"))
    by_name = request.get("SortBy") == "Name"
    descending = request.get("SortOrder", "Descending") == "Descending"

    def place(each: Resource) -> Place:
        return (each.key.name if by_name else each.created, each.key.name)

    there = sorted(
        (
            each
            for each in found
            if (after is None or each.created > after) and (before is None or each.created < before)
        ),
        key=place,
        reverse=descending,
    )
    last = place_of(request.get("NextToken"), str if by_name else float)
    left = [
        each
        for each in there
        if last is None or (place(each) < last if descending else place(each) > last)
    ]
    page = left[: request.get("MaxResults", _DEFAULT_PAGE)]
    return page, token_of(*place(page[-1])) if len(page) < len(left) else None


def _epoch(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
