"""Steps that register models, and make them."""

from typing import Any

import pytest

from sagedock.contract import paths
from sagedock.testing import Container
from tests.conftest import BUCKET, IMAGE, ROLE, Local
from tests.unit.local.pipelines.pipeline_world import World, fail, get, training

MODEL = get("Steps.train.ModelArtifacts.S3ModelArtifacts")


@pytest.fixture
def world(local: Local) -> World:
    def trained(container: Container) -> int:
        container.files[f"{paths.MODEL}/model.txt"] = b"weights"
        return 0

    local.engine.program = trained
    return World(local)


def register(name: str, model: Any = MODEL, **arguments: Any) -> dict[str, Any]:
    container = {"Image": IMAGE, "ModelDataUrl": model}
    specification = {
        "Containers": [container],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["application/json"],
    }
    return {
        "Name": name,
        "Type": "RegisterModel",
        "Arguments": {
            "ModelPackageGroupName": "digits",
            "InferenceSpecification": specification,
            "ModelApprovalStatus": "PendingManualApproval",
            **arguments,
        },
    }


def test_a_version_is_registered_in_a_group_that_is_made(world: World) -> None:
    """Source of who made it: row 134."""
    execution, steps = world.run(
        training("train"),
        register("first"),
        register("second", CustomerMetadataProperties={"a": "b"}),
    )
    assert execution["PipelineExecutionStatus"] == "Succeeded", steps
    arns = {steps[name]["Metadata"]["RegisterModel"]["Arn"] for name in ("first", "second")}
    listed = world.sagemaker.list_model_packages(ModelPackageGroupName="digits")
    assert {each["ModelPackageArn"] for each in listed["ModelPackageSummaryList"]} == arns
    for arn in arns:
        found = world.sagemaker.describe_model_package(ModelPackageName=arn)
        generated = found["MetadataProperties"]["GeneratedBy"]
        assert generated == execution["PipelineExecutionArn"]


def test_what_was_registered_is_referred_to(world: World) -> None:
    said = {"Std:Join": {"On": "", "Values": ["version ", get("Steps.one.ModelPackageVersion")]}}
    _, steps = world.run(training("train"), register("one"), fail("end", said))
    assert steps["end"]["FailureReason"] == "version 1"


def test_an_artefact_that_is_not_there_fails_the_step(world: World) -> None:
    """Source: row 154."""
    _, steps = world.run(register("one", f"s3://{BUCKET}/absent/model.tar.gz"))
    reason = steps["one"]["FailureReason"]
    assert "Failed to invoke sagemaker:CreateModelPackage. Error Details: " in reason
    assert BUCKET in reason


def test_a_model_is_made(world: World) -> None:
    step = {
        "Name": "make",
        "Type": "Model",
        "Arguments": {
            "PrimaryContainer": {"Image": IMAGE, "ModelDataUrl": MODEL},
            "ExecutionRoleArn": ROLE,
        },
    }
    execution, steps = world.run(training("train"), step, fail("end", get("Steps.make.ModelName")))
    name = steps["end"]["FailureReason"]
    assert steps["make"]["Metadata"]["Model"]["Arn"].endswith(f"model/{name.lower()}")
    assert name.startswith(
        f"pipelines-{execution['PipelineExecutionArn'].rpartition('/')[2]}-make-"
    )
    model = world.sagemaker.describe_model(ModelName=name)["PrimaryContainer"]["ModelDataUrl"]
    assert model == world.job_of(steps["train"])["ModelArtifacts"]["S3ModelArtifacts"]
