"""What the engine tells of pushes and pulls, read."""

from collections.abc import Iterator
from typing import Any

import pytest
from docker.errors import NotFound

from sagedock.engine.registries import pulled, pushed, transfer_of
from sagedock.engine.spec import Transfer
from sagedock.errors import EngineError, ImageNotFound


class Api:
    """Answers with ``news``, or raises it."""

    def __init__(self, *news: Any) -> None:
        self.news = news
        self.asked: list[tuple[str, str, Any]] = []

    def push(self, repository: str, *, tag: str, auth_config: Any, **_: Any) -> Iterator[Any]:
        self.asked.append((repository, tag, auth_config))
        for each in self.news:
            if isinstance(each, Exception):
                raise each
            yield each

    pull = push


def test_a_push_is_read_to_its_digest() -> None:
    api = Api(
        {"status": "The push refers to repository [r]"},
        {"id": "l", "status": "Pushing", "progressDetail": {"current": 1, "total": 2}},
        {"id": "l", "status": "Pushed", "progressDetail": {}},
        {"progressDetail": {}, "aux": {"Tag": "1", "Digest": "sha256:d", "Size": 5}},
    )
    assert list(pushed(api, "127.0.0.1:5/r/s:1", user="AWS", password="p")) == [
        Transfer(layer="", status="The push refers to repository [r]"),
        Transfer(layer="l", status="Pushing", current=1, total=2),
        Transfer(layer="l", status="Pushed"),
        Transfer(layer="", status="", total=5, digest="sha256:d"),
    ]
    assert api.asked == [("127.0.0.1:5/r/s", "1", {"username": "AWS", "password": "p"})]


def test_a_pull_by_digest_asks_for_it() -> None:
    api = Api({"status": "Pulling from r"})
    pulled(api, "127.0.0.1:5/r@sha256:d", user="AWS", password="p")
    assert api.asked[0][:2] == ("127.0.0.1:5/r", "sha256:d")


@pytest.mark.parametrize(
    "news",
    [
        {"error": "manifest unknown: Requested image not found"},
        {"errorDetail": {"message": "name unknown: repository r does not exist"}},
        NotFound("no such image", explanation="manifest for r not found"),
    ],
)
def test_an_image_that_a_registry_lacks_is_not_found(news: Any) -> None:
    with pytest.raises(ImageNotFound, match="r"):
        pulled(Api(news), "r:1", user="AWS", password="p")


def test_a_failure_has_the_registry_s_words() -> None:
    with pytest.raises(EngineError, match="r:1: denied: no") as caught:
        pulled(Api({"error": "denied: no"}), "r:1", user="AWS", password="p")
    assert not isinstance(caught.value, ImageNotFound)
    assert transfer_of({"progressDetail": {}}, "r:1") is None
