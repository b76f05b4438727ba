"""Images to and from registries, by the engine's own API.

What logs in travels with the request alone: no file on this machine has it, not even for a moment,
and no file of the user's is read for it or written.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from docker.errors import NotFound
from docker.utils import parse_repository_tag

from sagedock.engine.spec import Transfer
from sagedock.errors import EngineError, ImageNotFound

__all__ = ["pulled", "pushed", "transfer_of"]

#: How the engine says that a registry has no such image.
_ABSENT = ("manifest unknown", "not found", "does not exist")


def pulled(api: Any, reference: str, *, user: str, password: str) -> None:
    """Pull an image. Raises ImageNotFound, EngineError, and what the Docker SDK raises."""
    repository, tag = parse_repository_tag(reference)
    login = {"username": user, "password": password}
    try:
        for news in api.pull(repository, tag=tag, auth_config=login, stream=True, decode=True):
            transfer_of(news, reference)
    except NotFound as error:
        raise ImageNotFound(f"pulling {reference}: {error.explanation}") from error
    except EngineError as error:
        if any(words in str(error).lower() for words in _ABSENT):
            raise ImageNotFound(str(error)) from error
        raise


def pushed(api: Any, reference: str, *, user: str, password: str) -> Iterator[Transfer]:
    """Push an image, and yield what happens. Raises EngineError, and what the SDK raises."""
    repository, tag = parse_repository_tag(reference)
    login = {"username": user, "password": password}
    stream = api.push(repository, tag=tag, auth_config=login, stream=True, decode=True)
    for news in stream:
        if (transfer := transfer_of(news, reference)) is not None:
            yield transfer


def transfer_of(news: Mapping[str, Any], reference: str) -> Transfer | None:
    """Return what one line of the engine's answer tells; None where it tells nothing. Raises
    EngineError for a failure.

    Source: https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Image/operation/ImagePush
    """
    if failure := news.get("error") or (news.get("errorDetail") or {}).get("message"):
        raise EngineError(f"{reference}: {failure}")
    done, auxiliary = news.get("progressDetail") or {}, news.get("aux") or {}
    if digest := auxiliary.get("Digest"):
        return Transfer(layer="", status="", digest=str(digest), total=auxiliary.get("Size"))
    if not news.get("status"):
        return None
    return Transfer(
        layer=str(news.get("id") or ""),
        status=str(news["status"]),
        current=done.get("current"),
        total=done.get("total"),
    )
