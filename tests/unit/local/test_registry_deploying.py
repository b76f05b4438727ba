"""Models of model packages: created, deployed, transformed with, refused."""

from typing import Any

import pytest

from sagedock.testing import Call, Reply, serving
from tests.conftest import ACCOUNT, BUCKET, IMAGE, REGION, ROLE, Local
from tests.unit.local.hosting.components_local import NEEDS, deployed, host
from tests.unit.local.hosting.conftest import local
from tests.unit.local.hosting.hosting_local import (
    archive,
    create_config,
    create_endpoint,
    invoke,
    settled,
    variant,
)
from tests.unit.local.hosting.test_hosting_models import refused
from tests.unit.local.registry_calls import (
    DATA,
    create_group,
    put_data,
    register,
    specification,
    unversioned,
)

__all__ = ["local"]

ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:model-package/models"


@pytest.fixture
def group(local: Local) -> Local:
    put_data(local, archive({"weights.bin": b"1234"}))
    create_group(local)
    return local


def create_model(local: Local, package: str, name: str = "model-1", **changes: Any) -> None:
    local.client("sagemaker").create_model(
        ModelName=name,
        PrimaryContainer={"ModelPackageName": package, **changes},
        ExecutionRoleArn=ROLE,
    )


def test_an_approved_version_answers_at_an_endpoint(group: Local) -> None:
    arn = register(
        group,
        InferenceSpecification=specification(Environment={"A": "package", "B": "package"}),
        ModelApprovalStatus="Approved",
    )
    create_model(group, arn, Environment={"A": "model"})
    found = group.client("sagemaker").describe_model(ModelName="model-1")
    assert found["PrimaryContainer"]["ModelPackageName"] == arn
    assert "Image" not in found["PrimaryContainer"]
    create_config(group)
    create_endpoint(group)
    assert settled(group)["EndpointStatus"] == "InService"
    assert invoke(group, b"1,2")["Body"] == b"1,2"
    (container,) = group.engine.all.values()
    assert container.spec.environment["A"] == "model"
    assert container.spec.environment["B"] == "package"
    assert container.files["/opt/ml/model/weights.bin"] == b"1234"


def test_a_version_keeps_its_image_when_the_tag_moves(group: Local) -> None:
    group.engine.program = serving(lambda call: Reply(body=b"" if call.path == "/ping" else b"x"))
    before = group.engine.image(IMAGE).id
    arn = register(group, ModelApprovalStatus="Approved")
    group.engine.rebuild(IMAGE)
    assert group.engine.image(IMAGE).id != before
    create_model(group, arn)
    create_config(group)
    create_endpoint(group)
    assert settled(group)["EndpointStatus"] == "InService"
    (container,) = group.engine.all.values()
    assert container.spec.image == before
    (deployed,) = group.client("sagemaker").describe_endpoint(EndpointName="endpoint-1")[
        "ProductionVariants"
    ][0]["DeployedImages"]
    assert deployed["ResolvedImage"].endswith(before)


@pytest.mark.parametrize("status", ["PendingManualApproval", "Rejected"])
def test_a_version_must_be_approved(group: Local, status: str) -> None:
    arn = register(group, ModelApprovalStatus=status)
    told = refused(
        group.client("sagemaker").create_model,
        ModelName="m",
        PrimaryContainer={"ModelPackageName": arn},
    )
    assert told == (
        f"ModelPackage {arn} cannot be deployed: its ModelApprovalStatus is {status}, and must be "
        "Approved."
    )
    assert group.client("sagemaker").list_models()["Models"] == []


def test_a_version_that_is_rejected_or_gone_is_not_deployed(group: Local) -> None:
    sagemaker = group.client("sagemaker")
    arn = register(group, ModelApprovalStatus="Approved")
    create_model(group, arn)
    create_config(group)
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")
    asked = {"EndpointName": "e", "EndpointConfigName": "config-1"}
    assert "must be Approved" in refused(sagemaker.create_endpoint, **asked)
    sagemaker.delete_model_package(ModelPackageName=arn)
    told = refused(sagemaker.create_endpoint, **asked)
    assert told == f"ModelPackage {arn} does not exist."
    assert sagemaker.list_endpoints()["Endpoints"] == []


def test_a_named_specification_is_deployed(group: Local) -> None:
    other = f"s3://{BUCKET}/models/other.tar.gz"
    group.client("s3").put_object(
        Bucket=BUCKET, Key="models/other.tar.gz", Body=archive({"other.bin": b"5"})
    )
    more = [{"Name": "other", "Containers": specification(ModelDataUrl=other)["Containers"]}]
    arn = register(group, AdditionalInferenceSpecifications=more, ModelApprovalStatus="Approved")
    told = refused(
        group.client("sagemaker").create_model,
        ModelName="m",
        PrimaryContainer={"ModelPackageName": arn, "InferenceSpecificationName": "none"},
    )
    assert told == f"ModelPackage {arn} has no additional inference specification none."
    create_model(group, arn, InferenceSpecificationName="other")
    create_config(group)
    create_endpoint(group)
    assert settled(group)["EndpointStatus"] == "InService"
    (container,) = group.engine.all.values()
    assert "/opt/ml/model/other.bin" in container.files


def test_a_package_of_several_containers_is_a_pipeline(group: Local) -> None:
    group.engine.labels = {"com.amazonaws.sagemaker.capabilities.accept-bind-to-port": "true"}
    group.engine.program = serving(_adding)
    container = specification()["Containers"][0]
    two = {"Containers": [container, container]}
    arn = register(group, InferenceSpecification=two, ModelApprovalStatus="Approved")
    create_model(group, arn)
    create_config(group)
    create_endpoint(group)
    assert settled(group)["EndpointStatus"] == "InService"
    assert invoke(group, b"a")["Body"] == b"a++"


def _adding(call: Call) -> Reply:
    return Reply(body=b"" if call.path == "/ping" else call.body + b"+")


def test_an_inference_component_is_of_an_approved_version(group: Local) -> None:
    arn = register(group, ModelApprovalStatus="Approved")
    create_model(group, arn, "packaged")
    host(group)
    found = deployed(group, ModelName="packaged")
    assert found["InferenceComponentStatus"] == "InService"
    sagemaker = group.client("sagemaker")
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")
    told = refused(
        sagemaker.create_inference_component,
        InferenceComponentName="second",
        EndpointName="endpoint-1",
        VariantName="AllTraffic",
        Specification={"ModelName": "packaged", "ComputeResourceRequirements": NEEDS},
        RuntimeConfig={"CopyCount": 1},
    )
    assert "must be Approved" in told


def test_a_package_without_version_needs_no_approval(group: Local) -> None:
    group.client("sagemaker").create_model_package(**unversioned())
    create_model(group, "Alone")
    create_config(group)
    create_endpoint(group)
    assert settled(group)["EndpointStatus"] == "InService"


@pytest.mark.parametrize(
    ("container", "told"),
    [
        ({"ModelPackageName": f"{ARN}/7"}, f"ModelPackage {ARN}/7 does not exist."),
        (
            {"ModelPackageName": f"{ARN}/7", "Image": IMAGE},
            "A container definition with a ModelPackageName cannot provide an Image or model data.",
        ),
        (
            {"ModelPackageName": f"{ARN}/7", "ModelDataUrl": DATA},
            "A container definition with a ModelPackageName cannot provide an Image or model data.",
        ),
    ],
)
def test_a_model_that_cannot_be_made_of_a_package(
    group: Local, container: dict[str, Any], told: str
) -> None:
    sagemaker = group.client("sagemaker")
    assert refused(sagemaker.create_model, ModelName="m", PrimaryContainer=container) == told


def test_a_version_without_a_specification_is_not_deployed(group: Local) -> None:
    arn = register(group, InferenceSpecification=None, ModelApprovalStatus="Approved")
    sagemaker = group.client("sagemaker")
    told = refused(
        sagemaker.create_model, ModelName="m", PrimaryContainer={"ModelPackageName": arn}
    )
    assert told == f"ModelPackage {arn} has no InferenceSpecification to deploy."


def test_a_serverless_variant_excludes_what_the_package_has(group: Local) -> None:
    source = {
        "S3DataSource": {
            "S3Uri": DATA, "S3DataType": "S3Object", "CompressionType": "Gzip",
        }
    }  # fmt: skip
    arn = register(
        group,
        InferenceSpecification=specification(ModelDataUrl=None, ModelDataSource=source),
        ModelApprovalStatus="Approved",
    )
    create_model(group, arn)
    serverless = variant(ServerlessConfig={"MemorySizeInMB": 1024, "MaxConcurrency": 1})
    for name in ("InitialInstanceCount", "InstanceType"):
        del serverless[name]
    told = refused(
        group.client("sagemaker").create_endpoint_config,
        EndpointConfigName="c",
        ProductionVariants=[serverless],
    )
    assert told.startswith("Model with containers that use ModelDataSource")


def test_a_transform_job_runs_an_approved_version(group: Local) -> None:
    sagemaker, s3 = group.client("sagemaker"), group.client("s3")
    arn = register(group, ModelApprovalStatus="Approved")
    create_model(group, arn)
    s3.put_object(Bucket=BUCKET, Key="in/a.csv", Body=b"1,2\n")
    sagemaker.create_transform_job(
        TransformJobName="job",
        ModelName="model-1",
        TransformInput={
            "DataSource": {
                "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/in/"}
            }
        },
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/out/"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    sagemaker.get_waiter("transform_job_completed_or_stopped").wait(
        TransformJobName="job", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    found = s3.get_object(Bucket=BUCKET, Key="out/a.csv.out")["Body"].read()
    assert found == b"1,2\n"
