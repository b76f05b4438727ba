"""GET /ping and GET /models, as the platform asks them of a container that it does not know yet."""

import http.client
import json
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sagedock.contract import limits, routes
from sagedock.local import agents

__all__ = ["Unhealthy", "answers_ping", "is_healthy", "problem_of", "unload_all"]

_OK = 200
#: A container may finish what a model has accepted before it lets it go.
_UNLOAD_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Unhealthy:
    """Why a container is not healthy; ``is_slow`` where it may be, and did not answer in time."""

    why: str
    is_slow: bool = False


def is_healthy(address: tuple[str, int], *, many: bool) -> bool:
    """Say whether a container answers /ping with 200; and one of ``many`` models also GET /models.

    Source: rows 40 and 90 of aws-answers' page on the rest.
    """
    return problem_of(address, many=many) is None


def answers_ping(address: tuple[str, int], agent: str = agents.ENDPOINTS) -> bool:
    """Say whether a container answers /ping with 200, within the time it has for it."""
    return _problem(address, routes.PING.path, agent) is None


def problem_of(address: tuple[str, int], *, many: bool) -> Unhealthy | None:
    """Return why ``is_healthy`` is false; None where it is true."""
    problem = _problem(address, routes.PING.path)
    return _problem(address, routes.MODELS.path) if problem is None and many else problem


def unload_all(address: tuple[str, int]) -> None:
    """Have a container unload every model that it has. What it does not unload, it says it has when
    that is loaded again.
    """
    with suppress(OSError, http.client.HTTPException, ValueError):
        for name in list(_loaded(address)):
            _asked(address, "DELETE", f"{routes.MODELS.path}/{quote(name, safe='')}")


def _loaded(address: tuple[str, int]) -> Iterator[str]:
    """Yield the names of the loaded models, over all pages. Raises ValueError for what is no page,
    and for one that was there already: it would never end.
    """
    token, known = "", {""}
    while True:
        query = f"?next_page_token={quote(token, safe='')}" if token else ""
        page: Any = json.loads(_asked(address, "GET", f"{routes.MODELS.path}{query}"))
        try:
            yield from [str(each["modelName"]) for each in page.get("models") or ()]
            token = str(page.get("nextPageToken") or "")
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"no page of models: {page!r}") from error
        if not token:
            return
        if token in known:
            raise ValueError(f"the page {token} leads to itself")
        known.add(token)


def _asked(address: tuple[str, int], method: str, path: str) -> bytes:
    with closing(http.client.HTTPConnection(*address, timeout=_UNLOAD_S)) as connection:
        connection.request(method, path)
        return connection.getresponse().read()


def _problem(
    address: tuple[str, int], path: str, agent: str = agents.ENDPOINTS
) -> Unhealthy | None:
    most_s = float(limits.PING_ANSWER_S.value)
    connection = http.client.HTTPConnection(*address, timeout=most_s)
    try:
        connection.request("GET", path, headers={"User-Agent": agent})
        status = connection.getresponse().status
    except TimeoutError:
        return Unhealthy(why=f"GET {path} was not answered within {most_s:g} s", is_slow=True)
    except (OSError, http.client.HTTPException) as error:
        return Unhealthy(why=f"GET {path} failed ({error or type(error).__name__})")
    finally:
        connection.close()
    return None if status == _OK else Unhealthy(why=f"GET {path} was answered with {status}")
