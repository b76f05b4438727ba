"""The AWS CLI: endpoints and transform jobs of the serving image, made, called, deleted."""

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import ACCOUNT, REGION, ROLE
from tests.clients.shell import Shell

pytestmark = pytest.mark.slow
BUCKET = "cli-serving"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/sagedock-serving:cpu"
PROGRAM = """
def model_fn(model_dir):
    return open(f"{model_dir}/greeting.txt").read()

def input_fn(data, content_type):
    return data.decode()

def predict_fn(name, model):
    return f"{model}, {name.strip()}"
"""


@pytest.fixture(scope="module")
def model(shell: Shell) -> str:
    """A model in S3, by the CLI."""
    code = shell.folder / "inference.py"
    code.write_text(PROGRAM)
    (shell.folder / "greeting.txt").write_text("hello")
    with tarfile.open(shell.folder / "model.tar.gz", "w:gz") as packed:
        packed.add(code, "code/inference.py")
        packed.add(shell.folder / "greeting.txt", "greeting.txt")
    shell.aws("s3", "mb", f"s3://{BUCKET}")
    shell.aws("s3", "cp", "model.tar.gz", f"s3://{BUCKET}/model.tar.gz")
    container = f"Image={IMAGE},ModelDataUrl=s3://{BUCKET}/model.tar.gz"
    made = shell.asked(
        *("sagemaker", "create-model", "--model-name", "greets", "--execution-role-arn", ROLE),
        *("--primary-container", container),
    )
    assert made == {"ModelArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model/greets"}
    return "greets"


def until_in_service(shell: Shell, endpoint: str, instances: int = 1) -> Any:
    """Wait until an endpoint is InService with so many instances of its variant."""

    def true(found: Any) -> bool:
        assert found["EndpointStatus"] in ("Creating", "Updating", "InService"), found
        return bool(
            found["EndpointStatus"] == "InService"
            and found["ProductionVariants"][0]["CurrentInstanceCount"] == instances
        )

    return shell.awaited(true, "describe-endpoint", "--endpoint-name", endpoint)


def test_an_endpoint_is_made_invoked_scaled_and_deleted(shell: Shell, model: str) -> None:
    variant = (
        f"VariantName=AllTraffic,ModelName={model},InitialInstanceCount=1,InstanceType=ml.m5.large"
    )
    name = ("--endpoint-name", "greets")
    config = ("--endpoint-config-name", "greets")
    shell.aws("sagemaker", "create-endpoint-config", *config, "--production-variants", variant)
    shell.aws("sagemaker", "create-endpoint", *name, *config)
    until_in_service(shell, "greets")  # the CLI's waiter asks every 30 seconds
    assert shell.aws("sagemaker", "wait", "endpoint-in-service", *name) == ""
    body = shell.folder / "name.txt"
    body.write_text("anne")
    # Version 2 wants base64 unless it is told otherwise; a file of bytes is both's.
    told = shell.asked(
        *("sagemaker-runtime", "invoke-endpoint", *name, "--content-type", "text/plain"),
        *("--accept", "text/plain", "--body", f"fileb://{body}", "answer.txt"),
    )
    assert told["InvokedProductionVariant"] == "AllTraffic"
    assert (shell.folder / "answer.txt").read_text() == "hello, anne"
    scaled(shell, "endpoint/greets/variant/AllTraffic")
    listed = shell.aws(
        *("sagemaker", "list-endpoints", "--status-equals", "InService"),
        *("--query", "Endpoints[].EndpointName", "--output", "text"),
    )
    assert listed.split() == ["greets"]
    shell.aws("sagemaker", "delete-endpoint", *name)
    assert shell.aws("sagemaker", "wait", "endpoint-deleted", *name) == ""
    shell.aws("sagemaker", "delete-endpoint-config", *config)


def scaled(shell: Shell, resource: str) -> None:
    """Give the endpoint two instances by its scalable target, and look at the activity."""
    target = (
        *("--service-namespace", "sagemaker", "--resource-id", resource),
        *("--scalable-dimension", "sagemaker:variant:DesiredInstanceCount"),
    )
    shell.aws(
        *("application-autoscaling", "register-scalable-target", *target),
        *("--min-capacity", "2", "--max-capacity", "3"),
    )
    policy = {
        "TargetValue": 70.0,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
        },
    }
    put = shell.asked(
        *("application-autoscaling", "put-scaling-policy", *target, "--policy-name", "keep"),
        *("--policy-type", "TargetTrackingScaling"),
        *("--target-tracking-scaling-policy-configuration", json.dumps(policy)),
    )
    assert "policyName/keep" in put["PolicyARN"]
    until_in_service(shell, "greets", instances=2)


def test_a_transform_job_is_made_awaited_and_read(shell: Shell, model: str) -> None:
    (shell.folder / "names.txt").write_text("anne\nbob\n")
    shell.aws("s3", "cp", "names.txt", f"s3://{BUCKET}/names/names.txt")
    source = f"S3DataSource={{S3DataType=S3Prefix,S3Uri=s3://{BUCKET}/names/}}"
    job = ("--transform-job-name", "greets-all")
    shell.aws(
        *("sagemaker", "create-transform-job", *job, "--model-name", model),
        *("--transform-input", f"DataSource={{{source}}},ContentType=text/plain,SplitType=Line"),
        *("--transform-output", f"S3OutputPath=s3://{BUCKET}/greeted,AssembleWith=Line"),
        *("--transform-resources", "InstanceType=ml.m5.large,InstanceCount=1"),
        *("--batch-strategy", "SingleRecord"),
    )
    found = shell.awaited(
        lambda told: told["TransformJobStatus"] != "InProgress", "describe-transform-job", *job
    )
    assert found["TransformJobStatus"] == "Completed", found
    shell.aws("s3", "cp", f"s3://{BUCKET}/greeted/names.txt.out", "answers.txt")
    lines = Path(shell.folder, "answers.txt").read_text().splitlines()
    assert [line.strip('"') for line in lines] == ["hello, anne", "hello, bob"]
