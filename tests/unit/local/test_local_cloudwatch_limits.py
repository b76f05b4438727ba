"""CloudWatch: pages, limits, bodies that are none, and metrics of jobs."""

import gzip
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock.testing import Container
from tests.conftest import IMAGE, Local, plain_http
from tests.unit.local.cloudwatch_calls import BEGIN, NAMESPACE, ask, dimensions, put, query


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
