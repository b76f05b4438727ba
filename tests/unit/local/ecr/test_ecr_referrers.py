"""What refers to an image in the local ECR, and lists attached to images there and elsewhere."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock.errors import PushFailed
from sagedock.images.attach import attach
from sagedock.images.ecr import EcrRegistry
from sagedock.images.oci_registry import OciRegistry
from sagedock.images.push import PushedImage
from tests.conftest import REGION, Local
from tests.unit.local.ecr.docker_client import NAME, Docker, digest, needs_registry

KIND = "application/vnd.cyclonedx+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"

pytestmark = needs_registry


@pytest.fixture
def client(local: Local) -> Any:
    made = local.client("ecr")
    made.create_repository(
        repositoryName=NAME,
        imageTagMutability="IMMUTABLE",
        imageScanningConfiguration={"scanOnPush": True},
    )
    return made


@pytest.fixture
def docker(local: Local, client: Any) -> Docker:
    return Docker(local)


@pytest.fixture
def pushed(docker: Docker) -> PushedImage:
    manifest = docker.manifest(b"layer")
    assert docker.put(manifest, "1").status_code == 201
    return PushedImage(
        image="probe:1",
        repository=NAME,
        tag="1",
        region=REGION,
        digest=digest(manifest),
        size=1,
        uri=f"registry/{NAME}",
        already=False,
        created=False,
    )


def registry(client: Any) -> OciRegistry:
    return OciRegistry(login=EcrRegistry(client=client, region=REGION).login())


def artifact(docker: Docker, subject: str, **more: Any) -> bytes:
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {**docker.blob(b"{}"), "mediaType": "application/vnd.oci.empty.v1+json"},
            "layers": [],
            "subject": {"mediaType": MANIFEST, "digest": subject, "size": 1},
            **more,
        }
    ).encode()


def test_a_list_is_attached_and_comes_back_as_it_was(
    client: Any, docker: Docker, pushed: PushedImage
) -> None:
    content = b'{"bomFormat": "CycloneDX"}' * 1000

    made = attach(registry(client), pushed, content, kind=KIND, title="sbom.cdx.json")

    assert (made.already, made.tag) == (False, None)
    listed = docker.ask("GET", f"/{NAME}/referrers/{pushed.digest}")
    assert listed.headers["content-type"] == "application/vnd.oci.image.index.v1+json"
    (one,) = listed.json()["manifests"]
    assert one == {
        "mediaType": MANIFEST,
        "digest": made.digest,
        "size": one["size"],
        "artifactType": KIND,
        "annotations": {"org.opencontainers.image.title": "sbom.cdx.json"},
    }
    manifest = docker.ask("GET", f"/{NAME}/manifests/{one['digest']}")
    assert (len(manifest.content), digest(manifest.content)) == (one["size"], made.digest)
    (layer,) = manifest.json()["layers"]
    assert docker.ask("GET", f"/{NAME}/blobs/{layer['digest']}").content == content
    assert manifest.json()["subject"]["digest"] == pushed.digest
    assert "data" not in manifest.json()["config"]  # ECR refuses it
    (listed,) = registry(client).referrers(NAME, pushed.digest) or ()
    assert (listed["digest"], listed["artifactType"]) == (made.digest, KIND)


def test_the_same_list_again_sends_nothing(
    client: Any, docker: Docker, pushed: PushedImage
) -> None:
    first = attach(registry(client), pushed, b"{}", kind=KIND, title="t")
    again = attach(registry(client), pushed, b"{}", kind=KIND, title="t")
    assert (again.already, again.digest) == (True, first.digest)
    other = attach(registry(client), pushed, b"{ }", kind=KIND, title="t")
    listed = docker.ask("GET", f"/{NAME}/referrers/{pushed.digest}").json()["manifests"]
    assert {each["digest"] for each in listed} == {first.digest, other.digest}


def test_the_image_and_its_tag_stay_what_they_were(client: Any, pushed: PushedImage) -> None:
    before = client.describe_images(repositoryName=NAME, imageIds=[{"imageTag": "1"}])
    made = attach(registry(client), pushed, b"{}", kind=KIND, title="t")
    after = client.describe_images(repositoryName=NAME, imageIds=[{"imageTag": "1"}])
    assert after["imageDetails"] == before["imageDetails"]
    (detail,) = client.describe_images(
        repositoryName=NAME, imageIds=[{"imageDigest": made.digest}]
    )["imageDetails"]
    assert detail["artifactMediaType"] == KIND
    assert detail["subjectManifestDigest"] == pushed.digest
    assert "imageTags" not in detail
    with pytest.raises(ClientError, match="scan does not exist"):
        client.describe_image_scan_findings(
            repositoryName=NAME, imageId={"imageDigest": made.digest}
        )


def test_list_image_referrers_answers_the_same(client: Any, pushed: PushedImage) -> None:
    made = attach(registry(client), pushed, b"{}", kind=KIND, title="t")
    subject = {"imageDigest": pushed.digest}
    (found,) = client.list_image_referrers(repositoryName=NAME, subjectId=subject)["referrers"]
    assert (found["digest"], found["artifactType"]) == (made.digest, KIND)
    assert found["artifactStatus"] == "ACTIVE"
    for asked, count in (
        ({"artifactTypes": [KIND]}, 1),
        ({"artifactTypes": ["application/spdx+json"]}, 0),
        ({"artifactStatus": "ANY"}, 1),
        ({"artifactStatus": "ARCHIVED"}, 0),
    ):
        answer = client.list_image_referrers(repositoryName=NAME, subjectId=subject, filter=asked)
        assert len(answer["referrers"]) == count, asked
    with pytest.raises(ClientError, match="does not exist in the registry"):
        client.list_image_referrers(repositoryName="absent", subjectId=subject)


def test_pages_of_referrers(client: Any, docker: Docker, pushed: PushedImage) -> None:
    for number in range(3):
        attach(registry(client), pushed, b"%d" % number, kind=KIND, title="t")
    subject = {"imageDigest": pushed.digest}
    first = client.list_image_referrers(repositoryName=NAME, subjectId=subject, maxResults=2)
    rest = client.list_image_referrers(
        repositoryName=NAME, subjectId=subject, maxResults=2, nextToken=first["nextToken"]
    )
    assert [len(first["referrers"]), len(rest["referrers"])] == [2, 1]
    assert "nextToken" not in rest


def test_the_registry_says_that_it_knows_the_subject(docker: Docker, pushed: PushedImage) -> None:
    for subject in (pushed.digest, digest(b"not pushed yet")):
        manifest = artifact(docker, subject, artifactType="application/x")
        done = docker.ask(
            "PUT", f"/{NAME}/manifests/{digest(manifest)}", manifest, content_type=MANIFEST
        )
        assert (done.status_code, done.headers["oci-subject"]) == (201, subject)
        listed = docker.ask("GET", f"/{NAME}/referrers/{subject}").json()["manifests"]
        assert [each["digest"] for each in listed] == [digest(manifest)]


def test_what_refers_is_told_by_kind(docker: Docker, pushed: PushedImage) -> None:
    for kind in ("application/x", "application/y"):
        manifest = artifact(docker, pushed.digest, artifactType=kind)
        docker.ask("PUT", f"/{NAME}/manifests/{digest(manifest)}", manifest, content_type=MANIFEST)
    plain = artifact(docker, pushed.digest)
    docker.ask("PUT", f"/{NAME}/manifests/{digest(plain)}", plain, content_type=MANIFEST)
    path = f"/{NAME}/referrers/{pushed.digest}"
    whole = docker.ask("GET", path)
    assert [each["artifactType"] for each in whole.json()["manifests"]] == [
        *("application/x", "application/y", "application/vnd.oci.empty.v1+json")
    ]
    assert "oci-filters-applied" not in whole.headers
    some = docker.ask("GET", f"{path}?artifactType=application/y")
    assert [each["artifactType"] for each in some.json()["manifests"]] == ["application/y"]
    assert some.headers["oci-filters-applied"] == "artifactType"


def test_nothing_refers_to_what_is_not_there(docker: Docker, pushed: PushedImage) -> None:
    absent = docker.ask("GET", f"/{NAME}/referrers/{digest(b'absent')}")
    assert (absent.status_code, absent.json()["manifests"]) == (200, [])
    wrong = docker.ask("GET", f"/{NAME}/referrers/1")
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (400, "DIGEST_INVALID")


@pytest.mark.parametrize(
    "changes", [{"subject": {"size": 1}}, {"subject": 1}, {"artifactType": "x"}]
)
def test_what_is_no_artifact_is_refused(
    docker: Docker, pushed: PushedImage, changes: dict[str, Any]
) -> None:
    manifest = json.dumps({**json.loads(artifact(docker, pushed.digest)), **changes}).encode()
    done = docker.ask(
        "PUT", f"/{NAME}/manifests/{digest(manifest)}", manifest, content_type=MANIFEST
    )
    assert (done.status_code, done.json()["errors"][0]["code"]) == (400, "MANIFEST_INVALID")


def test_what_is_deleted_refers_to_nothing(
    client: Any, docker: Docker, pushed: PushedImage
) -> None:
    made = attach(registry(client), pushed, b"{}", kind=KIND, title="t")
    client.batch_delete_image(repositoryName=NAME, imageIds=[{"imageDigest": made.digest}])
    assert docker.ask("GET", f"/{NAME}/referrers/{pushed.digest}").json()["manifests"] == []


def test_a_failure_says_that_the_image_is_there(client: Any, pushed: PushedImage) -> None:
    client.batch_delete_image(repositoryName=NAME, imageIds=[{"imageDigest": pushed.digest}])
    with pytest.raises(PushFailed, match=r"is pushed, and t could not be attached.*--no-sbom"):
        attach(registry(client), pushed, b"{}", kind=KIND, title="t")
