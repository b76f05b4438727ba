"""CloudWatch over what is ours and what is not, in every protocol."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.loaders import Loader

from tests.conftest import REGION, Local
from tests.unit.local.cloudwatch_calls import BEGIN, NAMESPACE, ask, dimensions, put, query

PROTOCOLS = ("json", "query", "smithy-rpc-v2-cbor")


Speak = Callable[[str], Any]


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, boto3.Session]:
    """Return a session for each protocol: its model of the service has that protocol only."""
    model = Loader().load_service_model("cloudwatch", "service-2")
    made = {}
    for protocol in PROTOCOLS:
        folder = tmp_path_factory.mktemp(protocol)
        file = folder / "cloudwatch" / "2010-08-01" / "service-2.json"
        file.parent.mkdir(parents=True)
        only = {**model["metadata"], "protocol": protocol, "protocols": [protocol]}
        file.write_text(json.dumps({**model, "metadata": only}))
        session = botocore.session.Session()
        session.register_component("data_loader", Loader(extra_search_paths=[str(folder)]))
        made[protocol] = boto3.Session("x", "y", region_name=REGION, botocore_session=session)
    return made


@pytest.fixture
def speak(local: Local, sessions: Mapping[str, boto3.Session]) -> Speak:
    """Return what makes an unmodified boto3 client that speaks a protocol."""

    def client(protocol: str) -> Any:
        made = sessions[protocol].client("cloudwatch", endpoint_url=local.server.endpoint_url)
        assert made.meta.service_model.resolved_protocol == protocol
        return made

    return client


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_get_metric_data_in_every_protocol(local: Local, speak: Speak, protocol: str) -> None:
    put(local, 1.0, 2.0, 4.0, 8.0)
    answer = speak(protocol).get_metric_data(
        **ask(
            query(),
            query(stat="SampleCount", Id="n", Label="how many"),
            query(name="absent", Id="none"),
            query(Id="hidden", ReturnData=False),
            query(stat="p50", period=300, Id="half"),
        )
    )
    minute = timedelta(minutes=1)
    common = {"StatusCode": "Complete"}
    expected = [
        {"Id": "q", "Label": "loss", "Timestamps": [BEGIN + minute, BEGIN], "Values": [6.0, 1.5]},
        {
            "Id": "n",
            "Label": "how many",
            "Timestamps": [BEGIN + minute, BEGIN],
            "Values": [2.0, 2.0],
        },
        {"Id": "none", "Label": "absent", "Timestamps": [], "Values": []},
        {
            "Id": "half",
            "Label": "loss",
            "Timestamps": [BEGIN - 4 * minute, BEGIN + minute][::-1],
            "Values": [6.0, 1.5],
        },
    ]
    assert answer["MetricDataResults"] == [{**each, **common} for each in expected]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_get_metric_statistics_in_every_protocol(local: Local, speak: Speak, protocol: str) -> None:
    put(local, 1.0, 3.0, name="CPUUtilization", Unit="Percent")
    answer = speak(protocol).get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName="CPUUtilization",
        Dimensions=dimensions(TrainingJobName="j"),
        StartTime=BEGIN + timedelta(seconds=20),  # rounded down to the minute
        EndTime=BEGIN + timedelta(minutes=5),
        Period=60,
        Statistics=["Average", "Sum", "SampleCount", "Minimum", "Maximum"],
        ExtendedStatistics=["p100"],
    )
    assert answer["Label"] == "CPUUtilization"
    assert answer["Datapoints"] == [
        {
            "Timestamp": BEGIN,
            "Average": 2.0,
            "Sum": 4.0,
            "SampleCount": 2.0,
            "Minimum": 1.0,
            "Maximum": 3.0,
            "Unit": "Percent",
            "ExtendedStatistics": {"p100": 3.0},
        }
    ]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_list_metrics_names_ours_beside_those_of_others(
    local: Local, speak: Speak, protocol: str
) -> None:
    put(local, 1.0)
    client, mine = speak(protocol), f"listed-{protocol}"  # moto's state outlives a test
    client.put_metric_data(Namespace=mine, MetricData=[{"MetricName": "a", "Value": 1.0}])
    ours = {
        "Namespace": NAMESPACE,
        "MetricName": "loss",
        "Dimensions": dimensions(TrainingJobName="j"),
    }
    theirs = {"Namespace": mine, "MetricName": "a", "Dimensions": []}
    pages = client.get_paginator("list_metrics").paginate
    everything = [each for page in pages() for each in page["Metrics"]]
    assert everything[0] == ours
    assert theirs in [{**each, "Dimensions": each.get("Dimensions", [])} for each in everything]
    assert client.list_metrics(Namespace=NAMESPACE)["Metrics"] == [ours]
    assert [each["MetricName"] for each in client.list_metrics(Namespace=mine)["Metrics"]] == ["a"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_errors_in_every_protocol(speak: Speak, protocol: str) -> None:
    client = speak(protocol)
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="Stat"):
        client.get_metric_data(**ask(query(stat="Mode")))
    with pytest.raises(client.exceptions.InvalidNextToken):
        client.get_metric_data(**ask(query(), NextToken="x"))
    with pytest.raises(ClientError) as refused:
        client.get_metric_data(**ask(query(), EndTime=BEGIN))
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    with pytest.raises(ClientError, match="computes no expressions") as refused:
        client.get_metric_data(**ask(query(), {"Id": "e", "Expression": "q*2"}))
    with pytest.raises(ClientError, match="computes no expressions"):
        search = f"SEARCH('{{{NAMESPACE},TrainingJobName}} loss', 'Average')"
        client.get_metric_data(**ask({"Id": "e", "Expression": search}))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_not_ours_stays_motos(speak: Speak, protocol: str) -> None:
    client = speak(protocol)
    client.put_metric_alarm(
        AlarmName="alarm",
        MetricName="loss",
        Namespace="mine",
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=2.0,
        ComparisonOperator="GreaterThanThreshold",
    )
    (alarm,) = client.describe_alarms(AlarmNames=["alarm"])["MetricAlarms"]
    assert (alarm["AlarmName"], alarm["Threshold"]) == ("alarm", 2.0)
    client.delete_alarms(AlarmNames=["alarm"])
    now = datetime.now(UTC).replace(microsecond=0)
    client.put_metric_data(
        Namespace=protocol, MetricData=[{"MetricName": "m", "Value": 5.0, "Timestamp": now}]
    )
    found = client.get_metric_statistics(
        Namespace=protocol,
        MetricName="m",
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=5),
        Period=60,
        Statistics=["Maximum"],
    )
    assert [each["Maximum"] for each in found["Datapoints"]] == [5.0]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_queries_about_ours_and_others_are_answered_together(
    local: Local, speak: Speak, protocol: str
) -> None:
    put(local, 3.0)
    client, mine = speak(protocol), f"together-{protocol}"
    client.put_metric_data(
        Namespace=mine, MetricData=[{"MetricName": "m", "Value": 5.0, "Timestamp": BEGIN}]
    )
    other = {
        "Id": "other",
        "MetricStat": {
            "Metric": {"Namespace": mine, "MetricName": "m"},
            "Period": 60,
            "Stat": "Sum",
        },
    }
    answer = client.get_metric_data(**ask(other, query(Id="own")))
    assert [(each["Id"], each["Values"]) for each in answer["MetricDataResults"]] == [
        ("other", [5.0]),
        ("own", [3.0]),
    ]
