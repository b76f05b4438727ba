"""Rows of the answers that AWS really gave: a training job's metrics."""

from datetime import UTC, datetime

from sagedock.engine import Usage
from sagedock.testing import Container
from tests.conftest import IMAGE, Local


def program(container: Container) -> int:
    container.usage = Usage(
        at_s=101, started_at_s=100, cpu_s=1.5, cpus=2, memory_bytes=1, memory_limit_bytes=4
    )
    container.print("validation:error 0.60126")
    assert container.measured.wait(60)
    return 0


def test_row_150_instance_metrics_have_the_dimension_host(local: Local) -> None:
    local.run(program)
    listed = local.client("cloudwatch").list_metrics(Namespace="/aws/sagemaker/TrainingJobs")
    host = [{"Name": "Host", "Value": "probe-1/algo-1"}]
    assert [each["Dimensions"] for each in listed["Metrics"]] == [host] * 2


def test_row_133_a_final_metric_is_single_precision_at_a_whole_second(local: Local) -> None:
    job = local.run(
        program,
        AlgorithmSpecification={
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "e", "Regex": "validation:error ([0-9.]+)"}],
        },
    )
    (metric,) = job["FinalMetricDataList"]
    assert sorted(metric) == ["MetricName", "Timestamp", "Value"]
    assert metric["Value"] == 0.6012600064277649
    assert metric["Timestamp"].microsecond == 0
    assert abs((datetime.now(UTC) - metric["Timestamp"]).total_seconds()) < 60
