"""Instance metrics: what each host's container uses, once a period and at its end."""

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sagedock import LocalSageMaker
from sagedock.engine import Gpu, Usage
from sagedock.errors import EngineError, InvalidRequest
from sagedock.local.database import Database
from sagedock.local.metrics import Host, MetricStore, Sampler
from sagedock.testing import Container, FakeEngine
from tests.conftest import IMAGE, REGION, Local

NAMESPACE = "/aws/sagemaker/TrainingJobs"
MIB = 1024**2
GIB = 1024**3


def used(at_s: float, cpu_s: float, memory_bytes: int = 0, started_at_s: float = -1e6) -> Usage:
    return Usage(
        at_s=at_s,
        started_at_s=started_at_s,
        cpu_s=cpu_s,
        cpus=2,
        memory_bytes=memory_bytes,
        memory_limit_bytes=100 * MIB,
    )


class Scripted(FakeEngine):
    """An engine that measures what it is told, one reading after the other; then nothing runs."""

    def __init__(self, *readings: Usage | Exception, gpus: Any = (), written: int | None = None):
        super().__init__(None)
        self.readings = list(readings)
        self.told_gpus, self.written = gpus, written

    def usage(self, container: str) -> Usage | None:
        if not self.readings:
            return None
        reading = self.readings.pop(0)
        if isinstance(reading, Exception):
            raise reading
        return reading

    def gpus(self, container: str) -> Any:
        return self.told_gpus

    def written_bytes(self, container: str) -> int | None:
        return self.written


@pytest.fixture
def store(tmp_path: Path) -> MetricStore:
    return MetricStore(Database(tmp_path / "state.sqlite"))


def sampled(
    store: MetricStore, engine: Scripted, *, period_s: float = 60, volume_gb: float | None = 10
) -> dict[str, list[float]]:
    """Run a sampler until the engine has nothing to tell any more; return values by metric."""
    host = Host(region=REGION, job="j", name="algo-1", container="c", volume_gb=volume_gb)
    sampler = Sampler(engine, store, host, period_s=period_s)
    sampler.start()
    ends = time.monotonic() + 60
    while engine.readings:
        assert time.monotonic() < ends
        time.sleep(0.01)
    sampler.end()
    sampler.join()
    found: dict[str, list[float]] = {}
    for series in store.series(REGION):
        assert series.dimensions == {"Host": "j/algo-1"}
        assert (series.namespace, series.unit) == (NAMESPACE, "Percent")
        points = store.points(REGION, NAMESPACE, series.name, series.dimensions)
        found[series.name] = [point.value for point in points]
    return found


def test_cpu_counts_a_hundred_for_each_busy_core_and_memory_is_a_mean(store: MetricStore) -> None:
    engine = Scripted(used(100, 7, 10 * MIB), used(101, 8, 20 * MIB), used(102, 10, 30 * MIB))
    assert sampled(store, engine) == {
        "CPUUtilization": [150.0],
        "MemoryUtilization": [20.0],
    }


def test_disk_is_what_was_written_in_percent_of_the_volume(store: MetricStore) -> None:
    assert sampled(store, Scripted(written=3 * GIB)) == {"DiskUtilization": [30.0]}


def test_disk_is_left_out_where_it_cannot_be_measured(store: MetricStore) -> None:
    assert sampled(store, Scripted(written=None)) == {}
    assert sampled(store, Scripted(written=GIB), volume_gb=None) == {}


def test_a_volume_of_no_size_leaves_out_its_share_and_nothing_else(store: MetricStore) -> None:
    found = sampled(store, Scripted(used(100, 7), used(101, 8), written=GIB), volume_gb=0)
    assert found.keys() == {"CPUUtilization", "MemoryUtilization"}


def test_gpus_count_a_hundred_each(store: MetricStore) -> None:
    gpus = [Gpu(utilization=80, memory=50), Gpu(utilization=60, memory=25)]
    found = sampled(store, Scripted(used(1, 0), used(2, 0), gpus=gpus))
    assert (found["GPUUtilization"], found["GPUMemoryUtilization"]) == ([140.0], [75.0])


def test_nothing_is_made_up_for_a_container_that_ended_at_once(store: MetricStore) -> None:
    assert sampled(store, Scripted()) == {}
    assert sampled(store, Scripted(used(1, 1, MIB))) == {"MemoryUtilization": [1.0]}


def test_one_reading_suffices_for_a_container_that_is_new(store: MetricStore) -> None:
    found = sampled(store, Scripted(used(102, 1.5, started_at_s=100)))
    assert found["CPUUtilization"] == [75.0]


def test_no_more_cpu_time_was_used_than_there_are_cores(store: MetricStore) -> None:
    found = sampled(store, Scripted(used(100.05, 0.2, started_at_s=100)))
    assert found["CPUUtilization"] == [200.0]


def test_a_reading_that_fails_is_left_out(store: MetricStore) -> None:
    engine = Scripted(used(1, 0), EngineError("gone for a moment"), used(3, 1))
    assert sampled(store, engine)["CPUUtilization"] == [50.0]


def test_there_is_a_point_each_period_and_none_counts_time_twice(store: MetricStore) -> None:
    engine = Scripted(*(used(second, second / 2) for second in range(9)))
    found = sampled(store, engine, period_s=0.1)
    assert len(found["CPUUtilization"]) > 2
    assert set(found["CPUUtilization"]) == {50.0}


def cpu(cloudwatch: Any) -> Any:
    """Return the CPU's values of the job's only host, one a second."""
    now = datetime.now(UTC)
    return cloudwatch.get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName="CPUUtilization",
        Dimensions=[{"Name": "Host", "Value": "probe-1/algo-1"}],
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=1),
        Period=1,
        Statistics=["Average"],
        Unit="Percent",
    )["Datapoints"]


def test_metrics_of_a_job_are_in_cloudwatch(tmp_path: Path) -> None:
    enough = threading.Event()

    def program(container: Container) -> int:
        container.written_bytes = GIB
        second = 0
        while not (enough.wait(0.02) or container.terminated.is_set()):
            container.usage = used(second, 1.5 * second, 50 * MIB)
            second += 1
        return 0

    engine = FakeEngine(program, images=[IMAGE])
    with LocalSageMaker(
        home=tmp_path / "home", engine=engine, check_answers=True, metrics_period_s=0.2
    ) as server:
        local = Local(server=server, engine=engine)
        local.client("sagemaker").create_training_job(**local.job())
        cloudwatch = local.client("cloudwatch")
        ends = time.monotonic() + 60
        while len(cpu(cloudwatch)) < 2:
            assert time.monotonic() < ends
            time.sleep(0.05)
        enough.set()
        local.ended("probe-1")
        host = [{"Name": "Host", "Value": "probe-1/algo-1"}]
        listed = cloudwatch.list_metrics(Namespace=NAMESPACE, Dimensions=host)["Metrics"]
        assert [each["MetricName"] for each in listed] == [
            "CPUUtilization",
            "DiskUtilization",
            "MemoryUtilization",
        ]
        assert {round(each["Average"]) for each in cpu(cloudwatch)} == {150}
        local.client("sagemaker").delete_training_job(TrainingJobName="probe-1")
        assert cloudwatch.list_metrics(Namespace=NAMESPACE)["Metrics"] == []


def test_a_period_that_is_too_short_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="metrics period: 0 s is too short"):
        LocalSageMaker(home=tmp_path, metrics_period_s=0)
