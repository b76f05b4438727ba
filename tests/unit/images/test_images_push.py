"""A push as a plan, its refusals, and its failures; ECR is moto's, the engine pushes into it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber
from moto import mock_aws

from sagedock.engine import GivenNames, Transfer
from sagedock.errors import (
    EngineError,
    ImageNotFound,
    InvalidRequest,
    NoCredentials,
    PushFailed,
)
from sagedock.images.ecr import EcrRegistry
from sagedock.images.image import Image
from sagedock.images.layer_lines import LayerLines
from sagedock.images.push import PushedImage, push_image
from sagedock.images.push_plan import Planned, ToPush, named_images, plan_push
from sagedock.images.push_record import facts, git_state, record
from sagedock.testing import FakeEngine

REGION = "eu-west-1"
HOST = f"123456789012.dkr.ecr.{REGION}.amazonaws.com"
TRAINING = Image(
    name="training-cpu",
    kind="training",
    device="cpu",
    dockerfile="d",
    target="t",
    repository="my-training",
    tag="cpu",
    base="b",
)


class Engine(FakeEngine):
    """Pushes into moto's ECR. ``fails`` raises what a push is to fail with."""

    def __init__(self, client: Any, names: GivenNames) -> None:
        super().__init__(None, images=["my-training:cpu", "other:1"])
        self.client, self.names = client, names
        self.logins: list[tuple[str, str]] = []
        self.sent = 0
        self.fails: Callable[[], None] = lambda: None

    def push(self, reference: str, *, user: str, password: str) -> Iterator[Transfer]:
        self.logins.append((user, password))
        image = self.image(reference).id
        yield Transfer(layer="layer", status="Pushing", current=10, total=20)
        self.fails()
        name, _, tag = reference.partition("/")[2].partition(":")
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {"digest": image, "size": 1, "mediaType": "application/json"},
            "layers": [{"digest": image, "size": 7}],
        }
        put = self.client.put_image(
            repositoryName=name, imageManifest=json.dumps(manifest), imageTag=tag
        )
        self.sent += 1
        yield Transfer(layer="", status="", digest=put["image"]["imageId"]["imageDigest"])


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    with mock_aws():
        yield boto3.client("ecr", region_name=REGION)


@pytest.fixture
def engine(client: Any, tmp_path: Path) -> Engine:
    return Engine(client, GivenNames(tmp_path / "names"))


def to_push(image: str = "my-training:cpu", tag: str = "cpu") -> ToPush:
    return ToPush(image=image, repository="my-training", tag=tag)


def planned(engine: Engine, wanted: ToPush | None = None) -> Planned:
    registry = EcrRegistry(client=engine.client, region=REGION)
    (found,) = plan_push(engine, [wanted or to_push()], [registry])
    return found


def pushed(engine: Engine, wanted: ToPush | None = None) -> tuple[PushedImage, list[str]]:
    said: list[str] = []
    plan = planned(engine, wanted)
    found = push_image(engine, plan, names=engine.names, progress=lambda *_: None, say=said.append)
    return found, said


def test_a_push_makes_the_repository_as_it_should_be(engine: Engine) -> None:
    found, _ = pushed(engine)
    assert (found.created, found.already) == (True, False)
    assert found.image_uri == f"{HOST}/my-training@{found.digest}"
    client = engine.client
    (repository,) = client.describe_repositories()["repositories"]
    assert repository["imageTagMutability"] == "IMMUTABLE"
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
    assert repository["encryptionConfiguration"] == {"encryptionType": "AES256"}
    tags = client.list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"]
    assert tags == [{"Key": "created-by", "Value": "sagedock"}]
    policy = client.get_lifecycle_policy(repositoryName="my-training")["lifecyclePolicyText"]
    assert json.loads(policy)["rules"][0]["selection"]["tagStatus"] == "untagged"
    assert engine.logins[0][0] == "AWS"


def test_the_name_that_a_push_needs_is_gone_afterwards(engine: Engine) -> None:
    pushed(engine)
    assert engine.images == {"my-training:cpu", "other:1"}


def test_a_name_that_the_engine_had_stays_what_it_was(engine: Engine) -> None:
    name = f"{HOST}/my-training:cpu"
    engine.tag("other:1", name)
    pushed(engine)
    assert engine.image(name).id == engine.image("other:1").id


def test_a_second_push_sends_nothing(engine: Engine) -> None:
    first, _ = pushed(engine)
    again, said = pushed(engine)
    assert (again.already, again.created, again.digest) == (True, False, first.digest)
    assert engine.sent == 1
    assert any("nothing to do" in line for line in said)


def test_a_tag_keeps_its_meaning(engine: Engine) -> None:
    pushed(engine)
    engine.rebuild("my-training:cpu")
    with pytest.raises(InvalidRequest, match=r"is another image already .*--tag"):
        planned(engine)
    other, _ = pushed(engine, to_push(tag="cpu-2"))
    assert other.tag == "cpu-2"


def test_every_problem_is_told_before_anything_is_done(engine: Engine) -> None:
    pushed(engine)
    engine.rebuild("my-training:cpu")
    registries = [EcrRegistry(client=engine.client, region=REGION)] * 2
    with pytest.raises(InvalidRequest) as caught:
        plan_push(engine, [to_push()], registries, architecture="arm64")
    assert len(caught.value.problems) == 3
    assert "linux/arm64" in caught.value.problems[0]
    assert engine.sent == 1


def test_an_image_that_is_not_there_is_told(engine: Engine) -> None:
    with pytest.raises(ImageNotFound, match="absent:1: the engine has no such image: build or"):
        planned(engine, to_push("absent:1"))
    assert engine.client.describe_repositories()["repositories"] == []


def test_a_repository_that_a_push_left_without_a_policy_gets_it(engine: Engine) -> None:
    pushed(engine)
    engine.client.delete_lifecycle_policy(repositoryName="my-training")
    pushed(engine)
    assert engine.client.get_lifecycle_policy(repositoryName="my-training")["lifecyclePolicyText"]


def test_a_repository_of_somebody_else_s_stays_as_it_is(engine: Engine) -> None:
    engine.client.create_repository(repositoryName="my-training")
    found, said = pushed(engine)
    assert found.created is False
    assert any("its tags may move" in line for line in said)
    with pytest.raises(engine.client.exceptions.LifecyclePolicyNotFoundException):
        engine.client.get_lifecycle_policy(repositoryName="my-training")
    (repository,) = engine.client.describe_repositories()["repositories"]
    assert repository["imageTagMutability"] == "MUTABLE"


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("tag invalid: The image tag 'cpu' ... because the tag is immutable.", "--tag"),
        (
            "denied: User: arn:x is not authorized to perform: ecr:InitiateLayerUpload on resource",
            "ask for that permission",  # row 174
        ),
        ("write /var/lib/docker/tmp/x: no space left on device", "docker image prune"),
        ("dial tcp: connection refused", "nothing answers there"),
        ("something nobody knows", "are not sent again"),
    ],
)
def test_a_failure_says_what_to_do(engine: Engine, said: str, remedy: str) -> None:
    def fail() -> None:
        raise EngineError(said)

    engine.fails = fail
    with pytest.raises(PushFailed) as caught:
        pushed(engine)
    assert said in str(caught.value)
    assert remedy in str(caught.value)
    assert engine.images == {"my-training:cpu", "other:1"}


def test_what_ecr_has_is_what_was_pushed_or_it_is_told(engine: Engine) -> None:
    class Lying(Engine):
        def push(self, reference: str, *, user: str, password: str) -> Iterator[Transfer]:
            yield from super().push(reference, user=user, password=password)
            yield Transfer(layer="", status="", digest="sha256:other")

    with pytest.raises(PushFailed, match="somebody else pushes the same tag"):
        pushed(Lying(engine.client, engine.names))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AccessDeniedException", "ecr:CreateRepository"),
        ("ExpiredTokenException", "aws sso login"),
        ("LimitExceededException", "LimitExceededException"),
    ],
)
def test_a_refusal_of_ecr_s_says_what_to_do(engine: Engine, code: str, words: str) -> None:
    client = boto3.client("ecr", region_name=REGION)
    with Stubber(client) as stubber:
        stubber.add_client_error("batch_get_image", code, "not you")
        with pytest.raises(PushFailed, match=words):
            plan_push(engine, [to_push()], [EcrRegistry(client=client, region=REGION)])


def test_a_name_that_ecr_does_not_take_is_told(engine: Engine) -> None:
    client = boto3.client("ecr", region_name=REGION)
    with Stubber(client) as stubber:
        stubber.add_client_error("batch_get_image", "InvalidParameterException", "'repositoryName'")
        with pytest.raises(InvalidRequest, match=r"repositoryName.*another --repository"):
            plan_push(engine, [to_push()], [EcrRegistry(client=client, region=REGION)])


def test_no_credentials_are_told(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    client = boto3.session.Session().client("ecr", region_name=REGION)
    with pytest.raises(NoCredentials, match=r"no credentials .*aws configure.*--target local"):
        plan_push(engine, [to_push()], [EcrRegistry(client=client, region=REGION)])


def test_an_address_that_nobody_answers_at_is_told(engine: Engine) -> None:
    client = boto3.client(
        "ecr",
        region_name=REGION,
        endpoint_url="http://127.0.0.1:1",
        config=Config(retries={"max_attempts": 0}),
    )
    with pytest.raises(PushFailed, match="cannot be reached"):
        plan_push(engine, [to_push()], [EcrRegistry(client=client, region=REGION)])


def test_names_of_the_command_line() -> None:
    found = named_images(
        ["training-cpu", "team/app", "host:5000/x/y:2", "a@sha256:0"], {"training-cpu": TRAINING}
    )
    assert [(each.image, each.repository, each.tag) for each in found] == [
        ("my-training:cpu", "my-training", "cpu"),
        ("team/app", "team/app", "latest"),
        ("host:5000/x/y:2", "x/y", "2"),
        ("a@sha256:0", "a", "latest"),
    ]
    (one,) = named_images(["sha256:12"], {}, repository="r", tag="t")
    assert (one.repository, one.tag) == ("r", "t")


def test_names_that_cannot_be_are_all_told() -> None:
    with pytest.raises(InvalidRequest) as caught:
        named_images(["sha256:12", "b"], {}, repository="r")
    assert len(caught.value.problems) == 2


def test_a_line_for_each_layer_s_news() -> None:
    lines: list[str] = []
    now = 0.0
    told = LayerLines(lines.append, lambda: now)
    told("a:1", Transfer(layer="", status="The push refers to ..."))
    told("a:1", Transfer(layer="l1", status="Preparing"))
    for sent in (1_000_000, 2_000_000):
        told("a:1", Transfer(layer="l1", status="Pushing", current=sent, total=4_000_000))
    now = 6.0
    told("a:1", Transfer(layer="l1", status="Pushing", current=3_000_000, total=4_000_000))
    told("a:1", Transfer(layer="l1", status="Pushed"))
    told("a:1", Transfer(layer="l2", status="Layer already exists"))
    assert lines == [
        "a:1: layer l1 1 of 4 MB sent",
        "a:1: layer l1 3 of 4 MB sent",
        "a:1: layer l1 pushed",
        "a:1: layer l2 is there already",
    ]


def test_what_is_recorded(engine: Engine, tmp_path: Path) -> None:
    found, _ = pushed(engine)
    labels = {"org.opencontainers.image.revision": "abc"}
    known = facts(found, image_id="sha256:1", labels=labels, git=git_state(tmp_path))
    file = record(known, tmp_path / "pushed")
    assert file == tmp_path / "pushed" / "my-training" / f"cpu.{REGION}.json"
    told = json.loads(file.read_text())
    assert told["image_uri"] == found.image_uri
    assert (told["image_revision"], told["git_revision"], told["git_dirty"]) == ("abc", None, None)


@pytest.mark.parametrize(("told", "dirty"), [("abc", False), ("abc-dirty", True)])
def test_a_push_without_git_may_be_told_its_revision(
    tmp_path: Path, told: str, dirty: bool
) -> None:
    assert git_state(tmp_path, {"SAGEDOCK_REVISION": told}) == {
        "git_revision": "abc",
        "git_dirty": dirty,
    }
