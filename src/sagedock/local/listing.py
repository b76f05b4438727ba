"""List operations: order, pages and filters as the service has them.

The service cuts pages first and filters afterwards: a page may be empty and still have a next one.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sagedock.api import messages
from sagedock.local.caller import Caller
from sagedock.local.refusal import Refused
from sagedock.local.resources import Resources, SortField, Span

__all__ = ["Listing", "place_of", "token_of"]

_DEFAULT_PAGE = 10
_SORT_FIELDS: Mapping[str, SortField] = {
    "Name": "name",
    "CreationTime": "created",
    "LastModifiedTime": "modified",
    "Status": "status",
}


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One List operation: the kind it lists, and the member of its answer that holds summaries."""

    kind: str
    member: str
    #: The members of a summary that further filters of the request must equal, by filter.
    equals: Mapping[str, str] = field(default_factory=dict)
    #: The same for filters that the members must begin with.
    begins: Mapping[str, str] = field(default_factory=dict)

    #: The order of a request that does not say any.
    sort_by: str = "CreationTime"
    sort_order: str = "Descending"

    def page(
        self,
        resources: Resources,
        caller: Caller,
        request: Mapping[str, Any],
        *,
        among: str | None = None,
        but: str | None = None,
    ) -> bytes:
        """Answer the page that ``request`` asks for, in JSON; most kinds newest first.
        ``among`` and ``but`` are globs of the names that are paged through.

        Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ListTrainingJobs.html
        ("sorted according to the creation time, from the most current to the oldest").
        """
        sort = _SORT_FIELDS[request.get("SortBy", self.sort_by)]
        page = resources.page(
            caller.region,
            self.kind,
            sort=sort,
            descending=request.get("SortOrder", self.sort_order) == "Descending",
            after=place_of(request.get("NextToken"), str if sort in ("name", "status") else float),
            limit=request.get("MaxResults", _DEFAULT_PAGE),
            created=_span(request, "CreationTime"),
            modified=_span(request, "LastModifiedTime"),
            named=request.get("NameContains", ""),
            status=request.get("StatusEquals"),
            among=among,
            but=but,
        )
        pool = request.get("WarmPoolStatusEquals")
        kept = page.summaries if pool is None else [t for t in page.summaries if _has(pool, t)]
        for name, member in self.equals.items():
            if name in request:
                kept = [text for text in kept if json.loads(text).get(member) == request[name]]
        for name, member in self.begins.items():
            if name in request:
                start = request[name]
                kept = [text for text in kept if json.loads(text)[member].startswith(start)]
        token = "" if page.end is None else f',"NextToken":"{token_of(*page.end)}"'
        return f'{{"{self.member}":[{",".join(kept)}]{token}}}'.encode()


def _has(pool: str, summary: str) -> bool:
    """Say whether a job's warm pool is in the state ``pool``."""
    found = json.loads(summary).get("WarmPoolStatus", {}).get("Status")
    return bool(found == pool)


def _span(request: Mapping[str, Any], member: str) -> Span:
    return _epoch(request.get(f"{member}After")), _epoch(request.get(f"{member}Before"))


def _epoch(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def token_of(value: Any, name: str) -> str:
    """Return the token of the page behind a place: what is sorted by, and the name there."""
    return base64.urlsafe_b64encode(json.dumps([value, name]).encode()).decode()


def place_of(token: str | None, kind: type) -> tuple[Any, str] | None:
    """Return the place that a token names, whose first part is a ``kind``. Refuses what is none."""
    if token is None:
        return None
    try:
        match json.loads(base64.urlsafe_b64decode(token)):
            case [value, str(name)] if isinstance(value, kind):
                f"{value}{name}".encode()  # half a surrogate pair is a ValueError
                return value, name
    except (binascii.Error, ValueError, RecursionError) as error:
        raise Refused(messages.invalid_pagination_token(token)) from error
    raise Refused(messages.invalid_pagination_token(token))
