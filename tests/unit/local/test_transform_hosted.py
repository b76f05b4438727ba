"""Transform jobs of a whole local SageMaker, as boto3 asks for them: models made by CreateModel."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock import LocalSageMaker
from sagedock.local.home import DATABASE
from sagedock.local.platform import home_id
from sagedock.testing import Call, Container, FakeEngine, Reply, serving
from tests.conftest import BUCKET, IMAGE, REGION, Local
from tests.unit.local.hosting.hosting_local import create_model, put_model


def upper(call: Call) -> Reply:
    """A model that answers in capitals."""
    return (
        Reply(status=404)
        if call.method == "GET" and call.path != "/ping"
        else Reply(body=call.body.upper())
    )


@contextmanager
def opened(home: Path, **settings: Any) -> Iterator[Local]:
    """A local SageMaker with an object to transform."""
    engine = FakeEngine(serving(upper), images=[IMAGE])
    with LocalSageMaker(
        home=home, engine=engine, check_answers=True, shutdown_grace_s=0.2, **settings
    ) as server:
        made = Local(server=server, engine=engine)
        s3 = made.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_object(Bucket=BUCKET, Key="in/a.txt", Body=b"one\ntwo\n")
        yield made


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    with opened(tmp_path / "home") as made:
        yield made


def create(local: Local, name: str = "job-1", **changes: Any) -> str:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/in/"}
    request = {
        "TransformJobName": name,
        "ModelName": "model-1",
        "TransformInput": {"DataSource": {"S3DataSource": source}, "SplitType": "Line"},
        "TransformOutput": {"S3OutputPath": f"s3://{BUCKET}/out"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **changes,
    }
    return str(local.client("sagemaker").create_transform_job(**request)["TransformJobArn"])


def ended(local: Local, name: str = "job-1") -> Any:
    sagemaker = local.client("sagemaker")

    def found() -> Any:
        return sagemaker.describe_transform_job(TransformJobName=name)

    awaited(lambda: "TransformEndTime" in found())
    return found()


def awaited(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not true():
        assert time.monotonic() < ends
        time.sleep(0.01)


def output(local: Local, key: str = "out/a.txt.out") -> bytes:
    answer = local.client("s3").get_object(Bucket=BUCKET, Key=key)
    return bytes(answer["Body"].read())


def is_clean(local: Local) -> bool:
    labels = {"sagedock.home": home_id(local.server.settings.home), "sagedock.transform": ""}
    return not local.engine.containers(labels) and not local.engine.networks(labels)


def test_a_model_of_create_model_transforms(local: Local) -> None:
    seen: list[Container] = []

    def program(container: Container) -> int:
        seen.append(container)
        return serving(upper)(container)

    local.engine.program = program
    create_model(
        local,
        ModelDataUrl=put_model(local, {"weights.bin": b"42"}),
        Environment={"BOTH": "model", "OF_MODEL": "1"},
    )
    create(local, Environment={"BOTH": "job"})
    assert ended(local)["TransformJobStatus"] == "Completed"
    assert output(local) == b"ONE\nTWO\n"
    (container,) = seen
    spec = container.spec
    assert spec.command == ("serve",)
    assert container.files["/opt/ml/model/weights.bin"] == b"42"
    assert all(bind.read_only for bind in spec.binds)
    wanted = {"BOTH": "job", "OF_MODEL": "1", "SAGEMAKER_BATCH": "true", "AWS_REGION": REGION}
    assert wanted.items() <= dict(spec.environment).items()
    assert spec.labels["sagedock.transform"] == "job-1"
    awaited(lambda: is_clean(local))
    awaited(lambda: not list((local.server.settings.home / "transforms").rglob("*.bin")))


def test_a_model_may_be_deleted_once_the_job_is_created(local: Local) -> None:
    over = threading.Event()

    def slowly(call: Call) -> Reply:
        return upper(call) if call.path != "/invocations" or over.wait(60) else Reply(status=500)

    local.engine.program = serving(slowly)
    create_model(local)
    create(local)
    local.client("sagemaker").delete_model(ModelName="model-1")
    over.set()
    assert ended(local)["TransformJobStatus"] == "Completed"


def test_an_isolated_model_has_a_network_of_its_own_that_goes(local: Local) -> None:
    networks: list[str] = []
    local.engine.program = lambda container: (
        networks.append(container.spec.network) or serving(upper)(container)
    )
    sagemaker = local.client("sagemaker")
    sagemaker.create_model(
        ModelName="model-1",
        PrimaryContainer={"Image": IMAGE},
        ExecutionRoleArn="arn:aws:iam::123456789012:role/sagedock",
        EnableNetworkIsolation=True,
    )
    create(local, TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 2})
    assert ended(local)["TransformJobStatus"] == "Completed"
    assert len(set(networks)) == 1
    assert "-transform-job-1" in networks[0]
    awaited(lambda: is_clean(local))


def test_model_data_that_is_gone_fails_the_job_and_says_so(local: Local) -> None:
    create_model(local, ModelDataUrl=put_model(local))
    local.client("s3").delete_object(Bucket=BUCKET, Key="models/model.tar.gz")
    create(local)
    job = ended(local)
    assert job["FailureReason"].startswith("ClientError: Could not access model data at ")
    awaited(lambda: is_clean(local))


def test_an_image_that_is_gone_fails_the_job(local: Local) -> None:
    create_model(local)
    local.engine.images.clear()
    create(local)
    assert ended(local)["FailureReason"].startswith("ClientError: Cannot pull algorithm container")


@pytest.mark.parametrize(
    "program",
    [pytest.param(serving(lambda _: Reply(status=500)), id="sick"), lambda _: 3],
)
def test_a_container_that_is_not_healthy_fails_the_job(
    tmp_path: Path, program: Callable[[Container], int]
) -> None:
    with opened(tmp_path / "home", endpoint_startup_s=0.5) as local:
        local.engine.program = program
        create_model(local)
        create(local)
        job = ended(local)
        assert job["FailureReason"] == "AlgorithmError: See job logs for more information"
        assert "TransformStartTime" not in job
        awaited(lambda: is_clean(local))


def test_a_container_that_cannot_start_fails_the_job(local: Local) -> None:
    local.engine.program = None
    create_model(local)
    create(local)
    job = ended(local)
    assert job["FailureReason"] == "AlgorithmError: See job logs for more information"
    logs = local.client("logs").filter_log_events(logGroupName="/aws/sagemaker/TransformJobs")
    assert "exec: no such program" in logs["events"][0]["message"]
    awaited(lambda: is_clean(local))


def test_tags_are_the_jobs_and_its_arn_is_lower_cased(local: Local) -> None:
    create_model(local)
    arn = create(local, "Job-1", Tags=[{"Key": "team", "Value": "a"}])
    assert arn.endswith(":transform-job/job-1")
    sagemaker = local.client("sagemaker")
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "a"}]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "x", "Value": "y"}])
    assert len(sagemaker.list_tags(ResourceArn=arn)["Tags"]) == 2
    with pytest.raises(ClientError, match="already exists"):
        create(local, "JOB-1")
    assert ended(local, "Job-1")["TransformJobName"] == "Job-1"


def test_what_is_not_carried_out_is_refused_by_name(local: Local) -> None:
    create_model(local)
    with pytest.raises(ClientError) as caught:
        create(local, DataCaptureConfig={"DestinationS3Uri": f"s3://{BUCKET}/captured"})
    assert "The local SageMaker cannot carry out: DataCaptureConfig" in str(caught.value)
    assert local.client("sagemaker").list_transform_jobs()["TransformJobSummaries"] == []


def test_a_server_that_ends_stops_its_jobs(tmp_path: Path) -> None:
    begun, over = threading.Event(), threading.Event()

    def hangs(call: Call) -> Reply:
        if call.path == "/invocations":
            begun.set()
            over.wait(60)
        return upper(call)

    home = tmp_path / "home"
    for _ in range(2):
        engine = FakeEngine(serving(hangs), images=[IMAGE])
        with LocalSageMaker(home=home, engine=engine, shutdown_grace_s=0.2) as server:
            local = Local(server=server, engine=engine)
            if not begun.is_set():
                local.client("s3").create_bucket(
                    Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
                )
                local.client("s3").put_object(Bucket=BUCKET, Key="in/a.txt", Body=b"x")
                create_model(local)
                create(local)
                assert begun.wait(60)
            else:
                assert ended(local)["TransformJobStatus"] == "Stopped"
        over.set()


def test_a_job_whose_tags_cannot_be_stored_is_not_there(local: Local) -> None:
    create_model(local)
    with closing(sqlite3.connect(local.server.settings.home / DATABASE)) as database:
        database.execute(
            "CREATE TRIGGER full BEFORE INSERT ON tags BEGIN SELECT RAISE(FAIL, 'full'); END"
        )
    with pytest.raises(ClientError, match="InternalFailure"):
        create(local, Tags=[{"Key": "a", "Value": "b"}])
    assert local.client("sagemaker").list_transform_jobs()["TransformJobSummaries"] == []
