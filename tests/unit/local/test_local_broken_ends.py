"""Jobs whose end goes wrong: they hold up neither the jobs behind them, nor the next server."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sagedock import LocalSageMaker
from sagedock.errors import EngineError, StorageError
from sagedock.local.database import Database
from sagedock.local.home import DATABASE
from sagedock.local.resources import Key, Resources
from sagedock.local.training.containers import POOL_LABEL
from sagedock.testing import FakeEngine
from tests.conftest import IMAGE, REGION, Local
from tests.unit.local.spot_jobs import hasty, start


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[Local]:
    """A local SageMaker that runs one container at once."""
    with hasty(tmp_path, max_containers=1) as made:
        yield made


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("error", [EngineError("x"), StorageError("x"), RuntimeError("x")])
def test_a_clean_up_that_breaks_keeps_no_other_job_waiting(narrow: Local, error: Exception) -> None:
    find = narrow.engine.volumes

    def breaks(labels: Mapping[str, str]) -> Mapping[str, Mapping[str, str]]:
        narrow.engine.volumes = find  # type: ignore[method-assign]
        raise error

    narrow.engine.volumes = breaks  # type: ignore[method-assign]
    assert narrow.run(TrainingJobName="first")["TrainingJobStatus"] == "Completed"
    assert narrow.run(TrainingJobName="second")["TrainingJobStatus"] == "Completed"
    narrow.client("sagemaker").delete_training_job(TrainingJobName="first")


class WithVolume(FakeEngine):
    """An engine with a volume of a job that is gone, which somebody else's container uses."""

    def volumes(self, labels: Mapping[str, str]) -> Mapping[str, Mapping[str, str]]:
        return {"probe-scratch": {**labels, "sagedock.job": "gone", "sagedock.region": "us-west-2"}}

    def remove_volume(self, name: str) -> None:
        raise EngineError(f"removing volume {name}: volume is in use")


def test_a_volume_that_is_in_use_keeps_no_server_from_starting(tmp_path: Path) -> None:
    engine = WithVolume(lambda _: 0, images=[IMAGE])
    with LocalSageMaker(home=tmp_path / "home", engine=engine) as server:
        assert server.endpoint_url


def kept_alive(period_s: int) -> dict[str, Any]:
    machines = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10}
    return {"ResourceConfig": {**machines, "KeepAlivePeriodInSeconds": period_s}}


def hangs(labels: Mapping[str, str]) -> Mapping[str, Mapping[str, str]]:
    raise EngineError("the engine hangs")


def test_a_pool_expires_although_its_volumes_cannot_be_removed(local: Local) -> None:
    local.run(**kept_alive(1))
    local.engine.volumes = hangs  # type: ignore[method-assign]
    job = local.until("probe-1", lambda job: job["WarmPoolStatus"]["Status"] != "Available")
    assert job["WarmPoolStatus"]["Status"] == "Terminated"


def test_volumes_that_were_in_use_go_when_the_next_job_has_ended(local: Local) -> None:
    removed: list[str] = []
    local.run(**kept_alive(600))

    def of_pools(labels: Mapping[str, str]) -> Mapping[str, Mapping[str, str]]:
        return {"pool-volume": labels} if POOL_LABEL in labels else {}

    def in_use(name: str) -> None:
        raise EngineError(f"removing volume {name}: volume is in use")

    local.engine.volumes = of_pools  # type: ignore[method-assign]
    local.engine.remove_volume = in_use  # type: ignore[method-assign]
    local.client("sagemaker").update_training_job(
        TrainingJobName="probe-1", ResourceConfig={"KeepAlivePeriodInSeconds": 0}
    )
    local.until("probe-1", lambda job: job["WarmPoolStatus"]["Status"] == "Terminated")
    local.engine.remove_volume = removed.append  # type: ignore[method-assign]
    local.run(TrainingJobName="probe-2")
    local.client("sagemaker").delete_training_job(TrainingJobName="probe-2")
    assert "pool-volume" in removed


def test_a_pool_that_its_job_could_not_give_back_ends_with_the_server(tmp_path: Path) -> None:
    with hasty(tmp_path) as local:
        local.engine.volumes = hangs  # type: ignore[method-assign]
        start(local, lambda each: int(each.terminated.wait(60)), **kept_alive(600))
        local.until("probe-1", lambda job: "WarmPoolStatus" in job)
        local.client("sagemaker").stop_training_job(TrainingJobName="probe-1")
        local.ended("probe-1")
    home = tmp_path / "home"
    with (
        LocalSageMaker(home=home, engine=FakeEngine(None)),
        closing(Database(home / DATABASE)) as d,
    ):
        assert Resources(d).get(Key(region=REGION, kind="warm-pool", name="probe-1")) is None
