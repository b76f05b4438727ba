"""Asks the server that runs on a home for interruptions and faults, as `sagedock local` does."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sagedock.errors import InvalidRequest, LocalServerError
from sagedock.local.control import CONTROL_PATH
from sagedock.local.home import Home

__all__ = ["control"]

_TIMEOUT_S = 30


def control(home: Path, method: str, what: str, said: Mapping[str, Any] | None = None) -> Any:
    """Send one request to the server of ``home``, and return its answer.

    Raises LocalServerError where none runs, InvalidRequest where it refuses.
    """
    found = Home(home).running()
    if found is None:
        raise LocalServerError(
            f"no local SageMaker runs on {home}: start one with `sagedock local up --detach`"
        )
    request = urllib.request.Request(  # noqa: S310 - our own server's address, http
        f"{found.url}{CONTROL_PATH}{what}",
        method=method,
        data=None if said is None else json.dumps(said).encode(),
        headers={"content-type": "application/json"},
    )
    # No proxy: the address is this machine's own.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_TIMEOUT_S) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise InvalidRequest(json.load(error)["problems"]) from error
    except OSError as error:
        raise LocalServerError(f"{found.url} does not answer: {error}") from error
