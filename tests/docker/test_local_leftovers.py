"""Nothing is left in the engine, whoever removes a container, and whenever the server is killed."""

import subprocess
from pathlib import Path
from typing import Any

import docker

from sagedock import LocalSageMaker
from sagedock.local.platform import HOME_LABEL, JOB_LABEL, home_id
from sagedock.local.training.containers import REGION_LABEL
from tests.conftest import BUCKET, REGION
from tests.docker.conftest import RealLocal


def volumes_of(home: Path) -> set[str]:
    labels = {"label": f"{HOME_LABEL}={home_id(home)}"}
    return {volume.name for volume in docker.from_env().volumes.list(filters=labels)}


def test_a_container_that_somebody_removed_leaves_no_volume(real: RealLocal) -> None:
    name = real.start(real.script("sleep 60"))
    real.until(name, lambda job: job["SecondaryStatus"] == "Training")
    assert volumes_of(real.server.settings.home)
    home = home_id(real.server.settings.home)
    (found,) = real.engine.containers({HOME_LABEL: home, JOB_LABEL: name})
    subprocess.run(["docker", "rm", "-f", found.id], check=True, capture_output=True)
    job = real.ended(name)
    assert job["TrainingJobStatus"] == "Failed"
    real.client("sagemaker").delete_training_job(TrainingJobName=name)
    assert volumes_of(real.server.settings.home) == set()


def test_what_a_killed_server_had_half_made_is_used_or_removed(tmp_path: Path, engine: Any) -> None:
    """A volume without its container; a network without its job."""
    home = tmp_path / "home"
    labels = {HOME_LABEL: home_id(home), REGION_LABEL: REGION}
    client = docker.from_env()
    client.volumes.create("probe-gone-scratch", labels={**labels, JOB_LABEL: "gone"})
    client.networks.create("probe-gone", labels={**labels, JOB_LABEL: "gone"})
    ours = f"sagedock-{home_id(home)}-{REGION}-probe-1-algo-1-scratch"
    volume = client.volumes.create(ours, labels={**labels, JOB_LABEL: "probe-1"})
    for half in ("upper", "work"):
        Path(volume.attrs["Mountpoint"], "0", half).mkdir(parents=True)
    with LocalSageMaker(home=home, shutdown_grace_s=1.0) as server:
        local = RealLocal(server=server, engine=engine)
        local.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        assert engine.networks({**labels, JOB_LABEL: "gone"}) == []
        assert volumes_of(home) <= {ours}
        job = local.run_script("true")
        assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    assert volumes_of(home) == set()


def test_a_job_that_cannot_be_created_leaves_no_volume(real: RealLocal, monkeypatch: Any) -> None:
    from docker.api.container import ContainerApiMixin
    from docker.errors import DockerException

    def refuse(*_: object, **__: object) -> None:
        raise DockerException("no more containers")

    monkeypatch.setattr(ContainerApiMixin, "create_container", refuse)
    job = real.run_script("true")
    assert "no more containers" in job["FailureReason"]
    real.client("sagemaker").delete_training_job(TrainingJobName=job["TrainingJobName"])
    assert volumes_of(real.server.settings.home) == set()
