"""The listing tells what the engine has: its names, its own id, and a repository's digest."""

import json

import pytest

from sagedock.cli import main
from sagedock.engine import Image as EngineImage
from sagedock.errors import ImageNotFound
from sagedock.images import Image, list_images

ID, DIGEST = "sha256:" + "1" * 64, "sha256:" + "2" * 64
OTHER = "sha256:" + "3" * 64

ECR = "123456789012.dkr.ecr.us-west-2.amazonaws.com"
TABLE = """
[[image]]
name = "{0}"
kind = "training"
device = "cpu"
dockerfile = "Dockerfile"
target = "final"
repository = "{0}"
tag = "v1"
base = "debian:12"
"""


class FakeEngine:
    def __init__(self, **images):
        self.images = images
        self.tags = ()

    def image(self, reference):
        name = reference.partition(":")[0]
        if name not in self.images:
            raise ImageNotFound(f"the engine has no image {reference}")
        return EngineImage(
            id=ID,
            tags=self.tags or (reference,),
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
    assert [row.image_id for row in rows] == [ID, ID, None]
    assert [row.digest for row in rows] == [None, DIGEST, None]
    assert [row.size for row in rows] == [945_000_000, 945_000_000, None]
    assert rows[0].reference == "built:v1"
    assert rows[0].uri == f"{ECR}/built:v1"


def test_every_name_that_the_engine_has_is_told():
    engine = FakeEngine(built=())
    engine.tags = (f"{ECR}/built:v1", "another:v1", "built:v1")
    built, missing = list_images(engine, [image("built"), image("missing")])
    assert built.names == ("built:v1", f"{ECR}/built:v1", "another:v1")
    assert missing.names == ()


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with two images, of which an engine has one under two names."""
    (tmp_path / "containers").mkdir()
    (tmp_path / "containers" / "Dockerfile").write_text("FROM debian:12 AS final\n")
    (tmp_path / "containers" / "images.toml").write_text(TABLE.format("built") + TABLE.format("no"))
    monkeypatch.chdir(tmp_path)
    engine = FakeEngine(built=(f"registry/built@{DIGEST}",))
    engine.tags = ("built:v1", f"{ECR}/built:v1")
    monkeypatch.setattr("sagedock.engine.connect", lambda: engine)
    return tmp_path


def test_the_table_has_both_names_and_says_what_they_are(project, capsys):
    assert main(["images"]) == 0
    head, first, second, absent = capsys.readouterr().out.splitlines()
    for title in ("name in the engine", "image id", "digest", "URI for jobs"):
        assert title in head
    assert first[head.index("name in the") :].startswith("built:v1 ")
    assert first[head.index("image id") :].startswith("sha256:111111111111 ")
    assert first[head.index("digest") :].startswith("sha256:222222222222 ")
    assert first[head.index("URI for jobs") :].rstrip() == f"{ECR}/built:v1"
    assert second.strip() == f"{ECR}/built:v1"
    assert absent[head.index("name in the") :].split()[:3] == ["no:v1", "not", "built"]


def test_json_names_the_engines_id_and_a_repositorys_digest_apart(project, capsys):
    assert main(["images", "--json"]) == 0
    built, absent = json.loads(capsys.readouterr().out)
    assert (built["image_id"], built["digest"]) == (ID, DIGEST)
    assert built["names"] == ["built:v1", f"{ECR}/built:v1"]
    assert (absent["image_id"], absent["digest"], absent["names"]) == (None, None, [])


def recorded(folder, name, **changes):
    path = folder / "build" / "pushed" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    found = {"image_id": ID, "digest": DIGEST, "recorded_at": "2026-01-02T03:04:05Z", **changes}
    path.write_text(json.dumps(found))


def digest_told(capsys):
    assert main(["images", "--json"]) == 0
    return json.loads(capsys.readouterr().out)[0]["digest"]


def test_the_digest_of_a_push_is_that_of_its_record(project, monkeypatch, capsys):
    monkeypatch.setattr("sagedock.engine.connect", lambda: FakeEngine(built=()))
    assert digest_told(capsys) is None
    recorded(project, "built/v1.us-west-2.json")
    recorded(project, "built/v1.eu-west-1.json")
    assert digest_told(capsys) == DIGEST
    recorded(project, "team/other/v2.us-west-2.json", digest=OTHER, recorded_at="2026-01-01")
    assert digest_told(capsys) == DIGEST  # the last push's


def test_a_record_of_another_image_or_of_none_is_no_digest_of_this_one(
    project, monkeypatch, capsys
):
    monkeypatch.setattr("sagedock.engine.connect", lambda: FakeEngine(built=()))
    recorded(project, "built/v1.us-west-2.json", image_id=OTHER)  # it was built anew since
    (project / "build" / "pushed" / "half.json").write_text('{"image_id": "')
    (project / "build" / "pushed" / "list.json").write_text("[]")
    assert digest_told(capsys) is None


def test_what_the_engine_knows_itself_comes_before_a_record(project, capsys):
    recorded(project, "built/v1.us-west-2.json", digest=OTHER)
    assert digest_told(capsys) == DIGEST
