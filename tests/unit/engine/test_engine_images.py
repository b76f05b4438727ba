"""What the engine tells of an image."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from requests import HTTPError

from sagedock.engine.docker_engine import DockerEngine
from sagedock.errors import EngineError

INDEX = "application/vnd.oci.image.index.v1+json"


@pytest.mark.parametrize(
    ("descriptor", "media_type"),
    [
        pytest.param({"Descriptor": {"mediaType": INDEX, "size": 1}}, INDEX, id="containerd"),
        pytest.param({"Descriptor": None}, None, id="none"),
        pytest.param({}, None, id="before-28"),
    ],
)
def test_the_media_type_where_the_engine_keeps_it(
    descriptor: dict[str, Any], media_type: str | None
) -> None:
    found = {"Id": "sha256:1", "Size": 7, "Architecture": "amd64", "RepoTags": None, **descriptor}
    api = SimpleNamespace(inspect_image=lambda _: found)
    client: Any = SimpleNamespace(api=api)
    image = DockerEngine(client).image("x")
    assert (image.media_type, image.size, image.tags) == (media_type, 7, ())


class Response:
    """What the engine answers when it is asked for an image's archive."""

    def __init__(self, problem: Exception | None) -> None:
        self.problem = problem
        self.closed = False

    def raise_for_status(self) -> None:
        if self.problem:
            raise self.problem

    def iter_content(self, _: int) -> Iterator[bytes]:
        yield from (b"a", b"b")

    def __enter__(self) -> "Response":
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True


def saving(response: Response) -> tuple[DockerEngine, list[str]]:
    asked: list[str] = []

    def get(url: str, **_: Any) -> Response:
        asked.append(url)
        return response

    client: Any = SimpleNamespace(
        api=SimpleNamespace(base_url="http://engine", api_version="1.41", get=get)
    )
    return DockerEngine(client), asked


def test_an_images_archive_is_streamed_and_its_connection_closed() -> None:
    response = Response(None)
    engine, asked = saving(response)
    stream = engine.saved("sha256:1")
    assert (next(stream), response.closed) == (b"a", False)
    stream.close()  # type: ignore[attr-defined]
    assert (asked, response.closed) == (["http://engine/v1.41/images/sha256:1/get"], True)


def test_an_archive_that_cannot_be_had_is_an_error_of_the_engine() -> None:
    engine, _ = saving(Response(HTTPError("500 Server Error: no space left on device")))
    with pytest.raises(EngineError, match="saving image x: 500 Server Error: no space left"):
        list(engine.saved("x"))
