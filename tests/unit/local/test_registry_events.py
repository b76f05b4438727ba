"""What EventBridge, and a command, are told of model packages."""

import json
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from sagedock import InvalidRequest
from sagedock.local.caller import Caller
from sagedock.local.database import Database
from sagedock.local.events import Events
from sagedock.local.resources import Resources
from sagedock.local.settings import Settings
from tests.conftest import REGION, Local
from tests.unit.local.hosting.conftest import started
from tests.unit.local.hosting.hosting_local import awaited
from tests.unit.local.registry_calls import create_group, put_data, register

CALLER = Caller(region=REGION, service="sagemaker", account="123456789012")
WHAT = "SageMaker Model Package State Change"
APPEND = "import os,sys; open(sys.argv[1],'a').write(sys.stdin.read() + chr(10))"


def told_to(file: Path) -> list[dict[str, Any]]:
    text = file.read_text() if file.is_file() else ""
    return [json.loads(line) for line in text.splitlines()]


def test_a_command_is_told_of_creation_approval_and_deletion(tmp_path: Path) -> None:
    told = tmp_path / "told"
    hook = (sys.executable, "-c", APPEND, str(told))
    with started(tmp_path / "home", event_hook=hook) as local:
        put_data(local)
        create_group(local)
        arn = register(local)
        sagemaker = local.client("sagemaker")
        sagemaker.update_model_package(
            ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="good"
        )
        sagemaker.delete_model_package(ModelPackageName=arn)
        awaited(lambda: len(told_to(told)) == 3)
    created, approved, deleted = told_to(told)
    assert created["detail-type"] == WHAT
    assert created["source"] == "aws.sagemaker"
    assert created["account"] == "123456789012"
    assert created["region"] == REGION
    assert created["resources"] == [arn]
    detail = created["detail"]
    assert detail["ModelPackageGroupName"] == "Models"
    assert detail["ModelPackageVersion"] == 1
    assert detail["ModelApprovalStatus"] == "PendingManualApproval"
    assert detail["CreationTime"].endswith("Z")
    assert "UpdatedModelPackageFields" not in detail
    assert "ModelPackageName" not in detail
    assert approved["detail"]["ModelApprovalStatus"] == "Approved"
    assert approved["detail"]["UpdatedModelPackageFields"] == [
        "ModelApprovalStatus",
        "ApprovalDescription",
    ]
    assert deleted["detail"]["ModelPackageStatus"] == "Deleting"
    assert len({each["id"] for each in (created, approved, deleted)}) == 3


def test_the_command_can_call_this_server(tmp_path: Path) -> None:
    told = tmp_path / "told"
    program = "import os,sys; open(sys.argv[1],'a').write(os.environ['AWS_ENDPOINT_URL'])"
    hook = (sys.executable, "-c", program, str(told))
    with started(tmp_path / "home", event_hook=hook) as local:
        put_data(local)
        create_group(local)
        register(local)
        awaited(lambda: told.is_file() and told.read_text() == local.server.endpoint_url)


def test_a_refused_change_tells_nothing(tmp_path: Path) -> None:
    told = tmp_path / "told"
    hook = (sys.executable, "-c", APPEND, str(told))
    with started(tmp_path / "home", event_hook=hook) as local:
        put_data(local)
        create_group(local)
        with pytest.raises(Exception, match="does not exist"):
            register(local, "none")
        register(local)
        awaited(lambda: len(told_to(told)) == 1)
    assert [each["detail"]["ModelPackageVersion"] for each in told_to(told)] == [1]


@pytest.mark.parametrize("hook", [("false",), ("/absent/command",)])
def test_a_command_that_fails_holds_nothing_up(tmp_path: Path, hook: tuple[str, ...]) -> None:
    with started(tmp_path / "home", event_hook=hook) as local:
        put_data(local)
        create_group(local)
        register(local)
        resources = Resources(Database(tmp_path / "home" / "state.sqlite"))
        awaited(lambda: not resources.every(REGION, ":event"))


def test_what_a_killed_server_left_is_told_by_the_next(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.sqlite")
    resources = Resources(database)
    told = tmp_path / "told"
    hook = (sys.executable, "-c", APPEND, str(told))
    killed = Events(resources, hook)
    killed.tell(CALLER, WHAT, ["arn"], {"n": 1})
    killed.tell(CALLER, WHAT, ["arn"], {"n": 2})
    again = Events(resources, hook)
    again.resume()
    awaited(lambda: [each["detail"]["n"] for each in told_to(told)] == [1, 2])
    awaited(lambda: not resources.every(REGION, ":event"))
    again.shut_down(60)
    database.close()


def test_a_command_that_is_cut_off_is_told_again(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.sqlite")
    resources = Resources(database)
    began, told = tmp_path / "began", tmp_path / "told"
    # A program that it started has its standard error, too: it must not be waited for.
    program = f"sleep 600 & touch '{began}'; wait"
    events = Events(resources, ("sh", "-c", program))
    events.resume()
    events.tell(CALLER, WHAT, ["arn"], {"n": 1})

    awaited(began.is_file)
    events.shut_down(0.0)
    assert len(resources.every(REGION, ":event")) == 1
    again = Events(resources, (sys.executable, "-c", APPEND, str(told)))
    again.resume()
    awaited(lambda: len(told_to(told)) == 1)
    again.shut_down(60)
    database.close()


def test_nothing_is_stored_where_nobody_listens(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.sqlite")
    resources = Resources(database)
    Events(resources, (), is_heard=lambda: False).tell(CALLER, WHAT, ["arn"], {})
    assert resources.every(REGION, ":event") == []
    put, done = [], threading.Event()

    def keep(event: Any) -> None:
        put.append(event["detail"])
        done.set()

    heard = Events(resources, (), is_heard=lambda: True, put=keep)
    heard.resume()
    heard.tell(CALLER, WHAT, ["arn"], {"n": 1})

    assert done.wait(60)
    assert put == [{"n": 1}]
    heard.shut_down(60)
    database.close()


def test_a_rule_of_eventbridge_sends_an_approval_to_a_queue(local: Local) -> None:
    put_data(local)
    create_group(local)
    events, sqs = local.client("events"), local.client("sqs")
    queue = sqs.create_queue(QueueName="approvals")["QueueUrl"]
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": [WHAT],
        "detail": {"ModelApprovalStatus": ["Approved"]},
    }
    events.put_rule(Name="approved", EventPattern=json.dumps(pattern))
    target = f"arn:aws:sqs:{REGION}:123456789012:approvals"
    events.put_targets(Rule="approved", Targets=[{"Id": "q", "Arn": target}])
    arn = register(local)
    local.client("sagemaker").update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus="Approved"
    )
    found: list[Any] = []

    def come() -> bool:
        found.extend(sqs.receive_message(QueueUrl=queue).get("Messages", ()))
        return bool(found)

    awaited(come)
    event = json.loads(found[0]["Body"])
    assert event["detail"]["ModelPackageArn"] == arn
    assert event["detail"]["ModelApprovalStatus"] == "Approved"
    assert event["source"] == "aws.sagemaker"


def test_the_command_comes_from_the_environment() -> None:
    settings = Settings.from_environment({"SAGEDOCK_EVENT_HOOK": "deploy 'two words'"})
    assert settings.event_hook == ("deploy", "two words")
    with pytest.raises(InvalidRequest, match=r"SAGEDOCK_EVENT_HOOK: .*quotation"):
        Settings.from_environment({"SAGEDOCK_EVENT_HOOK": "tell 'x"})
