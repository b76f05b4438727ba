"""Pages of what is listed from one document."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sagedock.api import messages
from sagedock.local.refusal import Refused

__all__ = ["page_of"]

_DEFAULT_PAGE = 10
_NUMBER = re.compile(r"[0-9]{1,15}")

Row = TypeVar("Row")


def page_of(
    rows: Sequence[Row], request: Mapping[str, Any], *, default: int = _DEFAULT_PAGE
) -> tuple[Sequence[Row], str | None]:
    """Return the rows that ``request`` asks for, ``default`` of them if it does not say how many,
    and the token of the next ones, if there are. Refuses a token that is none.
    """
    token = request.get("NextToken", "0")
    if not _NUMBER.fullmatch(token):
        raise Refused(messages.invalid_pagination_token(token))
    start = int(token)
    end = start + request.get("MaxResults", default)
    return rows[start:end], str(end) if end < len(rows) else None
