"""Pages of what Describe operations answer."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from sagedock.api import scaling_messages
from sagedock.local.refusal import Refused
from sagedock.local.resources import Resource

__all__ = ["page"]


def page(
    found: Sequence[Resource], request: Mapping[str, Any], size: int
) -> tuple[Sequence[Resource], dict[str, str]]:
    """Return the page that a request asks for, and the member NextToken where there is another."""
    begin = _begin(found, request.get("NextToken"))
    end = begin + request.get("MaxResults", size)
    token = {"NextToken": _token(found[end - 1])} if end < len(found) else {}
    return found[begin:end], token


def _begin(found: Sequence[Resource], token: str | None) -> int:
    """Return where the page begins: behind the item that the token names."""
    if token is None:
        return 0
    try:
        name = base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise Refused(scaling_messages.invalid_token(token)) from error
    for number, each in enumerate(found, 1):
        if each.key.name == name:
            return number
    raise Refused(scaling_messages.invalid_token(token))


def _token(last: Resource) -> str:
    return base64.urlsafe_b64encode(last.key.name.encode()).decode()
