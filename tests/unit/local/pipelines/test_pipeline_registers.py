"""A pipeline that registers what it trained, and the model of a version that it made."""

from sagedock.testing import Container
from tests.conftest import BUCKET, IMAGE, Local
from tests.unit.local.pipelines.pipeline_world import World, get, training


def trains(container: Container) -> int:
    container.files["/opt/ml/model/weights"] = b"w"
    return 0


def test_a_version_is_made_of_what_was_trained(local: Local) -> None:
    world = World(local)
    local.engine.program = trains
    register = {
        "Name": "Register",
        "Type": "RegisterModel",
        "Arguments": {
            "ModelPackageGroupName": "Made",
            "ModelApprovalStatus": "Approved",
            "InferenceSpecification": {
                "Containers": [
                    {
                        "Image": IMAGE,
                        "ModelDataUrl": get("Steps.Train.ModelArtifacts.S3ModelArtifacts"),
                    }
                ],
            },
        },
    }
    execution, steps = world.run(training("Train"), register)
    assert execution["PipelineExecutionStatus"] == "Succeeded", steps["Register"]
    arn = steps["Register"]["Metadata"]["RegisterModel"]["Arn"]
    found = world.sagemaker.describe_model_package(ModelPackageName=arn)
    assert found["MetadataProperties"]["GeneratedBy"] == execution["PipelineExecutionArn"]
    (container,) = found["InferenceSpecification"]["Containers"]
    trained = world.job_of(steps["Train"])["ModelArtifacts"]["S3ModelArtifacts"]
    assert container["ModelDataUrl"] == trained
    world.sagemaker.create_model(ModelName="m", PrimaryContainer={"ModelPackageName": arn})


def test_row_154_a_step_that_cannot_read_the_artefact(local: Local) -> None:
    register = {
        "Name": "Register",
        "Type": "RegisterModel",
        "Arguments": {
            "ModelPackageGroupName": "Made",
            "InferenceSpecification": {
                "Containers": [{"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/none.tar.gz"}]
            },
        },
    }
    execution, steps = World(local).run(register)
    assert execution["PipelineExecutionStatus"] == "Failed"
    assert (
        "Failed to invoke sagemaker:CreateModelPackage. Error Details: Access denied for bucket: "
        f"{BUCKET}, object key: none.tar.gz"
    ) in steps["Register"]["FailureReason"]
