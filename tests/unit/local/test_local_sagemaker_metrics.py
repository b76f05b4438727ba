"""sagemaker-metrics: what training code puts, and what comes back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock.testing import Container
from tests.conftest import ACCOUNT, IMAGE, REGION, Local, plain_http

BEGIN = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
BEGIN_MS = round(BEGIN.timestamp() * 1000)
COMPONENT = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:experiment-trial-component/run-1"


def put(local: Local, *values: float, component: str = "run-1", name: str = "loss") -> Any:
    """Put a value every 40 seconds, each with its step."""
    return local.client("sagemaker-metrics").batch_put_metrics(
        TrialComponentName=component,
        MetricData=[
            {
                "MetricName": name,
                "Timestamp": BEGIN + timedelta(seconds=40 * step),
                "Step": step,
                "Value": value,
            }
            for step, value in enumerate(values)
        ],
    )


def get(local: Local, *queries: dict[str, Any]) -> list[dict[str, Any]]:
    common = {
        "MetricName": "loss",
        "ResourceArn": COMPONENT,
        "MetricStat": "Last",
        "Period": "IterationNumber",
        "XAxisType": "IterationNumber",
    }
    answer = local.client("sagemaker-metrics").batch_get_metrics(
        MetricQueries=[{**common, **query} for query in queries]
    )
    return list(answer["MetricQueryResults"])


def result(values: dict[int, float]) -> dict[str, Any]:
    return {
        "Status": "Complete",
        "XAxisValues": list(values),
        "MetricValues": list(values.values()),
    }


def test_what_is_put_comes_back_by_step_and_by_time(local: Local) -> None:
    assert "Errors" not in put(local, 3.0, 2.0, 1.0, 5.0)
    put(local, 9.0)  # a second value of step 0
    minute = {"Period": "OneMinute", "XAxisType": "Timestamp"}
    assert get(
        local,
        {},
        {"Start": 1, "End": 2},
        {"MetricStat": "Avg", **minute},
        {"MetricStat": "Count", "Period": "OneHour", "XAxisType": "Timestamp"},
        {"MetricStat": "StdDev", **minute},
        {"MetricName": "absent"},
    ) == [
        result({0: 9.0, 1: 2.0, 2: 1.0, 3: 5.0}),
        result({1: 2.0, 2: 1.0}),
        result({BEGIN_MS: 14 / 3, BEGIN_MS + 60_000: 1.0, BEGIN_MS + 120_000: 5.0}),
        result({BEGIN_MS - 4 * 60_000: 5.0}),
        result(
            {
                BEGIN_MS: pytest.approx(3.0912, abs=1e-4),
                BEGIN_MS + 60_000: 0.0,
                BEGIN_MS + 120_000: 0.0,
            }
        ),
        result({}),
    ]


def test_a_query_that_cannot_be_answered_spoils_no_other(local: Local) -> None:
    put(local, 3.0)
    refused, good = get(local, {"Period": "OneMinute"}, {})
    assert (refused["Status"], good["Status"]) == ("ValidationError", "Complete")
    assert "XAxisType" in refused["Message"]


def test_what_the_model_forbids_is_refused(local: Local) -> None:
    for component, count in (("UPPER", 1), ("", 1), ("run-1", 11)):
        with pytest.raises(ClientError) as refused:
            put(local, *[1.0] * count, component=component)
        assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_a_value_out_of_range_is_named_by_its_index_and_the_others_are_kept(local: Local) -> None:
    answer = put(local, 1.0, 1e300, 3.0)
    assert answer["Errors"] == [{"Code": "VALIDATION_ERROR", "MetricIndex": 1}]
    assert get(local, {}) == [result({0: 1.0, 2: 3.0})]


def test_a_training_job_answers_what_its_log_and_its_code_tell(local: Local) -> None:
    def program(container: Container) -> int:
        container.print("loss=0.5")
        return 0

    job = local.run(
        program,
        TrainingJobName="Job-1",
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
        },
    )
    put(local, 7.0, component="job-1-aws-training-job")
    hourly = {"Period": "OneHour", "XAxisType": "Timestamp", "ResourceArn": job["TrainingJobArn"]}
    (found,) = get(local, hourly)
    assert found["MetricValues"] == [7.0, 0.5]


def test_what_was_put_is_kept_and_is_no_metric_of_cloudwatch(local: Local) -> None:
    put(local, 3.0)
    local.server.stop()
    local.server.start()
    assert get(local, {}) == [result({0: 3.0})]
    listed = local.client("cloudwatch").list_metrics()["Metrics"]
    assert [each for each in listed if each["MetricName"] == "loss"] == []


def test_a_body_that_is_no_request(local: Local) -> None:
    signed = "AWS4-HMAC-SHA256 Credential=x/20260101/us-west-2/sagemaker/aws4_request, Signature=0"
    answer = plain_http().put(
        f"{local.server.endpoint_url}/BatchPutMetrics",
        content=b"{",
        headers={"authorization": signed},
    )
    assert answer.status_code == 400
    assert answer.headers["x-amzn-errortype"] == "SerializationException"
