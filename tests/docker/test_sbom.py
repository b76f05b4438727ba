"""Lists of what real images hold: made from outside, attached on push, pulled back."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from sagedock.cli import main
from sagedock.errors import PushFailed
from sagedock.images.ecr import EcrRegistry
from sagedock.images.oci_registry import OciRegistry
from sagedock.images.sbom import MEDIA_TYPE, make_sbom
from sagedock.local.ecr import find_program
from tests.conftest import REGION, plain_http
from tests.docker.conftest import RealLocal
from tests.docker.test_push import push, tiny
from tests.docker.tiny_images import SOURCE, TinyImages

__all__ = ["tiny"]

needs_registry = pytest.mark.skipif(
    find_program() is None, reason="no docker-registry: `make registry` gets it"
)
PIP = (
    "import json, importlib.metadata as m; "
    "print(json.dumps([[d.name, d.version] for d in m.distributions()]))"
)


def run(engine: Any, *words: str) -> str:
    """Return what a program of the training image prints."""
    import docker

    client = docker.from_env()
    try:
        out: bytes = client.containers.run(SOURCE, list(words), entrypoint="", remove=True)
    finally:
        client.close()
    return out.decode()


@pytest.mark.slow
def test_the_training_image_holds_what_its_own_programs_say(engine: Any) -> None:
    from tests.unit.images.test_sbom_schema import problems

    image = engine.image(SOURCE)
    made = make_sbom(engine, image, lambda _: None)
    assert made.unread == ()
    assert problems(made) == []

    listed = {
        (str(canonicalize_name(each["name"])), each["version"]) for each in made.packages("python")
    }
    for name, version in json.loads(run(engine, "python3", "-c", PIP)):
        assert (str(canonicalize_name(name)), version) in listed
    shown = run(engine, "dpkg-query", "-W", "-f", "${Package} ${Version} ${Architecture}\n")
    debian = {
        f"{each['name']} {each['version']} {each['purl'].partition('arch=')[2].partition('&')[0]}"
        for each in made.packages("debian")
    }
    assert debian == set(shown.splitlines())


def test_the_list_of_an_image_is_the_same_each_time(engine: Any) -> None:
    base = engine.image("sagedock/base:bookworm-py3.11")
    one, another = (make_sbom(engine, base, lambda _: None) for _ in range(2))
    assert len(one.packages("debian")) > 50
    assert one.text == another.text


@needs_registry
def test_a_push_attaches_the_list_and_the_registry_gives_it_back(
    real: RealLocal,
    engine: Any,
    tiny: TinyImages,
    tmp_path: Path,
) -> None:
    name = tiny.make()
    repository = name.partition(":")[0]

    done = push(real, tmp_path, name)

    assert done.returncode == 0, done.stderr
    digest = done.stdout.strip().partition("@")[2]
    (record,) = (tmp_path / "build" / "pushed").rglob("*.json")
    told = json.loads(record.read_text())
    place = tmp_path / told["sbom"]
    assert place == tmp_path / "build" / "sbom" / repository / "1.cdx.json"

    login = EcrRegistry(client=real.client("ecr"), region=REGION).login()
    below = f"http://{login.host}/v2/{repository}"
    auth = (login.user, login.password)
    listed = plain_http().get(f"{below}/referrers/{digest}", auth=auth).json()["manifests"]
    assert [(each["digest"], each["artifactType"]) for each in listed] == [
        (told["sbom_digest"], MEDIA_TYPE)
    ]
    manifest = plain_http().get(f"{below}/manifests/{told['sbom_digest']}", auth=auth)
    assert f"sha256:{hashlib.sha256(manifest.content).hexdigest()}" == told["sbom_digest"]
    (layer,) = manifest.json()["layers"]
    pulled = plain_http().get(f"{below}/blobs/{layer['digest']}", auth=auth).content
    assert pulled == place.read_bytes()
    assert json.loads(pulled)["metadata"]["component"]["bom-ref"] == engine.image(name).id

    again = push(real, tmp_path, name)
    assert again.returncode == 0, again.stderr
    assert again.stdout == done.stdout
    assert f"the list of what it holds is there already ({told['sbom_digest']})" in again.stderr
    assert "reading" not in again.stderr
    (image,) = real.client("ecr").describe_images(
        repositoryName=repository, filter={"tagStatus": "TAGGED"}
    )["imageDetails"]
    assert (image["imageDigest"], image["imageTags"]) == (digest, ["1"])


@needs_registry
def test_an_image_whose_list_cannot_be_attached_is_there_and_recorded(
    real: RealLocal,
    tiny: TinyImages,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name = tiny.make()
    monkeypatch.chdir(tmp_path)
    for variable, value in real.server.environment().items():
        monkeypatch.setenv(variable, value)

    def refuse(*_: Any) -> None:
        raise PushFailed("no more room")

    with monkeypatch.context() as refusing:
        refusing.setattr(OciRegistry, "put_blob", refuse)
        assert main(["push", name]) == 10
    said = capsys.readouterr().err
    assert "is pushed, and sbom.cdx.json could not be attached to it: no more room" in said
    (record,) = (tmp_path / "build" / "pushed").rglob("*.json")
    told = json.loads(record.read_text())
    assert f"sagedock: {told['image_uri']} is pushed" in said
    assert (told["sbom"], told["sbom_digest"]) == (None, None)

    assert main(["push", name]) == 0
    assert json.loads(record.read_text())["sbom_digest"].startswith("sha256:")


@needs_registry
def test_a_push_without_the_list(
    real: RealLocal,
    tiny: TinyImages,
    tmp_path: Path,
) -> None:
    name = tiny.make()
    done = push(real, tmp_path, name, "--no-sbom")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "build" / "sbom").exists()
    (record,) = (tmp_path / "build" / "pushed").rglob("*.json")
    told = json.loads(record.read_text())
    assert (told["sbom"], told["sbom_digest"]) == (None, None)
    images = real.client("ecr").list_images(repositoryName=name.partition(":")[0])["imageIds"]
    assert len(images) == 1
