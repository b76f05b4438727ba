"""What the engine tells of an image."""

from types import SimpleNamespace
from typing import Any

import pytest

from sagedock.engine.docker_engine import DockerEngine

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
