"""What tests of CloudWatch share: metrics that are put, and questions."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.conftest import Local

NAMESPACE = "/aws/sagemaker/TrainingJobs"


BEGIN = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


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
