"""The listing tells what the engine has: the registry's digest, else the engine's id, else none."""

from sagedock.engine import Image as EngineImage
from sagedock.errors import ImageNotFound
from sagedock.images import Image, list_images

ID, DIGEST = "sha256:" + "1" * 64, "sha256:" + "2" * 64


class FakeEngine:
    def __init__(self, **images):
        self.images = images

    def image(self, reference):
        name = reference.partition(":")[0]
        if name not in self.images:
            raise ImageNotFound(f"the engine has no image {reference}")
        return EngineImage(
            id=ID,
            tags=(reference,),
            digests=self.images[name],
            size=945_000_000,
            architecture="amd64",
            labels={},
        )


def image(name):
    return Image(
        name=name,
        kind="training",
        device="cpu",
        dockerfile="Dockerfile",
        target="final",
        repository=name,
        tag="v1",
        base="debian:12",
    )


def test_built_pushed_and_missing_images():
    engine = FakeEngine(built=(), pushed=(f"registry/pushed@{DIGEST}",))
    rows = list_images(engine, [image("built"), image("pushed"), image("missing")])
    assert [row.digest for row in rows] == [ID, DIGEST, None]
    assert [row.size for row in rows] == [945_000_000, 945_000_000, None]
    assert rows[0].reference == "built:v1"
    assert rows[0].uri == "123456789012.dkr.ecr.us-west-2.amazonaws.com/built:v1"
