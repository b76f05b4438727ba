"""What a remote build makes on AWS: once, again, after drift, and after a run that was cut off."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from sagedock.errors import InvalidRequest
from sagedock.images.remote.aws import Aws, Call, Refused
from sagedock.images.remote.carrying_out import carry_out, send_sources
from sagedock.images.remote.changes import Change, differences
from sagedock.images.remote.documents import document
from sagedock.images.remote.plan import NOTHING, lasting_changes, planned, read_state, start_call
from sagedock.images.remote.role import role_changes
from sagedock.images.remote.wanted import Wanted, project_name, wanted_problems
from tests.conftest import ACCOUNT, REGION, Local
from tests.unit.images.remote_builds import aws, enlarged, image, packed, wanted


def carried_out(here: Aws, build: Wanted) -> tuple[Change, ...]:
    changes = lasting_changes(build, read_state(here, build))
    carry_out(here, changes, say=print)
    return changes


def told(changes: tuple[Change, ...]) -> list[str]:
    return [f"{each.verb} {each.what}" for each in changes]


def test_the_second_run_changes_nothing(local: Local) -> None:
    here, build = aws(local), wanted(cache="s3", registries=(_OTHER,))
    assert told(carried_out(here, build)) == [
        f"make bucket sagedock-build-{ACCOUNT}-{REGION}",
        f"make log group /aws/codebuild/{build.project}",
        f"make role {build.project}-{REGION}",
        f"make project {build.project}",
    ]
    assert carried_out(here, build) == ()


_OTHER = "763104351884.dkr.ecr.eu-west-1.amazonaws.com"


def test_what_is_made_is_private_and_expires(local: Local) -> None:
    here, build = aws(local), wanted(log_days=7, source_days=3)
    carried_out(here, build)
    s3, bucket = local.client("s3"), {"Bucket": build.bucket_name}
    assert all(s3.get_public_access_block(**bucket)["PublicAccessBlockConfiguration"].values())
    (rule,) = s3.get_bucket_lifecycle_configuration(**bucket)["Rules"]
    assert rule["Expiration"] == {"Days": 3}
    (statement,) = json.loads(s3.get_bucket_policy(**bucket)["Policy"])["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    (group,) = local.client("logs").describe_log_groups(logGroupNamePrefix=build.log_group)[
        "logGroups"
    ]
    assert group["retentionInDays"] == 7
    role = local.client("iam").get_role(RoleName=build.role_name)["Role"]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    project = f"arn:aws:codebuild:{REGION}:{ACCOUNT}:project/{build.project}"
    assert trust["Condition"]["StringEquals"]["aws:SourceArn"] == project
    (made,) = local.client("codebuild").batch_get_projects(names=[build.project])["projects"]
    assert made["environment"]["privilegedMode"] is True
    assert made["serviceRole"] == role["Arn"]


def statements_of(local: Local, build: Wanted) -> dict[str, Any]:
    """Return the statements of what the role may do on AWS now, by name."""
    policy = local.client("iam").get_role_policy(RoleName=build.role_name, PolicyName="build")
    return {each["Sid"]: each for each in policy["PolicyDocument"]["Statement"]}


def test_the_role_may_push_every_image_of_the_project(local: Local) -> None:
    matrix = (image(), image(name="b", repository="other"))
    first = wanted(images=matrix[:1], matrix=matrix)
    carried_out(aws(local), first)
    statements = statements_of(local, first)
    assert statements["PushImages"]["Resource"] == [
        f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/other",
        f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/team/mine",
    ]
    assert "PullBaseImages" not in statements
    assert "KeepItsCache" not in statements  # the cache is on the machine
    # A build of another image leaves one that runs what it may.
    second = Wanted(**{**vars(first), "images": matrix[1:]})
    assert carried_out(aws(local), second) == ()


def test_the_role_may_pull_the_bases_that_images_name_and_no_others(local: Local) -> None:
    hosts = ("111111111111.dkr.ecr.us-west-2.amazonaws.com", _OTHER)
    matrix = (
        image(base=f"{_OTHER}/pytorch-training:2.8-gpu"),
        image(name="b", base=f"{_OTHER}/team/base@sha256:{'0' * 64}"),
        image(name="c", base="public.ecr.aws/docker/library/python:3.11"),
        image(name="d", base="localhost:5000/x"),
        image(name="e", base="ubuntu"),
    )
    build = wanted(images=matrix[:1], matrix=matrix, registries=(_OTHER,))
    carried_out(aws(local), build)
    there = "arn:aws:ecr:eu-west-1:763104351884:repository"
    bases = [f"{there}/pytorch-training", f"{there}/team/base"]
    assert statements_of(local, build)["PullBaseImages"]["Resource"] == bases
    # Without the login it is as much: a build that has one may be running.
    assert carried_out(aws(local), Wanted(**{**vars(build), "registries": ()})) == ()
    # A registry that no image names is one of a Dockerfile's own.
    unknown = Wanted(**{**vars(build), "registries": hosts})
    assert unknown.placeholders()["base_repository_arns"] == [
        *bases,
        "arn:aws:ecr:us-west-2:111111111111:repository/*",
    ]


@pytest.mark.parametrize("sent", range(12))
def test_a_run_that_was_cut_off_is_gone_on_with(local: Local, sent: int) -> None:
    here, build = aws(local), wanted()
    changes = lasting_changes(build, NOTHING)
    calls = [call for change in changes for call in change.calls]
    assert len(calls) == 12
    for call in calls[: sent + 1]:
        here.send(call)
    carried_out(here, build)
    assert carried_out(here, build) == ()
    (rule,) = local.client("s3").get_bucket_lifecycle_configuration(Bucket=build.bucket_name)[
        "Rules"
    ]
    assert rule["Status"] == "Enabled"


def test_what_drifted_is_shown_and_mended(local: Local) -> None:
    here, build = aws(local), wanted()
    carried_out(here, build)
    block = {"PublicAccessBlockConfiguration": {"BlockPublicAcls": False}}
    local.client("s3").put_public_access_block(Bucket=build.bucket_name, **block)
    local.client("iam").put_role_policy(
        RoleName=build.role_name, PolicyName="build", PolicyDocument=_ANYTHING
    )
    changes = lasting_changes(build, read_state(here, build))
    assert told(changes) == [
        f"change public access of the bucket {build.bucket_name}",
        f"change permissions of the role {build.role_name}",
    ]
    assert "BlockPublicAcls: false -> true" in changes[0].lines
    assert "Anything: no more" in changes[1].lines
    carry_out(here, changes, say=print)
    assert carried_out(here, build) == ()


_ANYTHING = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Sid": "Anything", "Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
)


def widened(policy: dict[str, Any], *path: Any, **more: Any) -> dict[str, Any]:
    """Return a policy to which something is added, in the mapping at ``path``."""
    changed: dict[str, Any] = json.loads(json.dumps(policy))
    at: Any = changed
    for step in path:
        at = at[step]
    at.update(more)
    return changed


def test_a_document_that_was_widened_is_shown_and_mended(local: Local) -> None:
    here, build = aws(local), wanted()
    carried_out(here, build)
    state = read_state(here, build)
    assert state.role
    assert state.bucket
    somebody = {"AWS": "arn:aws:iam::666666666666:root"}
    trust = widened(state.role["trust"], "Statement", 0, "Principal", **somebody)
    # A condition more, and a Deny holds for fewer.
    network = {"StringEquals": {"aws:SourceVpc": "vpc-1"}}
    denies = widened(state.bucket["Policy"], "Statement", 0, "Condition", **network)
    local.client("iam").update_assume_role_policy(
        RoleName=build.role_name, PolicyDocument=json.dumps(trust)
    )
    local.client("s3").put_bucket_policy(Bucket=build.bucket_name, Policy=json.dumps(denies))
    changes = lasting_changes(build, read_state(here, build))
    assert [each.lines for each in changes] == [
        (f"Statement[0].Condition.StringEquals: {json.dumps(network['StringEquals'])} -> nothing",),
        (f'Statement[0].Principal.AWS: "{somebody["AWS"]}" -> nothing',),
    ]
    carry_out(here, changes, say=print)
    assert carried_out(here, build) == ()


def test_permissions_that_were_widened_are_shown() -> None:
    build = wanted()
    then = document("role-permissions", build.placeholders())
    trust = document("role-trust", build.placeholders())
    now = widened(then, "Statement", 0, NotResource="arn:aws:logs:::x")
    twice = {**then, "Statement": [{**then["Statement"][0], "Action": "s3:*"}, *then["Statement"]]}
    old = {**then, "Version": "2008-10-17"}
    alone = {**then, "Statement": then["Statement"][0]}
    lines = [
        line
        for permissions in (now, old, twice, alone)
        for change in role_changes(build, {"trust": trust, "permissions": permissions})
        for line in change.lines
    ]
    assert lines[:2] == [
        'WriteItsLog.NotResource: "arn:aws:logs:::x" -> nothing',
        'Version: "2008-10-17" -> "2012-10-17"',
    ]
    assert [line.partition(" [")[0].partition(" {")[0] for line in lines[2:]] == ["Statement:"] * 2
    assert not list(role_changes(build, {"trust": trust, "permissions": then}))


def test_a_project_that_is_wanted_otherwise_is_updated_with_its_tags_kept(local: Local) -> None:
    here, build = aws(local), wanted()
    carried_out(here, build)
    state = read_state(here, build)
    more = [*state.project["tags"], {"key": "team", "value": "a"}]
    state.project["tags"] = more
    changed = Wanted(**{**vars(build), "timeout_min": 30, "cache": "none"})
    (change,) = lasting_changes(changed, state)
    assert change.lines == (
        'cache.type: "LOCAL" -> "NO_CACHE"',
        "timeoutInMinutes: 120 -> 30",
    )
    (call,) = change.calls
    assert (call.service, call.operation) == ("codebuild", "UpdateProject")
    assert call.parameters["tags"] == more


def test_a_log_group_keeps_its_lines_as_long_as_whoever_made_it_said(local: Local) -> None:
    here, build = aws(local), wanted()
    local.client("logs").create_log_group(logGroupName=build.log_group)
    assert "log group" not in " ".join(told(carried_out(here, build)))


def test_a_bucket_a_role_and_a_project_of_somebody_else_s_stay_as_they_are(local: Local) -> None:
    here, build = aws(local), wanted(bucket=f"b-{wanted().project}")
    where = {"LocationConstraint": REGION}
    local.client("s3").create_bucket(Bucket=build.bucket_name, CreateBucketConfiguration=where)
    with pytest.raises(InvalidRequest, match=r"--bucket: .* sagedock did not make it"):
        read_state(here, build)
    other = wanted()
    local.client("iam").create_role(
        RoleName=other.role_name, AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[]}'
    )
    with pytest.raises(InvalidRequest, match=r"--project: the role .* sagedock did not make it"):
        read_state(here, other)
    third = wanted()
    (_, create) = [
        call
        for change in lasting_changes(third, NOTHING)
        for call in change.calls
        if call.operation in ("CreateRole", "CreateProject")
    ]
    here.call("codebuild", "CreateProject", **{**create.parameters, "tags": []})
    with pytest.raises(InvalidRequest, match=r"--project: .* sagedock did not make it"):
        read_state(here, third)


def test_a_bucket_of_another_region_is_refused(local: Local) -> None:
    build = wanted(bucket=f"b-{wanted().project}")
    local.client("s3", "eu-west-1").create_bucket(
        Bucket=build.bucket_name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    with pytest.raises(InvalidRequest, match="is in eu-west-1, and CodeBuild reads sources"):
        read_state(aws(local), build)


def test_the_first_region_is_not_named_when_a_bucket_is_made(local: Local) -> None:
    here, build = aws(local, "us-east-1"), wanted(region="us-east-1")
    carried_out(here, build)
    assert carried_out(here, build) == ()


def test_sources_are_sent_once(local: Local, tmp_path: Path) -> None:
    here, build, zipped = aws(local), wanted(), packed(tmp_path)
    carried_out(here, build)
    assert send_sources(here, build, zipped, say=print) is True
    assert send_sources(here, build, zipped, say=print) is False
    key = zipped.key(build.sources)
    body = local.client("s3").get_object(Bucket=build.bucket_name, Key=key)["Body"].read()
    assert io.BytesIO(body).getvalue() == zipped.path.read_bytes()


@pytest.mark.parametrize("size", [0, 20_000_000], ids=["in one", "in parts"])
def test_what_lies_under_the_key_is_not_trusted_by_its_name(
    local: Local, tmp_path: Path, size: int
) -> None:
    here, build, zipped = aws(local), wanted(), packed(tmp_path)
    if size:
        zipped = enlarged(zipped, size)
    carried_out(here, build)
    where = {"Bucket": build.bucket_name, "Key": zipped.key(build.sources)}
    for more in ({}, {"ChecksumAlgorithm": "SHA256"}):
        local.client("s3").put_object(Body=b"somebody else's", **where, **more)
        assert send_sources(here, build, zipped, say=print) is True
        body = local.client("s3").get_object(**where)["Body"].read()
        assert body == zipped.path.read_bytes()
        assert send_sources(here, build, zipped, say=print) is False


class Slow:
    """A CodeBuild that does not see a new role for ``times`` calls."""

    def __init__(self, times: int, message: str) -> None:
        self.times, self.message, self.asked = times, message, 0

    def create_project(self, **_: Any) -> dict[str, Any]:
        from botocore.exceptions import ClientError

        self.asked += 1
        if self.asked <= self.times:
            error = {"Code": "InvalidInputException", "Message": self.message}
            raise ClientError({"Error": error}, "CreateProject")
        return {}


_CREATE = Call(service="codebuild", operation="CreateProject", parameters={})
_EARLY = "CodeBuild is not authorized to perform: sts:AssumeRole on arn:aws:iam::1:role/r"


def slow(service: Slow) -> list[float]:
    slept: list[float] = []
    here = Aws(client=lambda _: service, region=REGION)
    change = Change(what="project", verb="make", calls=(_CREATE,))
    carry_out(here, [change], say=print, sleep=slept.append)
    return slept


def test_a_role_that_is_new_is_waited_for() -> None:
    service = Slow(3, _EARLY)
    assert len(slow(service)) == 3
    assert service.asked == 4


@pytest.mark.parametrize("message", [_EARLY, "Invalid type provided"])
def test_a_refusal_that_stays_is_told(message: str) -> None:
    service = Slow(10_000, message)
    with pytest.raises(Refused, match=message):
        slow(service)
    assert service.asked == (25 if message == _EARLY else 1)


def test_the_plan_ends_with_what_is_sent_and_started(tmp_path: Path) -> None:
    build, zipped = wanted(tag="v2", registries=(_OTHER,)), packed(tmp_path)
    send, start = planned(build, NOTHING, zipped)[-2:]
    assert send.verb == "send"
    assert start.calls == (start_call(build, zipped),)
    assert start.lines == (
        "CHECK=setup",
        "IMAGES=mine",
        f"PUSH=--target aws --region {REGION} --tag v2",
        f"LOGIN_REGISTRIES={_OTHER}",
    )


def test_every_problem_of_what_is_wanted_is_told() -> None:
    bad = wanted(
        project="-",
        bucket="No",
        compute="HUGE",
        timeout_min=4,
        log_days=2,
        source_days=0,
        tag="a b",
        cache="disk",
        registries=("example.com",),
    )
    options = [problem.partition(":")[0] for problem in wanted_problems(bad)]
    assert options == [
        *("--project", "--bucket", "--compute-type", "--timeout", "--cache"),
        *("--log-days", "--source-days", "--tag", "--login-registry"),
    ]
    assert wanted_problems(wanted()) == ()


@pytest.mark.parametrize("folder", ["my project", "ä", "x" * 90, "a.b_c-d"])
def test_a_project_is_named_after_its_folder(folder: str) -> None:
    assert wanted_problems(wanted(project=project_name(folder))) == ()


def test_differences_name_what_differs() -> None:
    now = {"a": 1, "b": {"c": [1, 2], "d": "x"}, "e": [{"f": 1, "g": 2}], "more": True}
    assert list(differences(now, {"a": 1, "b": {"d": "x"}, "e": [{"f": 1}]})) == []
    assert list(differences(now, {"a": 2, "b": {"c": [2]}, "e": [{"f": 3}], "h": "y"})) == [
        "a: 1 -> 2",
        "b.c: [1, 2] -> [2]",
        "e[0].f: 1 -> 3",
        'h: nothing -> "y"',
    ]
    exact = differences({"a": 1, "more": {"b": 2}}, {"a": 1}, exact=True)
    assert list(exact) == ['more: {"b": 2} -> nothing']
