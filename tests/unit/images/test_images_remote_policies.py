"""The IAM documents: nothing too wide, nothing that is no action, and nothing missing."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, get_args

import boto3
import botocore.session
import pytest
from moto import mock_aws

from sagedock.engine import GivenNames
from sagedock.errors import InvalidRequest
from sagedock.images.ecr import EcrRegistry
from sagedock.images.remote.aws import Aws, Refused
from sagedock.images.remote.builds import Follower, start_build, stop_build
from sagedock.images.remote.carrying_out import carry_out, send_sources
from sagedock.images.remote.documents import Document, actions_of, document, raw_document
from sagedock.images.remote.packing import Packed
from sagedock.images.remote.permissions import actions_needed
from sagedock.images.remote.plan import NOTHING, lasting_changes, read_state, start_call
from sagedock.images.remote.records import pushed_records
from sagedock.images.remote.wanted import Wanted
from sagedock.images.scan_gate import await_findings
from sagedock.local.roles import trusting
from tests.conftest import REGION, Local
from tests.unit.images.remote_builds import aws, enlarged, image, packed, wanted
from tests.unit.images.test_images_push import Engine, pushed

DOCUMENTS: tuple[Document, ...] = get_args(Document)
#: Who builds, and who sets up what builds need.
PERSONS: tuple[Document, ...] = ("person-build", "person-setup")
each_document = pytest.mark.parametrize("name", DOCUMENTS)

#: Where AWS knows no narrower resource. Source:
#: https://docs.aws.amazon.com/AmazonECR/latest/userguide/security_iam_id-based-policy-examples.html
EVERYWHERE = {"ecr:GetAuthorizationToken"}
#: Actions that no operation is called like. Source: the service authorization reference,
#: https://docs.aws.amazon.com/service-authorization/latest/reference/
NO_OPERATION = {
    "iam:PassRole",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetObjectVersion",
    "s3:ListBucket",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
}
#: What docker clients have the registry do, in the names of the API. Source:
#: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
BY_DOCKER = {
    "ecr:BatchCheckLayerAvailability",
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
}


def statements(name: Document) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = raw_document(name)["Statement"]
    return found


def listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


@each_document
def test_a_document_is_a_policy_as_iam_writes_it(name: Document) -> None:
    raw = raw_document(name)
    assert raw.keys() == {"Version", "Statement"}
    assert raw["Version"] == "2012-10-17"
    names = [each["Sid"] for each in raw["Statement"]]
    assert all(each.isalnum() for each in names)
    assert len(set(names)) == len(names)
    for each in raw["Statement"]:
        actions = listed(each["Action"])
        assert actions == sorted(set(actions))


@each_document
def test_nothing_is_allowed_by_a_wildcard(name: Document) -> None:
    for each in statements(name):
        if each["Effect"] == "Deny":
            # To refuse all of S3 without TLS takes all of its actions, of everybody. Source:
            # https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
            assert each["Sid"] == "OnlyOverTls"
            continue
        assert not [action for action in listed(each["Action"]) if "*" in action]
        assert "NotAction" not in each
        assert "NotResource" not in each
        for resource in listed(each.get("Resource", ())):
            if resource == "*":
                assert set(listed(each["Action"])) <= EVERYWHERE
            else:
                assert resource.startswith(("${", "arn:${partition}:")), resource


@each_document
def test_each_action_is_one_of_its_service(name: Document) -> None:
    session = botocore.session.get_session()
    for action in actions_of(name):
        service, _, operation = action.partition(":")
        operations = session.get_service_model(service).operation_names
        assert (operation in operations) is (action not in NO_OPERATION), action


def test_the_exceptions_are_needed() -> None:
    used = {action for name in DOCUMENTS for action in actions_of(name)}
    assert used >= NO_OPERATION | EVERYWHERE


@each_document
def test_every_name_is_filled_in_and_nothing_is_left_empty(name: Document) -> None:
    registry = "763104351884.dkr.ecr.us-west-2.amazonaws.com"
    build = wanted(cache="s3", registries=(registry,), images=(image(), image(repository="b")))
    filled = document(name, build.placeholders())
    assert "${" not in json.dumps(filled)
    assert len(filled["Statement"]) == len(statements(name))
    narrow = document(name, wanted().placeholders())
    assert all(each.get("Resource") != [] for each in narrow["Statement"])


#: Characters that a document may have, where it goes; IAM counts no white space. Sources:
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html and
#: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html
FITS: dict[Document, int] = {
    "bucket": 20 * 1024,
    "person-build": 6_144,
    "person-push": 6_144,
    "person-setup": 6_144,
    "role-permissions": 10_240,
    "role-trust": 2_048,
}


def large(number: int) -> Wanted:
    """Return a build whose names are as long as they may be, of a matrix of ``number`` images."""
    registry = "763104351884.dkr.ecr.ap-southeast-5.amazonaws.com"
    return wanted(
        region="ap-southeast-5",
        partition="aws-iso-b",
        project="p" * 40,
        bucket="b" * 63,
        cache="s3",
        registries=("111111111111.dkr.ecr.ap-southeast-5.amazonaws.com",),
        matrix=tuple(
            image(repository=f"a-team/of-the-company/image-{each}", base=f"{registry}/base-{each}")
            for each in range(number)
        ),
    )


@each_document
def test_a_document_fits_in_iam_and_s3(name: Document) -> None:
    filled = document(name, large(30).placeholders())
    assert len(json.dumps(filled, separators=(",", ":"))) < FITS[name]


def test_a_matrix_that_is_too_large_for_a_role_is_refused_before_anything_is_made() -> None:
    build = large(300)
    filled = document("role-permissions", build.placeholders())
    size = len(json.dumps(filled, separators=(",", ":")))
    with pytest.raises(InvalidRequest, match=f"takes {size} characters.*takes 10240.*repositor"):
        lasting_changes(build, NOTHING)


def test_the_role_is_for_builds_of_this_project_of_this_account_alone() -> None:
    build = wanted()
    (trust,) = document("role-trust", build.placeholders())["Statement"]
    assert trust["Principal"] == {"Service": "codebuild.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {
            "aws:SourceAccount": build.account,
            "aws:SourceArn": f"arn:aws:codebuild:{REGION}:{build.account}:project/{build.project}",
        }
    }


Made = tuple[str, str, dict[str, Any]]


class Watched:
    """An AWS whose clients write down what they are asked, while they are watched."""

    def __init__(self, here: Aws) -> None:
        self.calls: list[Made] = []
        self.aws = Aws(client=self._client, region=here.region)
        self._here = here
        self._seen: set[str] = set()

    def _client(self, service: str) -> Any:
        client = self._here.client(service)
        if service not in self._seen:
            self._seen.add(service)

            def write(params: dict[str, Any], model: Any, **_: Any) -> None:
                self.calls.append((service, model.name, dict(params)))

            client.meta.events.register("provide-client-params.*.*", write)
        return client

    @contextmanager
    def elsewhere(self) -> Iterator[None]:
        """Forget what is called inside: it is what builds do, and not who builds."""
        number = len(self.calls)
        yield
        del self.calls[number:]

    def actions(self) -> set[str]:
        return {
            action for service, name, _ in self.calls for action in actions_needed(service, name)
        }


def resource_of(build: Wanted, service: str, parameters: dict[str, Any]) -> str:
    """Return the ARN of what a call is about."""
    names = build.placeholders()
    match service:
        case "s3":
            key = f"/{parameters['Key']}" if "Key" in parameters else ""
            return f"arn:aws:s3:::{parameters['Bucket']}{key}"
        case "iam":
            return f"arn:aws:iam::{build.account}:role/{parameters['RoleName']}"
        case "codebuild":
            return str(names["project_arn"])
    if "resourceArn" in parameters:
        return str(parameters["resourceArn"])
    if "logGroupNamePrefix" in parameters:
        return f"arn:aws:logs:{REGION}:{build.account}:log-group:{parameters['logGroupNamePrefix']}"
    stream = parameters.get("logStreamName")
    group = f"arn:aws:logs:{REGION}:{build.account}:log-group:{parameters['logGroupName']}"
    return f"{group}:log-stream:{stream}" if stream else group


def allows(policy: dict[str, Any], action: str, resource: str) -> bool:
    return any(
        action in listed(each["Action"])
        and any(fnmatchcase(resource, pattern) for pattern in listed(each["Resource"]))
        for each in policy["Statement"]
    )


def refused(build: Wanted, calls: list[Made], *names: Document) -> Iterator[str]:
    """Yield what ``calls`` take that none of the documents has, all those of persons by default."""
    filled = [document(name, build.placeholders()) for name in names or PERSONS]
    for service, operation, parameters in calls:
        for action in actions_needed(service, operation):
            # The role that a project is given is another resource than the project.
            about = (
                build.role_arn
                if action == "iam:PassRole"
                else resource_of(build, service, parameters)
            )
            if not any(allows(policy, action, about) for policy in filled):
                yield f"{action} on {about}"


def test_the_policies_of_persons_have_what_is_called_and_no_more(
    local: Local, tmp_path: Path
) -> None:
    watched, build = Watched(aws(local)), wanted()
    large = enlarged(packed(tmp_path), 20_000_000)
    _everything(local, watched, build, large)
    with watched.elsewhere():
        local.client("iam").update_assume_role_policy(
            RoleName=build.role_name, PolicyDocument=trusting("sagemaker")
        )
    longer = Wanted(**{**vars(build), "timeout_min": 30})
    changes = lasting_changes(longer, read_state(watched.aws, longer))
    with pytest.raises(Refused, match="UpdateProject"):  # moto does not know it
        carry_out(watched.aws, changes, say=print)

    assert sorted(set(refused(build, watched.calls))) == []
    allowed = {action for name in PERSONS for action in actions_of(name)}
    # boto3 calls it where an upload breaks off.
    assert allowed - watched.actions() == {"s3:AbortMultipartUpload"}


def test_who_builds_needs_no_policy_to_set_up_what_is_there(local: Local, tmp_path: Path) -> None:
    build, zipped = wanted(), packed(tmp_path)
    carry_out(aws(local), lasting_changes(build, read_state(aws(local), build)), say=print)
    watched = Watched(aws(local))
    _everything(local, watched, build, zipped)
    assert sorted(set(refused(build, watched.calls, "person-build"))) == []
    assert set(actions_of("person-build")) - watched.actions() == {"s3:AbortMultipartUpload"}
    assert not set(actions_of("person-build")) & set(actions_of("person-setup"))


def test_who_builds_cannot_change_what_builds_may_do() -> None:
    of_iam = [each for each in actions_of("person-build") if each.startswith("iam:")]
    assert of_iam == ["iam:GetRole", "iam:GetRolePolicy", "iam:ListRoleTags"]
    changing = ("codebuild:Create", "codebuild:Update", "logs:Create", "logs:Put", "s3:Create")
    assert not [each for each in actions_of("person-build") if each.startswith(changing)]
    written = {each for each in actions_of("person-build") if each.startswith("s3:Put")}
    assert written == {"s3:PutObject"}


def _everything(local: Local, watched: Watched, build: Wanted, zipped: Packed) -> None:
    here = watched.aws
    assert here.call("sts", "GetCallerIdentity")["Account"] == build.account
    carry_out(here, lasting_changes(build, read_state(here, build)), say=print)
    send_sources(here, build, zipped, say=print)
    started = start_build(here, start_call(build, zipped))
    stream = {"logGroupName": build.log_group, "logStreamName": "s"}
    logs = {"groupName": stream["logGroupName"], "streamName": stream["logStreamName"]}
    with watched.elsewhere():
        local.client("s3").put_object(
            Bucket=build.bucket_name,
            Key=f"{build.records}{started.rpartition(':')[2]}/r/1.{REGION}.json",
            Body=json.dumps({"image_uri": "u", "repository": "r", "tag": "1"}).encode(),
        )
        local.client("logs").create_log_stream(**stream)
    follower = Follower(aws=here, build_id=started, say=print, sleep=lambda _: None)
    follower.follow()
    follower.tell_log({"logs": logs})
    assert [each["tag"] for each in pushed_records(here, build, started)] == ["1"]
    stop_build(here, started)


def test_a_person_without_an_action_would_be_found(local: Local) -> None:
    build = wanted()
    other = f"arn:aws:s3:::{build.bucket_name}/sources/other/x"
    assert list(refused(build, [("s3", "DeleteBucket", {"Bucket": build.bucket_name})])) == [
        f"s3:DeleteBucket on arn:aws:s3:::{build.bucket_name}"
    ]
    call = {"Bucket": build.bucket_name, "Key": "sources/other/x"}
    assert list(refused(build, [("s3", "PutObject", call)])) == [f"s3:PutObject on {other}"]


def test_a_pusher_s_policy_has_what_a_push_calls_and_no_more(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with mock_aws():
        client = boto3.client("ecr", region_name=REGION)
        watched = Watched(Aws(client=lambda _: client, region=REGION))
        engine = Engine(watched.aws.client("ecr"), GivenNames(tmp_path / "names"))
        found, _ = pushed(engine)
        (kept,) = client.describe_repositories()["repositories"]
        registry = EcrRegistry(client=client, region=REGION)
        await_findings(registry, found, timeout_s=60, sleep=lambda _: None)
    account = kept["registryId"]
    build = wanted(account=account, images=(image(repository="my-training"),))
    assert kept["repositoryArn"] in build.placeholders()["repository_arns"]
    called = watched.actions()
    of_persons, of_roles = set(actions_of("person-push")), set(actions_of("role-permissions"))
    assert of_persons == called | BY_DOCKER
    scans = {"ecr:DescribeImageScanFindings", "ecr:StartImageScan"}
    of_ecr = {action for action in of_roles if action.startswith("ecr:")}
    assert of_ecr == of_persons - scans | {"ecr:GetDownloadUrlForLayer"}  # of base images
