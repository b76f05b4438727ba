"""The service over boto3: scheduled actions, tags, activities, regions, restarts, settings."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sagedock.errors import InvalidRequest
from sagedock.local.settings import Settings
from tests.conftest import ACCOUNT, REGION, Local
from tests.unit.local.autoscaling.conftest import Scaled, serve
from tests.unit.local.autoscaling.scaling_calls import (
    NAMESPACE,
    UUID,
    eventually,
    refused,
)
from tests.unit.local.autoscaling.scaling_world import (
    RESOURCE,
    TARGET,
    FakeFleets,
    tracking,
)


def test_a_scheduled_action_is_described_and_changed(scaled: Scaled) -> None:
    scaled.register()
    client = scaled.autoscaling
    named = {**TARGET, "ScheduledActionName": "morning"}
    start, end = datetime(2030, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
    client.put_scheduled_action(
        **named,
        Schedule="cron(0 8 ? * MON-FRI *)",
        Timezone="Europe/Paris",
        StartTime=start,
        EndTime=end,
        ScalableTargetAction={"MinCapacity": 3},
    )
    (action,) = client.describe_scheduled_actions(**NAMESPACE)["ScheduledActions"]
    assert re.fullmatch(
        f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:scheduledAction:{UUID}:resource/sagemaker/"
        f"{RESOURCE}:scheduledActionName/morning",
        action.pop("ScheduledActionARN"),
    )
    created = action.pop("CreationTime")
    assert action == {
        **named,
        "Schedule": "cron(0 8 ? * MON-FRI *)",
        "Timezone": "Europe/Paris",
        "StartTime": start,
        "EndTime": end,
        "ScalableTargetAction": {"MinCapacity": 3},
    }
    client.put_scheduled_action(**named, Schedule="rate(1 day)")
    (action,) = client.describe_scheduled_actions(
        **NAMESPACE, ScheduledActionNames=["morning"], ResourceId=RESOURCE
    )["ScheduledActions"]
    assert (action["Schedule"], action["ScalableTargetAction"]) == (
        "rate(1 day)",
        {"MinCapacity": 3},
    )
    assert action["CreationTime"] == created
    assert not {"StartTime", "EndTime"} & set(action)
    client.delete_scheduled_action(**named)
    assert refused(client.delete_scheduled_action, **named)[0] == "ObjectNotFoundException"


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"Schedule": "0 8 * * *"}, "Invalid schedule expression: '0 8 * * *' is no schedule"),
        ({"Schedule": "cron(0 8 * *)"}, "Invalid schedule expression: cron needs the fields"),
        ({"Timezone": "Mars/Base"}, "Invalid schedule expression: 'Mars/Base' is no time zone"),
        ({"Timezone": "../../etc/passwd"}, "Invalid schedule expression"),
        ({"Schedule": None}, "A new scheduled action needs Schedule and ScalableTargetAction"),
        (
            {"ScalableTargetAction": {"MinCapacity": 4, "MaxCapacity": 3}},
            "Maximum capacity cannot be less than minimum capacity",
        ),
        (
            {"ScalableTargetAction": {"MinCapacity": 101}},
            "The local SageMaker cannot carry out: MinCapacity 101 (at most 100). Ask for fewer",
        ),
        ({"StartTime": 2e9, "EndTime": 1.9e9}, "StartTime must be before EndTime"),
    ],
)
def test_a_wrong_scheduled_action_is_refused(
    scaled: Scaled, members: dict[str, Any], says: str
) -> None:
    scaled.register()
    right = {
        "ScheduledActionName": "night",
        "Schedule": "cron(0 22 * * ? *)",
        "ScalableTargetAction": {"MaxCapacity": 2},
    }
    wrong = {name: value for name, value in {**right, **members}.items() if value is not None}
    code, message = refused(scaled.autoscaling.put_scheduled_action, **TARGET, **wrong)
    assert (code, message[: len(says)]) == ("ValidationException", says)
    assert scaled.autoscaling.describe_scheduled_actions(**NAMESPACE)["ScheduledActions"] == []


def test_tags_come_and_go(scaled: Scaled) -> None:
    client = scaled.autoscaling
    arn = scaled.register()["ScalableTargetARN"]
    client.tag_resource(ResourceARN=arn, Tags={"a": "1", "b": "2"})
    client.tag_resource(ResourceARN=arn, Tags={"a": "3"})
    client.untag_resource(ResourceARN=arn, TagKeys=["b", "c"])
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"a": "3"}
    many = {f"key-{number}": "" for number in range(50)}
    assert refused(client.tag_resource, ResourceARN=arn, Tags=many)[0] == "TooManyTagsException"


def test_activities_come_in_pages_the_latest_first(scaled: Scaled) -> None:
    for low in (2, 3, 4):
        scaled.register(low)
        eventually(lambda: scaled.fleets.desired == low)  # noqa: B023 - called at once
    client = scaled.autoscaling

    def ended() -> bool:
        found = client.describe_scaling_activities(**NAMESPACE)["ScalingActivities"]
        return [each["StatusCode"] for each in found] == ["Successful"] * 3

    eventually(ended)
    pages = client.get_paginator("describe_scaling_activities").paginate(
        **NAMESPACE, ResourceId=RESOURCE, PaginationConfig={"PageSize": 2}
    )
    listed = [[each["Description"] for each in page["ScalingActivities"]] for page in pages]
    assert listed == [
        [f"Setting desired instance count to {low}." for low in (4, 3)],
        ["Setting desired instance count to 2."],
    ]


def test_everything_outlives_the_server(tmp_path: Path) -> None:
    home, fleets = tmp_path / "home", FakeFleets()

    def described(client: Any) -> Any:
        return [
            client.describe_scalable_targets(**NAMESPACE)["ScalableTargets"],
            client.describe_scaling_policies(**NAMESPACE)["ScalingPolicies"],
            client.describe_scheduled_actions(**NAMESPACE)["ScheduledActions"],
        ]

    with serve(home, fleets) as server:
        scaled = Scaled(local=Local(server=server, engine=None), fleets=fleets)  # type: ignore[arg-type]
        scaled.register()
        scaled.autoscaling.put_scaling_policy(**tracking())
        scaled.autoscaling.put_scheduled_action(
            **TARGET,
            ScheduledActionName="night",
            Schedule="cron(0 22 * * ? *)",
            ScalableTargetAction={"MaxCapacity": 2},
        )
        before = described(scaled.autoscaling)
    with serve(home, fleets) as server:
        scaled = Scaled(local=Local(server=server, engine=None), fleets=fleets)  # type: ignore[arg-type]
        assert described(scaled.autoscaling) == before
        assert all(before)


def test_regions_are_apart(scaled: Scaled) -> None:
    scaled.register()
    elsewhere = scaled.local.client("application-autoscaling", region="eu-west-1")
    assert elsewhere.describe_scalable_targets(**NAMESPACE)["ScalableTargets"] == []


def test_other_services_are_motos(scaled: Scaled) -> None:
    client = scaled.autoscaling
    table = {
        "ServiceNamespace": "dynamodb",
        "ResourceId": "table/t",
        "ScalableDimension": "dynamodb:table:ReadCapacityUnits",
    }
    client.register_scalable_target(**table, MinCapacity=1, MaxCapacity=4)
    (target,) = client.describe_scalable_targets(ServiceNamespace="dynamodb")["ScalableTargets"]
    assert target["ResourceId"] == "table/t"
    assert client.describe_scalable_targets(**NAMESPACE)["ScalableTargets"] == []


def test_without_a_namespace_a_call_is_refused_by_us(scaled: Scaled) -> None:
    code, message = refused(scaled.autoscaling.describe_scalable_targets, ServiceNamespace="none")
    assert code == "ValidationException"
    assert message.startswith("1 validation error detected: Value 'none' at 'serviceNamespace'")


def test_a_local_sagemaker_without_endpoints_has_nothing_to_scale(local: Local) -> None:
    _code, message = refused(
        local.client("application-autoscaling").register_scalable_target,
        **TARGET,
        MinCapacity=1,
        MaxCapacity=2,
    )
    assert message == f"SageMaker resource doesn't exist: {RESOURCE}"


@pytest.mark.parametrize(("told", "scale"), [({}, 1), ({"SAGEDOCK_TIME_SCALE": "60"}, 60)])
def test_the_time_scale_is_told_by_a_variable(told: dict[str, str], scale: int) -> None:
    assert Settings.from_environment({"SAGEDOCK_HOME": "/x", **told}).time_scale == scale


@pytest.mark.parametrize("text", ["0", "fast"])
def test_a_time_scale_that_stands_still_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"(?i)time.scale"):
        Settings.from_environment({"SAGEDOCK_HOME": "/x", "SAGEDOCK_TIME_SCALE": text})
