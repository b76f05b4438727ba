"""Register, approve and deploy a model with the resources of the SageMaker SDK v3.

    python registry.py IMAGE ROLE

Prints what came of it as one line of JSON, last.
"""

import json
import sys
import tarfile
import tempfile
from pathlib import Path

import boto3
from sagemaker.core.resources import (
    Endpoint,
    EndpointConfig,
    Model,
    ModelPackage,
    ModelPackageGroup,
)
from sagemaker.core.shapes import (
    ContainerDefinition,
    InferenceSpecification,
    ModelPackageContainerDefinition,
    ProductionVariant,
)

BUCKET = "sdk-v3-registry"


def upload() -> str:
    """Store a model.tar.gz; return its URI."""
    s3 = boto3.client("s3")
    s3.create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name}
    )
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "model.tar.gz"
        with tarfile.open(archive, "w:gz") as packed:
            packed.add(__file__, "code/inference.py")
        s3.upload_file(str(archive), BUCKET, "model.tar.gz")
    return f"s3://{BUCKET}/model.tar.gz"


def main(image: str, role: str) -> None:
    group = ModelPackageGroup.create(
        model_package_group_name="SdkV3", model_package_group_description="by the SDK v3"
    )
    container = ModelPackageContainerDefinition(
        image=image, model_data_url=upload(), environment={"WHICH": "registered"}
    )
    arn = boto3.client("sagemaker").create_model_package(
        ModelPackageGroupName="SdkV3",
        InferenceSpecification={
            "Containers": [
                {
                    "Image": container.image,
                    "ModelDataUrl": container.model_data_url,
                    "Environment": container.environment,
                }
            ]
        },
    )["ModelPackageArn"]
    package = ModelPackage.get(model_package_name=arn)
    package.update(model_approval_status="Approved")
    Model.create(
        model_name="sdk-v3-registered",
        primary_container=ContainerDefinition(model_package_name=arn),
        execution_role_arn=role,
    )
    EndpointConfig.create(
        endpoint_config_name="sdk-v3-registered",
        production_variants=[
            ProductionVariant(
                variant_name="AllTraffic",
                model_name="sdk-v3-registered",
                initial_instance_count=1,
                instance_type="ml.m5.large",
            )
        ],
    )
    endpoint = Endpoint.create(
        endpoint_name="sdk-v3-registered", endpoint_config_name="sdk-v3-registered"
    )
    endpoint.wait_for_status("InService")
    answer = endpoint.invoke(body=b"which", content_type="text/plain")
    facts = {
        "group": group.model_package_group_name,
        "approval": ModelPackage.get(model_package_name=arn).model_approval_status,
        "version": ModelPackage.get(model_package_name=arn).model_package_version,
        "which": answer.body.read().decode(),
        "specified": isinstance(package.inference_specification, InferenceSpecification),
    }
    endpoint.delete()
    EndpointConfig.get("sdk-v3-registered").delete()
    Model.get("sdk-v3-registered").delete()
    print()
    print(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
