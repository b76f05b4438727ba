"""Pages of what is listed from one document."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sagedock.api import messages
from sagedock.local.refusal import Refused

__all__ = ["page_of"]

_DEFAULT_PAGE = 10
_NUMBER = re.compile(r"[0-9]{1,15}")


def page_of(
    rows: Sequence[Mapping[str, Any]], request: Mapping[str, Any]
) -> tuple[Sequence[Mapping[str, Any]], str | None]:
    """Return the rows that ``request`` asks for, and the token of the next ones, if there are."""
    token = request.get("NextToken", "0")
    if not _NUMBER.fullmatch(token):
        raise Refused(messages.invalid_pagination_token(token))
    start = int(token)
    end = start + request.get("MaxResults", _DEFAULT_PAGE)
    return rows[start:end], str(end) if end < len(rows) else None
