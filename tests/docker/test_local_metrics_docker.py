"""Metrics of real containers: two hosts that print values and keep a core busy."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sagedock import LocalSageMaker
from sagedock.engine import Engine
from tests.conftest import BUCKET, REGION
from tests.docker.conftest import HOLD, RealLocal, leftovers, let_go
from tests.docker.test_local_process import home, kill, reach

__all__ = ["home"]  # the fixture

NAMESPACE = "/aws/sagemaker/TrainingJobs"
SCRIPT = """\
head -c 30000000 /dev/urandom > /opt/ml/model/weights
head -c 20000000 /dev/urandom > /tmp/scratch
config=/opt/ml/input/config/resourceconfig.json
host=$(python3 -c "import json; print(json.load(open('$config'))['current_host'])")
echo "host=${host#algo-} loss=0.5"
ends=$((SECONDS + 6))
while [ $SECONDS -lt $ends ]; do :; done
echo "host=${host#algo-} loss=0.25"
rm /opt/ml/model/weights
"""


@pytest.fixture
def measured(tmp_path: Path, engine: Any) -> Any:
    """A local SageMaker that publishes every second."""
    server = LocalSageMaker(
        home=tmp_path / "home", check_answers=True, shutdown_grace_s=1.0, metrics_period_s=1.0
    )
    with server:
        made = RealLocal(server=server, engine=engine)
        made.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield made
    assert leftovers(engine, server) == []


def values(local: RealLocal, name: str, stat: str = "Average", **dimension: str) -> list[float]:
    ((key, value),) = dimension.items()
    now = datetime.now(UTC)
    metric = {
        "Namespace": NAMESPACE,
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value}],
    }
    (found,) = local.client("cloudwatch").get_metric_data(
        StartTime=now - timedelta(minutes=10),
        EndTime=now + timedelta(minutes=1),
        ScanBy="TimestampAscending",
        MetricDataQueries=[
            {"Id": "q", "MetricStat": {"Metric": metric, "Period": 1, "Stat": stat}}
        ],
    )["MetricDataResults"]
    return list(found["Values"])


def test_two_hosts_print_values_and_keep_a_core_busy(measured: RealLocal, engine: Engine) -> None:
    definitions = [
        {"Name": "loss", "Regex": "loss=([0-9.]+)"},
        {"Name": "host", "Regex": "host=([0-9]+)"},
    ]
    job = measured.run_script(
        SCRIPT,
        timeout_s=120,
        AlgorithmSpecification={"MetricDefinitions": definitions},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1},
    )
    assert job["TrainingJobStatus"] == "Completed", json.dumps(job, default=str)
    finals = {each["MetricName"]: each["Value"] for each in job["FinalMetricDataList"]}
    assert finals["loss"] == 0.25
    for name, total in (("loss", 1.5), ("host", 6)):  # two lines of each of two hosts
        assert sum(values(measured, name, "SampleCount", TrainingJobName="probe-1")) == 4
        assert sum(values(measured, name, "Sum", TrainingJobName="probe-1")) == total
    for host in ("probe-1/algo-1", "probe-1/algo-2"):
        cpu = values(measured, "CPUUtilization", Host=host)
        assert cpu, "a point each second, as far as the engine measures so often"
        assert 1 < max(cpu) < 120, "one core was busy, as far as others let it"
        memory = values(measured, "MemoryUtilization", Host=host)
        assert 0 < max(memory) < 100
        disk = values(measured, "DiskUtilization", Host=host)
        # 30 + 20 MB of 1 GiB while it runs, 20 MB at the end.
        assert max(disk) == pytest.approx(4.7, abs=1.0)
        assert disk[-1] == pytest.approx(1.9, abs=0.5)
        assert values(measured, "GPUUtilization", Host=host) == []


def test_a_short_job_has_a_point(measured: RealLocal) -> None:
    measured.run_script("sleep 1")
    assert len(values(measured, "MemoryUtilization", Host="probe-1/algo-1")) >= 1
    assert values(measured, "CPUUtilization", Host="probe-1/algo-1") != []


def test_a_server_that_is_killed_loses_and_doubles_no_point(home: Path, engine: Engine) -> None:
    local = reach(home, engine)
    name = local.start(
        local.script(
            f"for i in $(seq 1 60); do echo n=$i; sleep 0.05; [ $i != 40 ] || {HOLD}; done",
            AlgorithmSpecification={"MetricDefinitions": [{"Name": "n", "Regex": "n=([0-9]+)"}]},
        )
    )
    for _ in range(2):
        local.until(name, lambda job: job["SecondaryStatus"] == "Training")
        time.sleep(0.6)
        kill(home)
        local = reach(home, engine, bucket=False)
    let_go(engine, home)
    job = local.ended(name)
    assert job["TrainingJobStatus"] == "Completed"
    now = datetime.now(UTC)
    (day,) = local.client("cloudwatch").get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName="n",
        Dimensions=[{"Name": "TrainingJobName", "Value": name}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=86_400,
        Statistics=["SampleCount", "Sum", "Maximum"],
    )["Datapoints"]
    assert (day["SampleCount"], day["Sum"], day["Maximum"]) == (60, sum(range(61)), 60)
    assert job["FinalMetricDataList"][0]["Value"] == 60
