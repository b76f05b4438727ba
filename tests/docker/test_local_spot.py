"""Interruptions, checkpoints, lost machines and warm pools, in real containers."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagedock import LocalSageMaker
from sagedock.engine import Engine
from sagedock.local import control
from sagedock.local.faults import Interruptions, LostHost
from sagedock.local.platform import HOME_LABEL, home_id
from sagedock.local.training.containers import POOL_LABEL
from tests.conftest import BUCKET, REGION
from tests.docker.conftest import HOLD, RealLocal, leftovers, let_go

SPOT: dict[str, Any] = {
    "EnableManagedSpotTraining": True,
    "StoppingCondition": {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 1200},
    "CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/ckpt"},
}
#: Counts, one step in a tenth of a second, and keeps its place; goes on where it was. The first
#: time it comes to 30, and waits to be interrupted.
COUNTER = """
cd /opt/ml/checkpoints
save() { echo $step > new; mv new step; }
trap 'echo stopping at $step; save; exit 143' TERM
step=$(cat step 2>/dev/null || echo 0)
last=$([ $step = 0 ] && echo 30 || echo 40)
echo from $step
while [ $step -lt 40 ]; do
  [ $step -lt $last ] && step=$((step + 1)); sleep 0.1 & wait $!
  [ $((step % 5)) = 0 ] && save
done
echo done $step
echo $step > /opt/ml/model/step
"""


@pytest.fixture
def real(tmp_path: Path, engine: Engine) -> Iterator[RealLocal]:
    """A local SageMaker with a short grace, and a bucket. Afterwards nothing of it is left."""
    server = LocalSageMaker(
        home=tmp_path / "home",
        check_answers=True,
        shutdown_grace_s=1.0,
        stop_grace_s=3.0,
        checkpoint_sync_s=0.1,
    )
    with server:
        made = RealLocal(server=server, engine=engine)  # type: ignore[arg-type]
        made.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield made
    assert leftovers(engine, server) == []


def keys(local: RealLocal, prefix: str = "ckpt/") -> list[str]:
    found = local.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix)
    return [each["Key"] for each in found.get("Contents", [])]


def course(job: Any) -> list[str]:
    return [each["Status"] for each in job["SecondaryStatusTransitions"]]


def until_saved(local: RealLocal) -> None:
    """Wait until the counter has counted, and what it saved is in S3."""
    deadline = time.monotonic() + 60
    while keys(local) != ["ckpt/step"]:
        assert time.monotonic() < deadline, keys(local)
        time.sleep(0.05)


def test_an_interrupted_job_goes_on_where_it_was(real: RealLocal) -> None:
    name = real.start(real.script(COUNTER, **SPOT))
    until_saved(real)
    control(real.server.settings.home, "POST", "interrupt", {"job": name})
    job = real.ended(name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert course(job) == [
        *("Starting", "Downloading", "Training", "Interrupted"),
        *("Starting", "Downloading", "Training", "Uploading", "Completed"),
    ]
    log = real.log(name)
    stopped_at = next(each for each in log if each.startswith("stopping at ")).split()[-1]
    assert int(stopped_at) > 0
    assert f"from {stopped_at}" in log
    assert log[-1] == "done 40"
    assert real.get(f"s3://{BUCKET}/ckpt/step") == b"40\n"
    assert job["BillableTimeInSeconds"] < job["TrainingTimeInSeconds"]


def test_a_script_that_ignores_the_notice_is_killed_and_goes_on(real: RealLocal) -> None:
    name = real.start(real.script(COUNTER.replace("exit 143", ""), **SPOT))
    until_saved(real)
    began = time.monotonic()
    control(real.server.settings.home, "POST", "interrupt", {"job": name})
    real.until(name, lambda job: course(job).count("Training") == 2)
    assert time.monotonic() - began >= 2.5
    assert real.ended(name)["TrainingJobStatus"] == "Completed"
    assert real.log(name)[-1] == "done 40"


@pytest.mark.slow
def test_random_interruptions_cost_no_more_than_an_interval(real: RealLocal) -> None:
    real.server.faults.add(Interruptions(every_s=2.0, seed=5))
    script = COUNTER.replace("save; exit 143", "exit 143")  # it saves every fifth step alone
    name = real.start(real.script(script, **SPOT))
    job = real.ended(name, 120)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    log = real.log(name)
    assert course(job).count("Interrupted") >= 1
    reached = 0
    for what, *_, step in (line.split() for line in log):
        if what == "from":
            assert reached - 5 <= int(step) <= reached, log
        else:  # it was stopped there, or done
            reached = int(step)
    assert real.get(f"s3://{BUCKET}/ckpt/step") == b"40\n"


def test_checkpoints_are_mirrored_both_ways(real: RealLocal) -> None:
    for key in ("old", "deep/kept", "deep/gone"):
        real.put(f"ckpt/{key}", key.encode())
    name = real.start(
        real.script(
            "cd /opt/ml/checkpoints; find . -type f | sort; cat deep/kept; echo;"
            "rm old deep/gone; mkdir new; echo 1 > new/a; ln -s /etc/passwd link; mkfifo pipe;"
            "echo changed > deep/kept; echo 1 > counter;"
            f"{HOLD}; echo 3 > counter;"
            "rm -r new; mkdir new; echo 2 > new/b",
            CheckpointConfig=SPOT["CheckpointConfig"],
        )
    )
    deadline = time.monotonic() + 60
    while keys(real) != ["ckpt/counter", "ckpt/deep/kept", "ckpt/new/a"]:
        assert time.monotonic() < deadline, keys(real)
        time.sleep(0.02)
    let_go(real.engine, real.server.settings.home)
    job = real.ended(name)
    assert job["TrainingJobStatus"] == "Completed", real.log(name)
    assert real.log(name)[:4] == ["./deep/gone", "./deep/kept", "./old", "deep/kept"]
    assert keys(real) == ["ckpt/counter", "ckpt/deep/kept", "ckpt/new/b"]
    assert real.get(f"s3://{BUCKET}/ckpt/deep/kept") == b"changed\n"
    assert real.get(f"s3://{BUCKET}/ckpt/counter") == b"3\n"


def test_checkpoints_where_the_engines_folders_cannot_be_read(
    real: RealLocal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for a server that is not root: everything goes through the engine."""
    monkeypatch.setattr(
        "sagedock.engine.docker_engine.DockerEngine.files", lambda *_: None, raising=True
    )
    test_checkpoints_are_mirrored_both_ways(real)


def test_checkpoints_that_are_large_are_restored_without_a_copy(
    real: RealLocal, tmp_path: Path
) -> None:
    big = tmp_path / "home" / "s3" / "buckets" / BUCKET / "ckpt" / "big"
    big.parent.mkdir(parents=True)
    with big.open("wb") as file:
        file.truncate(5 * 1024**3)
    began = time.monotonic()
    job = real.run_script(
        "stat -c %s /opt/ml/checkpoints/big", CheckpointConfig=SPOT["CheckpointConfig"]
    )
    assert time.monotonic() - began < 60
    assert real.log(job["TrainingJobName"]) == [str(5 * 1024**3)]


def test_a_machine_that_fails_gives_no_notice_and_the_job_is_retried(real: RealLocal) -> None:
    real.server.faults.add(LostHost(host="algo-2", after_s=5.0))
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    job = real.run_script(
        "host=$(grep -o 'current_host\": \"algo-[0-9]' /opt/ml/input/config/resourceconfig.json);"
        "trap 'echo told ${host: -1}; exit 143' TERM;"
        "mkdir -p /opt/ml/checkpoints; [ -e /opt/ml/checkpoints/${host: -1} ] && exit 0;"
        "touch /opt/ml/checkpoints/${host: -1}; sleep 60 & wait $!",
        ResourceConfig=resources,
        RetryStrategy={"MaximumRetryAttempts": 1},
        CheckpointConfig=SPOT["CheckpointConfig"],
    )
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert course(job).count("Restarting") == 1
    assert [each for each in real.log("probe-1") if each.startswith("told")] == ["told 1"]
    assert keys(real) == ["ckpt/1", "ckpt/2"]


def test_a_warm_pool_keeps_its_cache_until_it_ends(real: RealLocal, engine: Engine) -> None:
    script = (
        "cd $SAGEMAKER_MANAGED_WARMPOOL_CACHE_DIRECTORY && pwd && ls;"
        "echo x > $TRAINING_JOB_NAME; echo y > /opt/ml/other; ls /opt/ml"
    )
    machines = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    kept = {**machines, "KeepAlivePeriodInSeconds": 600}
    real.run_script(script, ResourceConfig=kept)
    real.run_script(script, TrainingJobName="probe-2", ResourceConfig=kept)
    log = real.log("probe-2")
    assert log[:2] == ["/opt/ml/sagemaker/warmpoolcache", "probe-1"]
    labels = {**_home_labels(real), POOL_LABEL: ""}
    assert len(engine.volumes(labels)) == 1
    real.client("sagemaker").update_training_job(
        TrainingJobName="probe-2", ResourceConfig={"KeepAlivePeriodInSeconds": 0}
    )
    real.until("probe-2", lambda job: job["WarmPoolStatus"]["Status"] == "Terminated")
    deadline = time.monotonic() + 60
    while engine.volumes(labels):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _home_labels(local: RealLocal) -> dict[str, str]:
    return {HOME_LABEL: home_id(local.server.settings.home)}


def test_containers_have_the_memory_and_processors_of_their_type(
    tmp_path: Path, engine: Engine
) -> None:
    machine = engine.machine()
    with LocalSageMaker(home=tmp_path / "home", check_answers=True) as server:
        local = RealLocal(server=server, engine=engine)  # type: ignore[arg-type]
        local.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        if machine.memory_mib <= 4 * 1024:
            pytest.skip("this machine has no more than ml.t3.large")
        local.run_script(
            "cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null"
            " || cat /sys/fs/cgroup/memory.max; df -m /dev/shm | tail -1 | awk '{print $2}'",
            ResourceConfig={
                "InstanceType": "ml.c5.xlarge",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
            },
        )
        memory, shm = map(int, local.log("probe-1"))
    wanted = 8 * 1024
    assert memory == wanted * 1024**2 or machine.memory_mib <= wanted
    assert shm == min(wanted, machine.memory_mib) // 2
