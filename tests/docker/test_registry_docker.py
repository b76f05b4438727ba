"""The model registry with real containers: registered, approved, deployed; the command is told."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import BUCKET, ROLE
from tests.docker.conftest import RealLocal
from tests.docker.hosting_real import SERVING, ask, awaited, config, delete, images, settled
from tests.unit.local.hosting.hosting_local import archive

__all__ = ["images"]

#: Appends what it is told to a file beside the server's home.
_APPEND = (
    "import os, sys; "
    "open(os.environ['SAGEDOCK_HOME'] + '.told', 'a').write(sys.stdin.read() + chr(10))"
)


def _told(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize(
    "real", [{"event_hook": (sys.executable, "-c", _APPEND)}], indirect=True, ids=["hook"]
)
def test_a_version_is_approved_and_answers_and_the_command_is_told(
    real: RealLocal, tmp_path: Path
) -> None:
    told = tmp_path / "home.told"
    uri = real.put("models/model.tar.gz", archive({"w.txt": b"42"}))
    sagemaker = real.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="probe")
    container = {"Image": SERVING, "ModelDataUrl": uri, "Environment": {"WHICH": "package"}}
    arn = sagemaker.create_model_package(
        ModelPackageGroupName="probe", InferenceSpecification={"Containers": [container]}
    )["ModelPackageArn"]
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    awaited(lambda: len(_told(told)) == 2)
    created, approved = _told(told)
    assert created["detail"]["ModelApprovalStatus"] == "PendingManualApproval"
    assert approved["detail"]["ModelApprovalStatus"] == "Approved"
    assert approved["resources"] == [arn]
    digest = sagemaker.describe_model_package(ModelPackageName=arn)["InferenceSpecification"][
        "Containers"
    ][0]["ImageDigest"]
    assert digest.startswith("sha256:")
    sagemaker.create_model(
        ModelName="model-1", PrimaryContainer={"ModelPackageName": arn}, ExecutionRoleArn=ROLE
    )
    config(real)
    sagemaker.create_endpoint(EndpointName="endpoint-1", EndpointConfigName="config-1")
    found = settled(real)
    assert found["EndpointStatus"] == "InService", found
    (image,) = found["ProductionVariants"][0]["DeployedImages"]
    assert image["ResolvedImage"].endswith(digest)
    assert ask(real, "which") == "package"
    assert sorted(json.loads(ask(real, "model"))) == ["w.txt"]
    delete(real)
    assert real.get(f"s3://{BUCKET}/models/model.tar.gz")
