"""Lists attached in registries that list nothing themselves, and in those that fail."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from sagedock.api.ecr_messages import tag_is_immutable
from sagedock.errors import PushFailed
from sagedock.images.attach import attach
from sagedock.images.ecr import Login
from sagedock.images.oci_registry import INDEX, MANIFEST, OciRegistry, TagTaken, digest_of
from sagedock.images.push import PushedImage
from sagedock.local.ecr import find_program
from tests.conftest import plain_http
from tests.unit.images.answering import Answer, Asked, answering

KIND = "application/vnd.cyclonedx+json"
NAME = "team/app"
_STARTS_S = 60.0


def registry_at(host: str) -> OciRegistry:
    return OciRegistry(login=Login(host=host, user="AWS", password="secret", scheme="http"))


def pushed(digest: str) -> PushedImage:
    return PushedImage(
        image="probe:1",
        repository=NAME,
        tag="1",
        region="eu-west-1",
        digest=digest,
        size=1,
        uri=f"registry/{NAME}",
        already=False,
        created=False,
    )


@pytest.fixture
def old_registry(tmp_path: Path) -> Iterator[OciRegistry]:
    """Debian's docker-registry: version 2.8, which knows no referrers."""
    program = find_program()
    if program is None:
        pytest.skip("no docker-registry: `make registry` gets it")
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as probe:
        host = f"127.0.0.1:{probe.server_port}"
    config = tmp_path / "config.yml"
    config.write_text(
        f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {tmp_path / 'kept'}\n"
        f"http:\n  addr: {host}\n  secret: s\nlog:\n  level: error\n"
    )
    process = subprocess.Popen([program, "serve", str(config)], stderr=subprocess.DEVNULL)
    try:
        ends = time.monotonic() + _STARTS_S
        while not _answers(host):
            assert process.poll() is None, "docker-registry ended"
            assert time.monotonic() < ends, "docker-registry does not answer"
            time.sleep(0.02)
        yield registry_at(host)
    finally:
        process.terminate()
        process.wait(60)


def _answers(host: str) -> bool:
    try:
        return plain_http().get(f"http://{host}/v2/").status_code == 200
    except httpx.TransportError:
        return False


def image_in(registry: OciRegistry) -> str:
    config = b'{"architecture": "amd64", "os": "linux"}'
    registry.put_blob(NAME, config)
    described = {
        "mediaType": "application/vnd.oci.image.config.v1+json",
        "digest": digest_of(config),
        "size": len(config),
    }
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described, "layers": []}
    content = json.dumps(manifest).encode()
    registry.put_manifest(NAME, "1", content, MANIFEST)
    return digest_of(content)


def test_where_nothing_lists_the_list_is_an_index_with_a_tag(old_registry: OciRegistry) -> None:
    image = image_in(old_registry)

    first = attach(old_registry, pushed(image), b'{"a": 1}', kind=KIND, title="sbom.cdx.json")
    again = attach(old_registry, pushed(image), b'{"a": 1}', kind=KIND, title="sbom.cdx.json")
    other = attach(old_registry, pushed(image), b'{"a": 2}', kind=KIND, title="sbom.cdx.json")

    assert first.tag == image.replace(":", "-")
    assert (first.already, again.already, again.digest) == (False, True, first.digest)
    found = old_registry.manifest(NAME, first.tag)
    assert found is not None
    assert found[0]["mediaType"] == INDEX
    listed = json.loads(found[1])["manifests"]
    assert [each["digest"] for each in listed] == [first.digest, other.digest]
    assert [each["artifactType"] for each in listed] == [KIND, KIND]
    assert old_registry.referrers(NAME, image) is None


def test_an_image_that_is_not_there_is_told(old_registry: OciRegistry) -> None:
    with pytest.raises(PushFailed, match=r"does not have sha256:0+ any more"):
        attach(old_registry, pushed(f"sha256:{'0' * 64}"), b"{}", kind=KIND, title="t")


IMAGE = b'{"schemaVersion": 2}'


def test_a_refusal_is_told_in_the_registry_s_words() -> None:
    said = {"errors": [{"code": "DENIED", "message": "not authorized to perform ecr:PutImage"}]}

    def answer(asked: Asked) -> Answer:
        if asked.path == f"/v2/{NAME}/manifests/{digest_of(IMAGE)}":
            return Answer(pieces=(IMAGE,))
        if asked.method in ("GET", "HEAD"):
            return Answer(404)
        return Answer(403, (json.dumps(said).encode(),))

    with answering(answer) as host, pytest.raises(PushFailed) as caught:
        attach(registry_at(host), pushed(digest_of(IMAGE)), b"{}", kind=KIND, title="t")
    told = str(caught.value)
    assert f"registry/{NAME}@{digest_of(IMAGE)} is pushed, and t could not be attached" in told
    assert "answers 403: not authorized to perform ecr:PutImage" in told
    assert "--no-sbom" in told
    assert "secret" not in told


def immutable() -> Callable[[Asked], Answer]:
    """Return a registry that lists nothing itself, and whose tags may not move."""
    kept: dict[str, bytes] = {digest_of(IMAGE): IMAGE}

    def answer(asked: Asked) -> Answer:
        name = asked.path.rpartition("/")[2]
        if asked.method == "GET":
            found = None if "/referrers/" in asked.path else kept.get(name)
            return Answer(404) if found is None else Answer(pieces=(found,))
        if asked.method == "HEAD":
            return Answer(200)
        if kept.get(name, asked.body) != asked.body:
            words = str(tag_is_immutable(NAME, name).message)
            said = {"errors": [{"code": "TAG_INVALID", "message": words}]}
            return Answer(400, (json.dumps(said).encode(),))
        kept[name] = asked.body
        return Answer(201)

    return answer


def test_a_list_whose_tag_may_not_move_stays_and_a_newer_document_is_attached() -> None:
    with answering(immutable()) as host:
        registry, image = registry_at(host), pushed(digest_of(IMAGE))
        first = attach(registry, image, b'{"a": 1}', kind=KIND, title="t")
        for already in (False, True):
            other = attach(registry, image, b'{"a": 2}', kind=KIND, title="t")
            assert (other.tag, other.already) == (None, already)
            assert "because the tag is immutable" in other.why_unlisted
            assert registry.manifest(NAME, other.digest) is not None
        again = attach(registry, image, b'{"a": 1}', kind=KIND, title="t")
    assert (first.why_unlisted, again.why_unlisted) == ("", "")
    assert again.tag == first.tag


def test_a_refusal_of_another_kind_is_no_taken_tag() -> None:
    with (
        answering(lambda _: Answer(403, (b"no rights on team/immutable-app",))) as host,
        pytest.raises(PushFailed) as caught,
    ):
        registry_at(host).put_manifest("team/immutable-app", "sha256-1", b"{}", MANIFEST)
    assert not isinstance(caught.value, TagTaken)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"another manifest", "answers another manifest"),
        (b"x" * (9 * 1024 * 1024), "answers more than"),
    ],
)
def test_what_a_registry_should_not_answer(body: bytes, words: str) -> None:
    with (
        answering(lambda _: Answer(pieces=(body,))) as host,
        pytest.raises(PushFailed, match=words),
    ):
        attach(registry_at(host), pushed(digest_of(IMAGE)), b"{}", kind=KIND, title="t")


@pytest.mark.parametrize("body", [b"[]", b"{}", b"no json", b'{"manifests": 1}'])
def test_a_list_that_is_none_is_told(body: bytes) -> None:
    with (
        answering(lambda _: Answer(pieces=(body,))) as host,
        pytest.raises(PushFailed, match="is no index"),
    ):
        registry_at(host).referrers(NAME, digest_of(IMAGE))


def test_an_upload_goes_where_the_registry_says_and_the_password_stays() -> None:
    seen: list[Asked] = []

    def elsewhere(asked: Asked) -> Answer:
        seen.append(asked)
        return Answer(201)

    with answering(elsewhere) as other:
        begun = Answer(202, headers={"Location": f"http://{other}/put?state=a%2Bb"})

        def answer(asked: Asked) -> Answer:
            assert asked.headers["Authorization"].startswith("Basic ")
            return begun if asked.method == "POST" else Answer(404)

        with answering(answer) as host:
            registry_at(host).put_blob(NAME, b"content")
    (asked,) = seen
    digest = digest_of(b"content").replace(":", "%3A")
    assert (asked.method, asked.path) == ("PUT", f"/put?state=a%2Bb&digest={digest}")
    assert asked.body == b"content"
    assert "Authorization" not in asked.headers


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_certificates_that_are_not_there_are_told(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    for each in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(variable, "/nowhere/ca.pem")
    registry = OciRegistry(login=Login(host="127.0.0.1:1", user="AWS", password="secret"))
    with pytest.raises(PushFailed, match=r"/nowhere/ca\.pem"):
        registry.referrers(NAME, digest_of(IMAGE))


def test_certificates_for_aws_come_before_those_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/all.pem")
    monkeypatch.setenv("AWS_CA_BUNDLE", "/nowhere/aws.pem")
    registry = OciRegistry(login=Login(host="127.0.0.1:1", user="AWS", password="secret"))
    with pytest.raises(PushFailed, match=r"/nowhere/aws\.pem"):
        registry.referrers(NAME, digest_of(IMAGE))


def test_a_registry_that_does_not_answer_is_told() -> None:
    with pytest.raises(PushFailed, match="could not be attached"):
        attach(registry_at("127.0.0.1:1"), pushed(digest_of(IMAGE)), b"{}", kind=KIND, title="t")
