"""CloudWatch over our metrics, in each protocol that clients speak."""

import gzip
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.loaders import Loader

from sagedock.testing import Container
from tests.conftest import IMAGE, REGION, Local, plain_http

NAMESPACE = "/aws/sagemaker/TrainingJobs"
PROTOCOLS = ("json", "query", "smithy-rpc-v2-cbor")
BEGIN = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
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
        session.get_component("data_loader").search_paths.insert(0, str(folder))
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


def dimensions(**named: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in named.items()]


def put(local: Local, *values: float, name: str = "loss", job: str = "j", **members: Any) -> None:
    """Put a value every 30 seconds."""
    local.client("cloudwatch").put_metric_data(
        Namespace=NAMESPACE,
        MetricData=[
            {
                "MetricName": name,
                "Dimensions": dimensions(TrainingJobName=job),
                "Timestamp": BEGIN + timedelta(seconds=30 * number),
                "Value": value,
                **members,
            }
            for number, value in enumerate(values)
        ],
    )


def query(name: str = "loss", stat: str = "Average", period: int = 60, **members: Any) -> Any:
    metric = {
        "Namespace": NAMESPACE,
        "MetricName": name,
        "Dimensions": dimensions(TrainingJobName="j"),
    }
    return {
        "Id": members.pop("Id", "q"),
        "MetricStat": {"Metric": metric, "Period": period, "Stat": stat},
        **members,
    }


def ask(*queries: Any, **members: Any) -> dict[str, Any]:
    return {
        "MetricDataQueries": list(queries),
        "StartTime": BEGIN,
        "EndTime": BEGIN + timedelta(minutes=10),
        **members,
    }


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


def test_pages_hold_so_many_datapoints(local: Local) -> None:
    put(local, *map(float, range(6)))
    put(local, 10.0, 11.0, name="acc")
    client = local.client("cloudwatch")
    request = ask(
        query(period=30, Id="a"),
        query(name="acc", period=30, Id="b"),
        MaxDatapoints=4,
        ScanBy="TimestampAscending",
    )
    first = client.get_metric_data(**request)
    assert [each["StatusCode"] for each in first["MetricDataResults"]] == ["PartialData"] * 2
    pages = [first, client.get_metric_data(**request, NextToken=first["NextToken"])]
    assert "NextToken" not in pages[1]
    found: dict[str, list[float]] = {"a": [], "b": []}
    for page in pages:
        for each in page["MetricDataResults"]:
            found[each["Id"]] += each["Values"]
    assert found == {"a": [0, 1, 2, 3, 4, 5], "b": [10, 11]}


def test_too_many_datapoints_and_odd_periods_are_refused_in_the_services_words(
    local: Local,
) -> None:
    client = local.client("cloudwatch")
    request = {
        "Namespace": NAMESPACE,
        "MetricName": "m",
        "StartTime": BEGIN,
        "EndTime": BEGIN + timedelta(days=1),
        "Period": 1,
        "Statistics": ["Sum"],
    }
    with pytest.raises(
        ClientError, match="up to 86400 datapoints, which exceeds the limit of 1440"
    ):
        client.get_metric_statistics(**request)
    with pytest.raises(ClientError, match="multiple of 60"):
        client.get_metric_statistics(**{**request, "Period": 90})
    with pytest.raises(ClientError, match="either Statistics or ExtendedStatistics"):
        client.get_metric_statistics(
            **{key: value for key, value in request.items() if key != "Statistics"}
        )
    with pytest.raises(ClientError, match="1 validation error detected"):
        client.get_metric_statistics(**{**request, "Period": 60, "Statistics": ["Mode"]})
    with pytest.raises(ClientError, match="not unique"):
        client.get_metric_data(**ask(query(), query()))
    nameless = query()
    del nameless["MetricStat"]["Metric"]["MetricName"]
    with pytest.raises(ClientError, match="MetricName is required"):
        client.get_metric_data(**ask(nameless))


def test_values_with_counts_are_put_and_sets_of_statistics_refused(local: Local) -> None:
    client = local.client("cloudwatch")
    datum = {
        "MetricName": "loss",
        "Dimensions": dimensions(TrainingJobName="j"),
        "Timestamp": BEGIN,
    }

    def putting(**members: Any) -> None:
        client.put_metric_data(Namespace=NAMESPACE, MetricData=[{**datum, **members}])

    putting(Values=[1.0, 4.0], Counts=[3.0, 1.0])
    found = client.get_metric_data(**ask(query(stat="Sum")))["MetricDataResults"]
    assert found[0]["Values"] == [7.0]
    for wrong in (
        {"StatisticValues": {"SampleCount": 1, "Sum": 1, "Minimum": 1, "Maximum": 1}},
        {},
        {"Values": [1.0], "Counts": [1.0, 2.0]},
        {"Values": [1.0], "Counts": [1e9]},
        {"Values": [1.0, 2.0], "Counts": [-1e12, 1e12]},
        {"Values": [1.0], "Counts": [float("nan")]},
        {"Value": 1e200},
        {"Value": float("nan")},
        {"Value": float("inf")},
    ):
        with pytest.raises(ClientError) as refused:
            putting(**wrong)
        assert refused.value.response["Error"]["Code"] == "ValidationError", wrong
    with pytest.raises(ClientError, match="1000"):
        client.put_metric_data(Namespace=NAMESPACE, MetricData=1001 * [{**datum, "Value": 1.0}])
    again = client.get_metric_data(**ask(query(stat="Sum")))["MetricDataResults"]
    assert again == found


def test_a_value_of_the_year_1970_is_not_one_of_today(local: Local) -> None:
    put(local, 1.0, Timestamp=datetime(1970, 1, 1, tzinfo=UTC))
    now = datetime.now(UTC)
    span = {"StartTime": now - timedelta(hours=1), "EndTime": now + timedelta(hours=1)}
    (found,) = local.client("cloudwatch").get_metric_data(**ask(query(), **span))[
        "MetricDataResults"
    ]
    assert found["Values"] == []


@pytest.mark.parametrize("most", [0, -1])
def test_a_page_of_no_datapoint_is_refused(local: Local, most: int) -> None:
    put(local, 1.0)
    with pytest.raises(ClientError, match="MaxDatapoints"):
        local.client("cloudwatch").get_metric_data(**ask(query(), MaxDatapoints=most))


def test_a_large_body_comes_compressed(local: Local) -> None:
    put(local, *map(float, range(600)))  # botocore compresses from 10 KiB on
    request = ask(query(stat="SampleCount"), EndTime=BEGIN + timedelta(hours=9))
    (found,) = local.client("cloudwatch").get_metric_data(**request)["MetricDataResults"]
    assert sum(found["Values"]) == 600


@pytest.mark.parametrize(
    "body", [b"", b"\x9f", b"\xff", b"\xa1\x61\x61", b"\x81" * 5000, b"\xbb" + b"\xff" * 8]
)
def test_a_body_that_is_no_cbor_gets_an_answer(local: Local, body: bytes) -> None:
    url = (
        f"{local.server.endpoint_url}/service/GraniteServiceVersion20100801/operation/GetMetricData"
    )
    answer = plain_http().post(
        url,
        content=body,
        headers={"smithy-protocol": "rpc-v2-cbor", "content-type": "application/cbor"},
    )
    assert 400 <= answer.status_code < 500


@pytest.mark.parametrize(
    "form",
    [
        {"Action": "GetMetricData"},
        {"Action": "GetMetricStatistics", "Namespace": NAMESPACE, "Period": "soon"},
        {"Action": "GetMetricData", "MetricDataQueries..": "x", "MetricDataQueries.member.x": "y"},
        {"Action": "ListMetrics", "Dimensions.member.1.Name.deeper": "x", "Namespace": NAMESPACE},
    ],
)
def test_a_form_that_is_no_request_gets_the_services_error(
    local: Local, form: dict[str, str]
) -> None:
    signed = "AWS4-HMAC-SHA256 Credential=x/20260101/us-west-2/monitoring/aws4_request, Signature=0"
    answer = plain_http().post(
        local.server.endpoint_url, data=form, headers={"authorization": signed}
    )
    assert answer.status_code == 400
    assert answer.text.startswith('<ErrorResponse xmlns="http://monitoring.amazonaws.com/')


def test_a_bomb_is_refused(local: Local) -> None:
    bomb = gzip.compress(b" " * 64 * 1024 * 1024)
    answer = plain_http().post(
        local.server.endpoint_url,
        content=bomb,
        headers={
            "content-encoding": "gzip",
            "x-amz-target": "GraniteServiceVersion20100801.PutMetricData",
            "content-type": "application/x-amz-json-1.0",
        },
    )
    assert 400 <= answer.status_code < 600


def test_metrics_of_a_job_are_there_while_it_runs_and_after_a_restart(local: Local) -> None:
    def program(container: Container) -> int:
        container.print("loss=0.5")
        assert container.terminated.wait(60)
        return 0

    local.engine.program = program
    definitions = [{"Name": "train:loss", "Regex": "loss=([0-9.]+)"}]
    local.client("sagemaker").create_training_job(
        **local.job(
            AlgorithmSpecification={
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "MetricDefinitions": definitions,
            }
        )
    )

    def values() -> list[float]:
        now = datetime.now(UTC)
        (found,) = local.client("cloudwatch").get_metric_data(
            StartTime=now - timedelta(minutes=10),
            EndTime=now + timedelta(minutes=1),
            MetricDataQueries=[
                {
                    "Id": "q",
                    "MetricStat": {
                        "Metric": {
                            "Namespace": NAMESPACE,
                            "MetricName": "train:loss",
                            "Dimensions": dimensions(TrainingJobName="probe-1"),
                        },
                        "Period": 1,
                        "Stat": "Average",
                    },
                }
            ],
        )["MetricDataResults"]
        return list(found["Values"])

    def until_found() -> None:
        local.until("probe-1", lambda _: values() == [0.5])

    until_found()
    local.client("sagemaker").stop_training_job(TrainingJobName="probe-1")
    local.ended("probe-1")
    local.server.stop()
    local.server.start()
    assert values() == [0.5]
