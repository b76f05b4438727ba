"""Transform jobs in real containers."""

import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sagedock.engine import Engine
from sagedock.local.platform import home_id
from tests.conftest import BUCKET, ROLE
from tests.docker.conftest import RealLocal
from tests.docker.hosting_real import SERVING, WITHOUT, awaited, images, model
from tests.docker.test_local_process import home, kill, reach

pytestmark = pytest.mark.usefixtures("images")
__all__ = ["home", "images"]

GROUP = "/aws/sagemaker/TransformJobs"


def create(local: RealLocal, name: str = "job-1", **changes: Any) -> None:
    """Create a job of ``model-1`` over s3://.../in/, a record at a time."""
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/in/"}
    request: dict[str, Any] = {
        "TransformJobName": name,
        "ModelName": "model-1",
        "BatchStrategy": "SingleRecord",
        "TransformInput": {"DataSource": {"S3DataSource": source}, "SplitType": "Line"},
        "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/out", "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **changes,
    }
    local.client("sagemaker").create_transform_job(**request)


def until(
    local: RealLocal, true: Callable[[Any], bool], name: str = "job-1", timeout_s: float = 90
) -> Any:
    """Wait until Describe answers what is awaited, and return it."""
    sagemaker = local.client("sagemaker")
    found: list[Any] = []

    def asked() -> bool:
        found.append(sagemaker.describe_transform_job(TransformJobName=name))
        return true(found[-1])

    awaited(asked, timeout_s)
    return found[-1]


def ended(local: RealLocal, name: str = "job-1") -> Any:
    """Wait until a job has ended, and return what Describe answers."""
    return until(local, lambda job: "TransformEndTime" in job, name)


def output(local: RealLocal, key: str) -> bytes:
    answer = local.client("s3").get_object(Bucket=BUCKET, Key=key)
    return bytes(answer["Body"].read())


def outputs(local: RealLocal) -> list[str]:
    found = local.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="out/")
    return [each["Key"] for each in found.get("Contents", ())]


def events(local: RealLocal, suffix: str = "") -> list[str]:
    """Return the lines of the streams whose names end with ``suffix``."""
    logs = local.client("logs")
    streams = logs.describe_log_streams(logGroupName=GROUP)["logStreams"]
    names = [each["logStreamName"] for each in streams if each["logStreamName"].endswith(suffix)]
    found = logs.filter_log_events(logGroupName=GROUP, logStreamNames=names)["events"]
    return [each["message"] for each in found]


def left(engine: Engine, where: Path) -> list[str]:
    """Return what is left in the engine of transform jobs, once a while has passed."""
    labels = {"sagedock.home": home_id(where), "sagedock.transform": ""}
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        found = [each.name for each in engine.containers(labels)] + [*engine.networks(labels)]
        if not found:
            break
        time.sleep(0.1)
    return found


def test_a_model_transforms_objects_as_the_contract_says(real: RealLocal) -> None:
    model(real, Environment={"WHICH": "first"})
    real.put("in/a.txt.gz", gzip.compress(b"hello\nmodel\nwrite\nenv\n"))
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/in/"}
    create(
        real,
        MaxPayloadInMB=2,
        Environment={"MINE": "1"},
        TransformInput={
            "DataSource": {"S3DataSource": source},
            "SplitType": "Line",
            "CompressionType": "Gzip",
            "ContentType": "text/plain",
        },
    )
    job = ended(real)
    assert job["TransformJobStatus"] == "Completed", events(real)
    echoed, files, written, variables = output(real, "out/a.txt.gz.out").splitlines()
    assert echoed == b"hello"
    assert json.loads(files) == {"w.txt": "42", "code/x.py": "pass"}
    assert b"Read-only file system" in written
    environment = json.loads(variables)
    assert environment["SAGEMAKER_BATCH"] == "true"
    assert environment["SAGEMAKER_MAX_PAYLOAD_IN_MB"] == "2"
    assert environment["SAGEMAKER_BATCH_STRATEGY"] == "SINGLE_RECORD"
    assert "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS" not in environment
    assert (environment["WHICH"], environment["MINE"]) == ("first", "1")
    assert "starting" in events(real)
    assert [line.partition(": ")[2] for line in events(real, "/data-log")] == [
        "MaxConcurrentTransforms=1, MaxPayloadInMB=2, BatchStrategy=SINGLE_RECORD"
    ]
    assert left(real.engine, real.server.settings.home) == []


def test_several_isolated_instances_share_objects_and_failures_are_told(real: RealLocal) -> None:
    model(real, isolated=True)
    for number in range(4):
        real.put(f"in/{number}", b"connect http://1.1.1.1\n" if number else b"one\nfail 418\n")
    create(
        real,
        MaxConcurrentTransforms=2,
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 2},
    )
    job = ended(real)
    assert job["FailureReason"] == "ClientError: See job logs for more information"
    assert outputs(real) == ["out/1.out", "out/2.out", "out/3.out"]
    assert output(real, "out/1.out").startswith(b"refused: ")
    told = [line.partition(": ")[2] for line in events(real, "/data-log")]
    assert f"{BUCKET}/in/0: ClientError: 418" in told
    assert f"{BUCKET}/in/0: no such column" in told
    assert left(real.engine, real.server.settings.home) == []


@pytest.mark.parametrize(
    ("image", "changes"),
    [(WITHOUT, {}), (SERVING, {"Environment": {"START": "fails"}})],
    ids=["no-serve", "ends-at-once"],
)
def test_a_container_that_does_not_serve_fails_the_job(
    real: RealLocal, image: str, changes: dict[str, Any]
) -> None:
    model(real, image=image, **changes)
    real.put("in/a", b"x")
    create(real)
    job = ended(real)
    assert job["FailureReason"] == "AlgorithmError: See job logs for more information"
    said = events(real)
    wanted = "cannot load the model" if changes else "executable file not found"
    assert any(wanted in line for line in said), said
    assert left(real.engine, real.server.settings.home) == []


def test_a_container_that_dies_fails_what_it_has(real: RealLocal) -> None:
    model(real)
    real.put("in/a", b"x")
    real.put("in/b", b"die")
    create(real)
    assert ended(real)["FailureReason"] == "AlgorithmError: See job logs for more information"
    assert outputs(real) == ["out/a.out"]
    assert f"{BUCKET}/in/b: Unable to get response from algorithm" in events(real, "/data-log")[-1]


def test_a_job_is_stopped_while_a_record_is_under_way(real: RealLocal) -> None:
    model(real)
    real.put("in/a", b"x")
    real.put("in/b", b"sleep 6")
    create(real)
    awaited(lambda: outputs(real) == ["out/a.out"])
    real.client("sagemaker").stop_transform_job(TransformJobName="job-1")
    assert ended(real)["TransformJobStatus"] == "Stopped"
    assert outputs(real) == ["out/a.out"]
    assert left(real.engine, real.server.settings.home) == []


def test_a_server_that_is_killed_goes_on_at_the_first_unfinished_object(
    home: Path, engine: Engine
) -> None:
    local = reach(home, engine)
    model(local)
    for key, data in (("a", b"which"), ("b", b"sleep 3"), ("c", b"x")):
        local.put(f"in/{key}", data)
    create(local)
    awaited(lambda: outputs(local) == ["out/a.out"])
    first = local.client("s3").head_object(Bucket=BUCKET, Key="out/a.out")["LastModified"]
    kill(home)
    local = reach(home, engine, bucket=False)
    assert ended(local)["TransformJobStatus"] == "Completed"
    assert outputs(local) == ["out/a.out", "out/b.out", "out/c.out"]
    again = local.client("s3").head_object(Bucket=BUCKET, Key="out/a.out")["LastModified"]
    assert again == first
    assert left(engine, home) == []


def test_payloads_go_through_all_containers_also_after_the_server_was_killed(
    home: Path, engine: Engine
) -> None:
    local = reach(home, engine)
    containers = [
        {"Image": SERVING, "ContainerHostname": name, "Environment": {"WHICH": name}}
        for name in ("clean", "predict")
    ]
    local.client("sagemaker").create_model(
        ModelName="model-1",
        Containers=containers,
        ExecutionRoleArn=ROLE,
        EnableNetworkIsolation=True,
    )
    objects = (
        ("a", b"pass which"),
        ("b", b"pass env"),
        ("c", b"pass fail 418"),
        ("d", b"pass sleep 3"),
        ("e", b"which"),
    )
    for key, data in objects:
        local.put(f"in/{key}", data)
    create(local)
    awaited(lambda: outputs(local) == ["out/a.out", "out/b.out"])
    kill(home)
    local = reach(home, engine, bucket=False)
    assert ended(local)["FailureReason"] == "ClientError: See job logs for more information"
    assert outputs(local) == [f"out/{each}.out" for each in "abde"]
    assert output(local, "out/a.out") == b"predict\n"
    assert output(local, "out/e.out") == b"clean\n"
    environment = json.loads(output(local, "out/b.out"))
    assert environment["SAGEMAKER_BATCH"] == "true"
    assert environment["SAGEMAKER_BIND_TO_PORT"] == "8081"
    where = f"{BUCKET}/in/c: "
    told = [line.partition("sagemaker logs]: ")[2] for line in events(local, "/data-log")]
    assert f"{where}ClientError: 418" in told
    assert f"{where}sagedock: this was container predict" in told
    for name in ("clean", "predict"):
        assert any(line.startswith("starting") for line in events(local, f"/{name}"))
    assert left(engine, home) == []
