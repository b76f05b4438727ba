"""CloudWatch's calls about alarms: ours, moto's, and both at once, in each protocol."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.loaders import Loader

from tests.unit.local.autoscaling.conftest import Scaled
from tests.unit.local.autoscaling.scaling_world import alarm, stepping, tracking

STEP = {"MetricIntervalLowerBound": 0.0, "ScalingAdjustment": 1}
TOPIC = "arn:aws:sns:us-west-2:123456789012:mail"
PROTOCOLS = ("json", "query", "smithy-rpc-v2-cbor")


@pytest.fixture(autouse=True)
def none_of_theirs(scaled: Scaled) -> Iterator[None]:
    """Have moto without alarms, before and afterwards: it has one memory in a process."""

    def forget() -> None:
        known = scaled.cloudwatch.describe_alarms()["MetricAlarms"]
        if found := [each["AlarmName"] for each in known]:
            scaled.cloudwatch.delete_alarms(AlarmNames=found)

    forget()
    yield
    forget()


def theirs(name: str = "their-queue", **members: Any) -> dict[str, Any]:
    """Return an alarm that has nothing to do with us."""
    return alarm(TOPIC, AlarmName=name, Namespace="AWS/SQS", MetricName="Depth", **members)


def ours(scaled: Scaled, **members: Any) -> str:
    """Put an alarm whose action is a policy; return the policy's ARN."""
    scaled.register()
    arn: str = scaled.autoscaling.put_scaling_policy(**stepping(STEP))["PolicyARN"]
    scaled.cloudwatch.put_metric_alarm(**alarm(arn, **members))
    return arn


def names(scaled: Scaled, **wanted: Any) -> list[str]:
    """Return the names of the alarms that are described."""
    found = scaled.cloudwatch.describe_alarms(**wanted)["MetricAlarms"]
    return [each["AlarmName"] for each in found]


def speaking(scaled: Scaled, protocol: str, folder: Any) -> Any:
    """Return a boto3 client of CloudWatch that has one protocol only."""
    model = dict(Loader().load_service_model("cloudwatch", "service-2"))
    model["metadata"] = {**model["metadata"], "protocol": protocol, "protocols": [protocol]}
    file = folder / protocol / "cloudwatch" / "2010-08-01" / "service-2.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(model))
    session = botocore.session.Session()
    own = Loader(extra_search_paths=[str(folder / protocol)])
    session.register_component("data_loader", own)
    return boto3.Session("x", "y", region_name="us-west-2", botocore_session=session).client(
        "cloudwatch", endpoint_url=scaled.local.server.endpoint_url
    )


def test_alarms_of_both_are_described_together(scaled: Scaled) -> None:
    scaled.cloudwatch.put_metric_alarm(**theirs())
    assert names(scaled) == ["their-queue"]
    arn = ours(scaled)
    assert names(scaled) == ["busy", "their-queue"]
    assert names(scaled, AlarmNames=["busy"]) == ["busy"]
    assert names(scaled, AlarmNamePrefix="their") == ["their-queue"]
    assert names(scaled, ActionPrefix=arn) == ["busy"]
    assert names(scaled, StateValue="ALARM") == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_alarm_is_put_described_and_deleted_in_every_protocol(
    scaled: Scaled, protocol: str, tmp_path: Any
) -> None:
    arn = ours(scaled)
    client = speaking(scaled, protocol, tmp_path)
    client.put_metric_alarm(**alarm(arn, AlarmName="other", DatapointsToAlarm=1))
    (found,) = client.describe_alarms(AlarmNames=["other"])["MetricAlarms"]
    assert (
        found.items()
        >= {
            "AlarmActions": [arn],
            "Period": 60,
            "Threshold": 50.0,
            "DatapointsToAlarm": 1,
            "ActionsEnabled": True,
            "StateValue": "INSUFFICIENT_DATA",
            "AlarmArn": "arn:aws:cloudwatch:us-west-2:123456789012:alarm:other",
        }.items()
    )
    client.set_alarm_state(AlarmName="other", StateValue="OK", StateReason="a rehearsal")
    assert client.describe_alarms(StateValue="OK")["MetricAlarms"][0]["AlarmName"] == "other"
    client.delete_alarms(AlarmNames=["other", "never-was"])
    assert names(scaled) == ["busy"]


def test_calls_about_several_alarms_reach_both(scaled: Scaled) -> None:
    ours(scaled)
    scaled.cloudwatch.put_metric_alarm(**theirs())

    def acting() -> dict[str, bool]:
        found = scaled.cloudwatch.describe_alarms()["MetricAlarms"]
        return {each["AlarmName"]: each["ActionsEnabled"] for each in found}

    both = ["busy", "their-queue"]
    scaled.cloudwatch.disable_alarm_actions(AlarmNames=both)
    assert acting() == dict.fromkeys(both, False)
    scaled.cloudwatch.enable_alarm_actions(AlarmNames=both)
    assert acting() == dict.fromkeys(both, True)
    scaled.cloudwatch.delete_alarms(AlarmNames=both)
    assert names(scaled) == []


def test_their_alarms_are_set_by_them(scaled: Scaled) -> None:
    scaled.cloudwatch.put_metric_alarm(**theirs())
    state = {"StateValue": "ALARM", "StateReason": "why not", "StateReasonData": "{}"}
    scaled.cloudwatch.set_alarm_state(AlarmName="their-queue", **state)
    assert names(scaled, StateValue="ALARM") == ["their-queue"]


def test_an_alarm_on_our_metrics_is_ours_whatever_it_does(scaled: Scaled) -> None:
    scaled.cloudwatch.put_metric_alarm(**alarm(TOPIC, AlarmName="slow"))
    (found,) = scaled.cloudwatch.describe_alarms(AlarmNames=["slow"])["MetricAlarms"]
    assert found["StateReason"] == "Unchecked: Initial alarm creation"


def test_an_alarm_that_is_put_again_keeps_its_state(scaled: Scaled) -> None:
    arn = ours(scaled)
    state = {"AlarmName": "busy", "StateValue": "OK", "StateReason": "calm"}
    scaled.cloudwatch.set_alarm_state(**state)
    scaled.cloudwatch.put_metric_alarm(**alarm(arn, Threshold=9.0))
    (found,) = scaled.cloudwatch.describe_alarms()["MetricAlarms"]
    assert (found["Threshold"], found["StateReason"]) == (9.0, "calm")


def test_alarms_come_in_pages(scaled: Scaled) -> None:
    arn = ours(scaled)
    for number in range(4):
        scaled.cloudwatch.put_metric_alarm(**alarm(arn, AlarmName=f"busy-{number}"))
    pages = scaled.cloudwatch.get_paginator("describe_alarms").paginate(
        PaginationConfig={"PageSize": 2}
    )
    listed = [[each["AlarmName"] for each in page["MetricAlarms"]] for page in pages]
    assert [len(each) for each in listed] == [2, 2, 1]


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"Period": 61}, "Period must be"),
        ({"Period": 86400, "EvaluationPeriods": 2}, "Metrics cannot be checked across more"),
        ({"DatapointsToAlarm": 2}, "DatapointsToAlarm must not exceed"),
        ({"TreatMissingData": "guess"}, "TreatMissingData must be one of"),
        ({"ExtendedStatistic": "p99"}, "Exactly one of Statistic and ExtendedStatistic"),
        ({"Statistic": None, "ExtendedStatistic": "tm99"}, "The statistic tm99 is not"),
        ({"ComparisonOperator": "LessThanLowerThreshold"}, "The local SageMaker detects no"),
        ({"Threshold": None}, "The parameters Threshold are required"),
        ({"Metrics": [{"Id": "a", "Expression": "1"}]}, "The local SageMaker computes no"),
    ],
)
def test_a_wrong_alarm_is_refused(scaled: Scaled, members: dict[str, Any], says: str) -> None:
    request = alarm("arn:aws:autoscaling:r:1:scalingPolicy:i:resource/sagemaker/x", **members)
    given = {name: value for name, value in request.items() if value is not None}
    with pytest.raises(ClientError) as error:
        scaled.cloudwatch.put_metric_alarm(**given)
    answer: Any = error.value.response
    assert answer["Error"]["Code"] == "ValidationError"
    assert answer["Error"]["Message"].startswith(says)
    assert names(scaled) == []


def test_a_metric_that_a_policy_needs_takes_single_values_only(scaled: Scaled) -> None:
    scaled.register()
    metric = {"Namespace": "Shop", "MetricName": "Queue", "Statistic": "Average"}
    request = tracking(PredefinedMetricSpecification=None, CustomizedMetricSpecification=metric)
    sets = {"SampleCount": 1.0, "Sum": 1.0, "Minimum": 1.0, "Maximum": 1.0}
    put = {"Namespace": "Shop", "MetricData": [{"MetricName": "Queue", "StatisticValues": sets}]}
    scaled.cloudwatch.put_metric_data(**put)  # nobody needs it yet: it is moto's
    scaled.autoscaling.put_scaling_policy(**request)
    with pytest.raises(ClientError, match="keeps single values"):
        scaled.cloudwatch.put_metric_data(**put)
