"""GET /ping and GET /models, as the platform asks them of a container that it does not know yet."""

import http.client
import json
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any
from urllib.parse import quote

from sagedock.contract import limits, routes

__all__ = ["answers_ping", "is_healthy", "unload_all"]

_OK = 200
#: A container may finish what a model has accepted before it lets it go.
_UNLOAD_S = 60.0


def is_healthy(address: tuple[str, int], *, many: bool) -> bool:
    """Say whether a container answers /ping with 200; and one of ``many`` models also GET /models.

    Source: rows 40 and 90 of aws-answers' page on the rest.
    """
    return answers_ping(address) and (not many or _answers(address, routes.MODELS.path))


def answers_ping(address: tuple[str, int]) -> bool:
    """Say whether a container answers /ping with 200, within the time it has for it."""
    return _answers(address, routes.PING.path)


def unload_all(address: tuple[str, int]) -> None:
    """Have a container unload every model that it has. What it does not unload, it says it has when
    that is loaded again.
    """
    with suppress(OSError, http.client.HTTPException, ValueError):
        for name in list(_loaded(address)):
            _asked(address, "DELETE", f"{routes.MODELS.path}/{quote(name, safe='')}")


def _loaded(address: tuple[str, int]) -> Iterator[str]:
    """Yield the names of the loaded models, over all pages."""
    token = ""
    while True:
        page: Any = json.loads(_asked(address, "GET", f"{routes.MODELS.path}{token}"))
        if not isinstance(page, dict):
            return
        for each in page.get("models") or ():
            yield str(each["modelName"])
        if not page.get("nextPageToken"):
            return
        token = f"?next_page_token={quote(str(page['nextPageToken']), safe='')}"


def _asked(address: tuple[str, int], method: str, path: str) -> bytes:
    with closing(http.client.HTTPConnection(*address, timeout=_UNLOAD_S)) as connection:
        connection.request(method, path)
        return connection.getresponse().read()


def _answers(address: tuple[str, int], path: str) -> bool:
    connection = http.client.HTTPConnection(*address, timeout=float(limits.PING_ANSWER_S.value))
    try:
        connection.request("GET", path)
        return connection.getresponse().status == _OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
