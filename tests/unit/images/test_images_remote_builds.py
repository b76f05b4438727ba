"""A build that is followed: phases, log, its end in each status, and what it pushed."""

import json
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from sagedock.errors import BuildFailed, InvalidRequest
from sagedock.images.remote.aws import Aws, Call
from sagedock.images.remote.builds import Follower, require_success, start_build, stop_build
from sagedock.images.remote.plan import start_call
from sagedock.images.remote.records import pushed_records
from tests.conftest import REGION, Local
from tests.unit.images.remote_builds import aws, packed, wanted
from tests.unit.images.test_images_remote_plan import carried_out

ID = "p:6e2a"
_LOGS = {"groupName": "/aws/codebuild/p", "streamName": "6e2a"}


@pytest.fixture
def codebuild() -> Iterator[tuple[Any, Stubber]]:
    """A client of CodeBuild that answers what a test says."""
    client = boto3.client(
        "codebuild", region_name=REGION, aws_access_key_id="x", aws_secret_access_key="y"
    )
    with Stubber(client) as stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()


def build(status: str, *phases: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": ID, "buildStatus": status, "phases": list(phases), **more}


def phase(kind: str, status: str | None = None, **more: Any) -> dict[str, Any]:
    return {"phaseType": kind, **({"phaseStatus": status} if status else {}), **more}


def followed(
    codebuild: tuple[Any, Stubber], *answers: dict[str, Any], logs: Any = None
) -> tuple[dict[str, Any], list[str]]:
    client, stubber = codebuild
    for answer in answers:
        stubber.add_response("batch_get_builds", {"builds": [answer]}, {"ids": [ID]})
    said: list[str] = []
    here = Aws(client={"codebuild": client, "logs": logs}.__getitem__, region=REGION)
    follower = Follower(aws=here, build_id=ID, say=said.append, sleep=lambda _: None)
    return dict(follower.follow()), said


def test_each_phase_is_told_once_and_again_when_it_ends(codebuild: tuple[Any, Stubber]) -> None:
    done = phase("QUEUED", "SUCCEEDED", durationInSeconds=3)
    _, said = followed(
        codebuild,
        build("IN_PROGRESS", phase("QUEUED")),
        build("IN_PROGRESS", done, phase("BUILD")),
        build("IN_PROGRESS", done, phase("BUILD")),
        build("SUCCEEDED", done, phase("BUILD", "SUCCEEDED"), phase("COMPLETED")),
    )
    assert said == [
        "phase QUEUED: IN_PROGRESS",
        "phase QUEUED: SUCCEEDED (3 s)",
        "phase BUILD: IN_PROGRESS",
        "phase BUILD: SUCCEEDED",
    ]


def put(local: Local, *lines: str) -> None:
    now = int(time.time() * 1000)
    local.client("logs").put_log_events(
        logGroupName=_LOGS["groupName"],
        logStreamName=_LOGS["streamName"],
        logEvents=[{"timestamp": now, "message": f"{line}\n"} for line in lines],
    )


def test_each_line_of_the_log_is_told_once(local: Local, codebuild: tuple[Any, Stubber]) -> None:
    logs = local.client("logs")
    logs.create_log_group(logGroupName=_LOGS["groupName"])
    logs.create_log_stream(logGroupName=_LOGS["groupName"], logStreamName=_LOGS["streamName"])
    put(local, "one", "two")
    client, stubber = codebuild
    running = build("IN_PROGRESS", logs=_LOGS)
    for answer in (build("IN_PROGRESS"), running, running, build("SUCCEEDED", logs=_LOGS)):
        stubber.add_response("batch_get_builds", {"builds": [answer]}, {"ids": [ID]})
    said: list[str] = []
    pauses = iter([None, None, "three", None, "last"])

    def sleep(_: float) -> None:
        if line := next(pauses, None):
            put(local, line)

    here = Aws(client={"codebuild": client, "logs": logs}.__getitem__, region=REGION)
    Follower(aws=here, build_id=ID, say=said.append, sleep=sleep).follow()
    assert said == ["one", "two", "three", "last"]


def test_a_log_that_is_not_there_yet_is_no_error(
    local: Local, codebuild: tuple[Any, Stubber]
) -> None:
    logs = {"groupName": "/aws/codebuild/none", "streamName": "s"}
    found, said = followed(codebuild, build("SUCCEEDED", logs=logs), logs=local.client("logs"))
    assert said == []
    require_success(found)


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        ("FAILED", "the log above says what the command said"),
        ("FAULT", "CodeBuild itself failed: build again"),
        ("STOPPED", "somebody stopped it"),
        ("TIMED_OUT", "give it a longer --timeout"),
    ],
)
def test_an_end_that_is_no_success_says_why(
    codebuild: tuple[Any, Stubber], status: str, remedy: str
) -> None:
    context = {
        "statusCode": "COMMAND_EXECUTION_ERROR",
        "message": "Error while executing command: make build. Reason: exit status 2",
    }
    found, _ = followed(
        codebuild,
        build(
            status,
            phase("INSTALL", "SUCCEEDED"),
            phase("BUILD", status, contexts=[context]),
            phase("FINALIZING", status),
        ),
    )
    with pytest.raises(BuildFailed) as caught:
        require_success(found)
    first, *rest = str(caught.value).splitlines()
    assert first.startswith(f"the build {ID} ended {status}: {remedy}")
    assert rest == [
        f"  BUILD {status}: COMMAND_EXECUTION_ERROR: Error while executing command: make build. "
        "Reason: exit status 2",
        f"  FINALIZING {status}",
    ]


def test_a_build_that_ran_nothing_may_have_come_before_its_role(
    codebuild: tuple[Any, Stubber],
) -> None:
    context = {"statusCode": "ACCESS_DENIED", "message": "not authorized to CreateLogStream"}
    early = phase("QUEUED", "FAILED", contexts=[context])
    found, _ = followed(codebuild, build("FAILED", phase("SUBMITTED", "SUCCEEDED"), early))
    with pytest.raises(BuildFailed) as caught:
        require_success(found)
    first, second = str(caught.value).splitlines()
    assert first.endswith("reaches each service after a minute or so: build again")
    assert second == "  QUEUED FAILED: ACCESS_DENIED: not authorized to CreateLogStream"


def test_a_build_that_nobody_knows_is_refused(codebuild: tuple[Any, Stubber]) -> None:
    client, stubber = codebuild
    stubber.add_response("batch_get_builds", {"builds": [], "buildsNotFound": [ID]})
    here = Aws(client=lambda _: client, region=REGION)
    with pytest.raises(InvalidRequest, match="p:6e2a: CodeBuild knows no such build here"):
        Follower(aws=here, build_id=ID, say=print).follow()


def test_a_build_is_started_and_stopped(local: Local, tmp_path: Any) -> None:
    here, asked = aws(local), wanted()
    carried_out(here, asked)
    build_id = start_build(here, start_call(asked, packed(tmp_path)))
    assert build_id.startswith(f"{asked.project}:")
    stop_build(here, build_id)
    ids = local.client("codebuild").list_builds_for_project(projectName=asked.project)["ids"]
    assert ids == [build_id]


class Starting:
    """A CodeBuild that has one build for each token; its first answer is ``lost``."""

    def __init__(self, lost: BaseException | None = None) -> None:
        self.lost, self.builds, self.stopped = lost, dict[str, str](), list[str]()

    def start_build(self, *, idempotencyToken: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        number = self.builds.setdefault(idempotencyToken, f"p:{len(self.builds)}")
        if self.lost:
            lost, self.lost = self.lost, None
            raise lost
        return {"build": {"id": number}}

    def stop_build(self, *, id: str) -> dict[str, Any]:  # noqa: A002
        self.stopped.append(id)
        return {}


_START = Call(service="codebuild", operation="StartBuild", parameters={"projectName": "p"})


def test_each_start_has_a_token_of_its_own() -> None:
    service = Starting()
    here = Aws(client=lambda _: service, region=REGION)
    assert [start_build(here, _START) for _ in range(2)] == ["p:0", "p:1"]
    assert len(service.builds) == 2
    assert all(0 < len(each) <= 64 for each in service.builds)


def test_a_start_that_is_interrupted_leaves_no_build() -> None:
    service = Starting(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        start_build(Aws(client=lambda _: service, region=REGION), _START)
    assert list(service.builds.values()) == service.stopped == ["p:0"]


def test_the_records_of_this_build_are_read(local: Local) -> None:
    here, asked = aws(local), wanted()
    carried_out(here, asked)

    def keep(build: str, repository: str, body: str) -> None:
        local.client("s3").put_object(
            Bucket=asked.bucket_name,
            Key=f"{asked.records}{build}/{repository}/1.{REGION}.json",
            Body=body.encode(),
        )

    def record(repository: str) -> str:
        known = {"repository": repository, "tag": "1", "image_uri": f"x/{repository}@sha256:1"}
        return json.dumps(known)

    keep("6e2a", "b", record("b"))
    local.client("s3").put_object(
        Bucket=asked.bucket_name, Key=f"{asked.records}6e2a/b/1.cdx.json", Body=b"{}"
    )
    keep("6e2a", "a/c", record("a/c"))
    keep("6e2abc", "d", record("d"))
    keep("bad", "d", "[]")
    keep("worse", "d", "no")
    uris = [each["image_uri"] for each in pushed_records(here, asked, f"{asked.project}:6e2a")]
    assert uris == ["x/a/c@sha256:1", "x/b@sha256:1"]
    with pytest.raises(BuildFailed, match="has no record of a push"):
        pushed_records(here, asked, f"{asked.project}:none")
    with pytest.raises(BuildFailed, match="lacks image_uri, repository, tag"):
        pushed_records(here, asked, f"{asked.project}:bad")
    with pytest.raises(BuildFailed, match="is no JSON"):
        pushed_records(here, asked, f"{asked.project}:worse")
