"""What tests of the model registry share."""

from typing import Any

from tests.conftest import BUCKET, IMAGE, Local

DATA_KEY = "models/model.tar.gz"
DATA = f"s3://{BUCKET}/{DATA_KEY}"


def specification(**changes: Any) -> dict[str, Any]:
    """Return an InferenceSpecification of one container; ``changes`` are of that."""
    container = {"Image": IMAGE, "ModelDataUrl": DATA, **changes}
    return {
        "Containers": [{k: v for k, v in container.items() if v is not None}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }


def create_group(local: Local, name: str = "Models", **more: Any) -> str:
    """Create a group; return its ARN."""
    answer = local.client("sagemaker").create_model_package_group(
        ModelPackageGroupName=name, **more
    )
    return str(answer["ModelPackageGroupArn"])


def put_data(local: Local, body: bytes = b"model") -> None:
    """Store the artefact that packages name."""
    local.client("s3").put_object(Bucket=BUCKET, Key=DATA_KEY, Body=body)


def register(local: Local, group: str = "Models", **more: Any) -> str:
    """Register the next version of a group; return its ARN."""
    said = {"InferenceSpecification": specification(), **more}
    request = {name: value for name, value in said.items() if value is not None}
    answer = local.client("sagemaker").create_model_package(ModelPackageGroupName=group, **request)
    return str(answer["ModelPackageArn"])


def unversioned(**changes: Any) -> dict[str, Any]:
    """Return the request of a package without version."""
    types = ["ml.m5.large"]
    return {
        "ModelPackageName": "Alone",
        "InferenceSpecification": {
            **specification(),
            "SupportedTransformInstanceTypes": types,
            "SupportedRealtimeInferenceInstanceTypes": types,
        },
        **changes,
    }
