"""Multi-model endpoints and pipelines, with real containers of the serving image."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock import InvalidRequest, InvocationFailed, LocalSageMaker, Session
from sagedock.client import MultiModel
from sagedock.client.serializers import JSONDeserializer, JSONSerializer
from tests.conftest import BUCKET, REGION, ROLE
from tests.docker.conftest import RealLocal, leftovers
from tests.docker.hosting_real import awaited, settled
from tests.docker.test_client_serving import IMAGE
from tests.unit.local.hosting.hosting_local import archive
from tests.unit.local.hosting.test_hosting_metrics import statistics

#: A model is its code: how much it holds, and what it is called.
PROGRAM = """
def model_fn(model_dir):
    return bytearray(b"x") * ({mib} << 20)

def predict_fn(data, model):
    return [{name!r}, data]
"""
BROKEN = "def model_fn(model_dir): raise RuntimeError('no such layer')\n"
MEMORY_MIB = 640


def packed(name: str, mib: int = 1) -> bytes:
    return archive({"code/inference.py": PROGRAM.format(name=name, mib=mib).encode()})


@pytest.fixture
def small(tmp_path: Path, engine: Any) -> Iterator[RealLocal]:
    """A local SageMaker whose containers have little memory."""
    server = LocalSageMaker(
        home=tmp_path / "home",
        check_answers=True,
        shutdown_grace_s=1.0,
        container_memory_mib=MEMORY_MIB,
    )
    with server:
        made = RealLocal(server=server, engine=engine)
        made.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        yield made
    assert leftovers(engine, server) == []


def multi_model(local: RealLocal) -> MultiModel:
    session = Session(target="local", environ=local.server.environment(), show=lambda _: None)
    return MultiModel(
        image_uri=IMAGE,
        role=ROLE,
        model_data_prefix=f"s3://{BUCKET}/many",
        options={"environment": {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"}},
        session=session,
        show=lambda _: None,
    )


def test_models_come_and_go_by_the_memory_that_there_is(small: RealLocal, tmp_path: Path) -> None:
    for name in ("one", "two"):
        small.put(f"many/{name}.tar.gz", packed(name))
    small.put("many/broken.tar.gz", archive({"code/inference.py": BROKEN.encode()}))
    small.put("secret.tar.gz", packed("secret"))
    models = multi_model(small)
    predictor = models.deploy(
        1,
        "ml.m5.large",
        endpoint_name="endpoint-1",
        serializer=JSONSerializer(),
        deserializer=JSONDeserializer(),
    )

    def ask(target: str) -> Any:
        return predictor.predict(1, target_model=f"{target}.tar.gz")

    with ThreadPoolExecutor(4) as pool:  # loaded once each, though many ask at once
        assert list(pool.map(ask, ["one", "two"] * 4)) == [["one", 1], ["two", 1]] * 4
    awaited(lambda: (statistics(small, "ModelLoadingTime") or {}).get("SampleCount") == 2)
    (tmp_path / "later.tar.gz").write_bytes(packed("later"))
    assert models.add_model(tmp_path / "later.tar.gz") == "later.tar.gz"
    assert ask("later") == ["later", 1]
    assert sorted(models.list_models()) == [
        f"{n}.tar.gz" for n in ("broken", "later", "one", "two")
    ]

    with pytest.raises(InvocationFailed, match="no such layer") as failed:
        ask("broken")
    assert failed.value.status == 500
    for hostile in ("../secret", "absent", "one/../../secret"):
        with pytest.raises(InvalidRequest):
            ask(hostile)

    for name in ("large", "larger"):  # each has room; both have none, whatever else there is
        small.put(f"many/{name}.tar.gz", packed(name, mib=MEMORY_MIB * 52 // 100))
    for name in ("large", "larger", "large", "one"):
        assert ask(name) == [name, 1]
    small.put("many/huge.tar.gz", packed("huge", mib=4 * MEMORY_MIB))
    with pytest.raises(InvocationFailed) as failed:
        ask("huge")
    assert failed.value.status == 507
    assert ask("two") == ["two", 1]
    predictor.delete_endpoint()
    awaited(lambda: not small.client("sagemaker").list_endpoints()["Endpoints"])


def test_a_pipeline_and_direct_invocation(real: RealLocal) -> None:
    def container(name: str) -> dict[str, Any]:
        uri = real.put(f"{name}.tar.gz", packed(name))
        return {
            "Image": IMAGE,
            "ContainerHostname": name,
            "ModelDataUrl": uri,
            "Environment": {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"},
        }

    containers = [container("first"), container("second")]
    sagemaker, runtime = real.client("sagemaker"), real.client("sagemaker-runtime")
    for mode in ("Serial", "Direct"):
        sagemaker.create_model(
            ModelName=mode,
            Containers=containers,
            InferenceExecutionConfig={"Mode": mode},
            ExecutionRoleArn=ROLE,
        )
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": mode,
            "InitialInstanceCount": 1,
            "InstanceType": "ml.m5.large",
        }
        sagemaker.create_endpoint_config(EndpointConfigName=mode, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="endpoint-1", EndpointConfigName="Serial")
    assert settled(real)["EndpointStatus"] == "InService"

    def ask(**more: Any) -> Any:
        answer = runtime.invoke_endpoint(
            EndpointName="endpoint-1", Body=b"1", ContentType="application/json", **more
        )
        return json.loads(answer["Body"].read())

    assert ask() == ["second", ["first", 1]]
    logs = real.client("logs")
    streams = logs.describe_log_streams(logGroupName="/aws/sagemaker/Endpoints/endpoint-1")
    names = [each["logStreamName"].split("/") for each in streams["logStreams"]]
    assert sorted(name for _, _, name in names) == ["first", "second"]
    sagemaker.update_endpoint(EndpointName="endpoint-1", EndpointConfigName="Direct")
    assert settled(real)["EndpointConfigName"] == "Direct"
    assert ask(TargetContainerHostname="first") == ["first", 1]
    assert ask(TargetContainerHostname="second") == ["second", 1]
    with pytest.raises(ClientError, match="missing a target container hostname header"):
        ask()
