"""What an image's name means: the engine's image, else the one that was pushed."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock import LocalSageMaker
from sagedock.errors import ImageNotFound
from sagedock.local import clean
from sagedock.testing import Reply, serving
from tests.conftest import ACCOUNT, BUCKET, REGION, ROLE, Local
from tests.unit.local.ecr.docker_client import NAME, Docker, digest, needs_registry

pytestmark = needs_registry
URI = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{NAME}"


class Pushed:
    """An image in the local ECR, which the engine can pull, and lacks."""

    def __init__(self, local: Local) -> None:
        local.client("ecr").create_repository(repositoryName=NAME)
        docker = Docker(local)
        manifest = docker.manifest(b"layer")
        docker.put(manifest, "1")
        self.digest = digest(manifest)
        self.id = json.loads(manifest)["config"]["digest"]
        host = local.server.endpoint_url.partition("//")[2]
        self.reference = f"{host}/{NAME}@{self.digest}"
        local.engine.registry[self.reference] = self.id


@pytest.fixture
def pushed(local: Local) -> Pushed:
    return Pushed(local)


def training(image: str, **changes: Any) -> dict[str, Any]:
    algorithm = {"TrainingImage": image, "TrainingInputMode": "File"}
    return {"AlgorithmSpecification": algorithm, **changes}


@pytest.mark.parametrize("by", ["tag", "digest"])
def test_a_job_s_image_is_pulled_when_its_container_is_made(
    local: Local, pushed: Pushed, by: str
) -> None:
    seen: list[str] = []
    image = f"{URI}:1" if by == "tag" else f"{URI}@{pushed.digest}"
    ended = local.run(lambda container: seen.append(container.spec.image) or 0, **training(image))
    assert ended["TrainingJobStatus"] == "Completed"
    assert seen == [pushed.id]
    name = f"{URI}:{pushed.digest.replace(':', '-')}"
    assert local.engine.image(name).id == pushed.id
    assert f"{URI}:1" not in local.engine.images
    assert pushed.reference not in local.engine.images


def test_the_engine_s_own_image_comes_first(local: Local, pushed: Pushed) -> None:
    local.engine.images.add(f"{NAME}:1")
    seen: list[str] = []
    local.run(lambda container: seen.append(container.spec.image) or 0, **training(f"{URI}:1"))
    assert seen == [local.engine.image(f"{NAME}:1").id]


def test_an_image_that_the_engine_has_by_another_name_is_not_pulled(
    local: Local, pushed: Pushed
) -> None:
    local.engine.tag(pushed.id, "my-own-name:1")
    del local.engine.registry[pushed.reference]
    assert local.run(**training(f"{URI}@{pushed.digest}"))["TrainingJobStatus"] == "Completed"


@pytest.mark.parametrize(
    "image",
    [
        f"{URI}:2",
        f"{URI}@sha256:{'0' * 64}",
        f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/{NAME}:1",
        f"999999999999.dkr.ecr.{REGION}.amazonaws.com/{NAME}:1",
    ],
)
def test_what_was_not_pushed_is_refused(local: Local, pushed: Pushed, image: str) -> None:
    request = local.job(**training(image))
    with pytest.raises(ClientError, match="Cannot find the requested image"):
        local.client("sagemaker").create_training_job(**request)


def test_a_pull_that_fails_fails_the_job(local: Local, pushed: Pushed) -> None:
    del local.engine.registry[pushed.reference]
    ended = local.run(**training(f"{URI}:1"))
    assert ended["TrainingJobStatus"] == "Failed"
    assert "Cannot pull algorithm container" in ended["FailureReason"]
    with pytest.raises(ImageNotFound):
        local.engine.image(pushed.id)


def test_a_model_is_made_of_an_image_that_nobody_has_pulled(local: Local, pushed: Pushed) -> None:
    sagemaker = local.client("sagemaker")
    sagemaker.create_model(
        ModelName="m", PrimaryContainer={"Image": f"{URI}:1"}, ExecutionRoleArn=ROLE
    )
    local.client("s3").put_object(Bucket=BUCKET, Key="many/x", Body=b"")
    many = {"Image": f"{URI}:1", "Mode": "MultiModel", "ModelDataUrl": f"s3://{BUCKET}/many/"}
    with pytest.raises(ClientError, match="multi-models=true"):  # its labels are known
        sagemaker.create_model(ModelName="n", PrimaryContainer=many, ExecutionRoleArn=ROLE)
    assert pushed.reference not in local.engine.images


def test_an_endpoint_s_image_is_pulled_when_its_container_is_made(
    local: Local, pushed: Pushed
) -> None:
    local.engine.program = serving(lambda _: Reply())
    sagemaker = local.client("sagemaker")
    image = f"{URI}:1"
    sagemaker.create_model(ModelName="m", PrimaryContainer={"Image": image}, ExecutionRoleArn=ROLE)
    variant = {
        "VariantName": "v",
        "ModelName": "m",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
    ends = time.monotonic() + 60
    while (found := sagemaker.describe_endpoint(EndpointName="e"))["EndpointStatus"] == "Creating":
        assert time.monotonic() < ends
        time.sleep(0.02)
    assert found["EndpointStatus"] == "InService", found.get("FailureReason")
    (deployed,) = found["ProductionVariants"][0]["DeployedImages"]
    assert deployed["SpecifiedImage"] == image
    assert deployed["ResolvedImage"] == f"{URI}@{pushed.digest}"
    assert {each.spec.image for each in local.engine.all.values()} == {pushed.id}
    assert local.client("sagemaker-runtime").invoke_endpoint(EndpointName="e", Body=b"x")


def test_an_image_that_was_pushed_to_several_regions_has_the_name_of_each(
    local: Local, pushed: Pushed
) -> None:
    region = "eu-west-1"
    local.client("ecr", region).create_repository(repositoryName="other")
    docker = Docker(local, region)
    manifest = docker.manifest(b"layer", name="other")
    docker.put(manifest, "2", "other")
    assert digest(manifest) == pushed.digest
    host = pushed.reference.partition("/")[0]
    local.engine.registry[f"{host}/other@{pushed.digest}"] = pushed.id

    assert local.run(**training(f"{URI}:1"))["TrainingJobStatus"] == "Completed"

    tag = pushed.digest.replace(":", "-")
    elsewhere = f"{ACCOUNT}.dkr.ecr.{region}.amazonaws.com/other:{tag}"
    for name in (f"{URI}:{tag}", elsewhere):
        assert local.engine.image(name).id == pushed.id
    assert not any("127.0.0.1" in name for name in local.engine.images)


@pytest.mark.parametrize("user_s", [None, "my-own-name:1"])
def test_clean_takes_away_what_a_job_pulled(
    local: Local, pushed: Pushed, user_s: str | None
) -> None:
    before = set(local.engine.images)
    assert local.run(**training(f"{URI}:1"))["TrainingJobStatus"] == "Completed"
    if user_s:
        local.engine.tag(pushed.id, user_s)
    local.server.stop()
    home = local.server.settings.home
    said: list[str] = []
    clean(home, None, said.append)
    assert "no engine answers" in said[0]
    assert local.engine.image(pushed.id)
    clean(home, local.engine, said.append)
    assert local.engine.images == before | ({user_s} if user_s else set())
    assert not home.exists()


class SlowPulls:
    """A fake engine whose pulls take until ``go_on``."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.pulls = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def pull(self, *words: Any, **more: Any) -> Any:
        self.pulls += 1
        self.begun.set()
        assert self.go_on.wait(60)
        return self._engine.pull(*words, **more)


@dataclass(frozen=True)
class Slow:
    """A local SageMaker with such an engine, and an image in its ECR."""

    engine: SlowPulls
    local: Local
    image: str


@pytest.fixture
def slow(local: Local) -> Iterator[Slow]:
    engine = SlowPulls(local.engine)
    home = local.server.settings.home.parent / "other"
    with LocalSageMaker(home=home, engine=engine) as server:
        other = Local(server=server, engine=local.engine)
        image = f"{URI}@{Pushed(other).digest}"
        other.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield Slow(engine, other, image)
        engine.go_on.set()


def test_a_long_pull_keeps_nobody_else_waiting(slow: Slow) -> None:
    sagemaker = slow.local.client("sagemaker")
    sagemaker.create_training_job(**slow.local.job(TrainingJobName="slow", **training(slow.image)))
    assert slow.engine.begun.wait(60)
    assert slow.local.run(TrainingJobName="quick")["TrainingJobStatus"] == "Completed"
    slow.engine.go_on.set()
    assert slow.local.ended("slow")["TrainingJobStatus"] == "Completed"


def test_a_job_stops_while_its_image_is_pulled_and_the_next_one_waits_for_the_same_pull(
    slow: Slow,
) -> None:
    sagemaker = slow.local.client("sagemaker")
    for name in ("stopped", "next"):
        sagemaker.create_training_job(
            **slow.local.job(TrainingJobName=name, **training(slow.image))
        )
    assert slow.engine.begun.wait(60)
    sagemaker.stop_training_job(TrainingJobName="stopped")
    assert slow.local.ended("stopped")["TrainingJobStatus"] == "Stopped"
    assert not slow.engine.go_on.is_set()
    slow.engine.go_on.set()
    assert slow.local.ended("next")["TrainingJobStatus"] == "Completed"
    assert slow.engine.pulls == 1


def test_a_server_ends_while_the_image_of_an_endpoint_is_pulled(slow: Slow) -> None:
    sagemaker = slow.local.client("sagemaker")
    container = {"Image": slow.image}
    sagemaker.create_model(ModelName="m", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    sagemaker.create_endpoint_config(
        EndpointConfigName="c",
        ProductionVariants=[
            {
                "VariantName": "a",
                "ModelName": "m",
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
            }
        ],
    )
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
    assert slow.engine.begun.wait(60)
    slow.local.server.stop()
    assert not slow.engine.go_on.is_set()
