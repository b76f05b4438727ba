"""What AWS would refuse is refused here, over HTTP, before anything was changed."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import BUCKET, IMAGE, Local


@pytest.fixture
def local(local_of_the_file: Local) -> Local:
    return local_of_the_file


def refused(local: Local, **changes: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        local.client("sagemaker").create_training_job(**local.job(**changes))
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert local.client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []
    assert not local.engine.all
    answer = error.value.response["Error"]
    return answer["Code"], answer["Message"]


def test_a_job_name_with_a_space(local: Local) -> None:
    assert refused(local, TrainingJobName="my job") == (
        "ValidationException",
        "1 validation error detected: Value 'my job' at 'trainingJobName' failed to satisfy "
        "constraint: Member must satisfy regular expression pattern: "
        "^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
    )


def test_an_input_mode_that_is_none(local: Local) -> None:
    algorithm = {"TrainingImage": IMAGE, "TrainingInputMode": "Nope"}
    code, message = refused(local, AlgorithmSpecification=algorithm)
    assert code == "ValidationException"
    assert message.startswith(
        "1 validation error detected: Value 'Nope' at 'algorithmSpecification.trainingInputMode' "
        "failed to satisfy constraint: Member must satisfy enum value set: ["
    )


def test_a_role_that_is_no_arn(local: Local) -> None:
    code, message = refused(local, RoleArn="my-role-that-is-no-arn")
    assert code == "ValidationException"
    assert "Value 'my-role-that-is-no-arn' at 'roleArn' failed to satisfy constraint" in message


def test_every_problem_is_said_at_once(local: Local) -> None:
    code, message = refused(
        local, TrainingJobName="my job", RoleArn="my-role-that-is-no-arn", StoppingCondition={}
    )
    assert code == "ValidationException"
    assert message.startswith("2 validation errors detected: ")
    assert "'trainingJobName'" in message
    assert "'roleArn'" in message


@pytest.mark.parametrize("prefix", ["s3://no-such-bucket/data", f"s3://{BUCKET}/no-such-prefix"])
def test_data_that_is_not_there(local: Local, prefix: str) -> None:
    code, message = refused(local, InputDataConfig=[local.channel(prefix)])
    assert code == "ValidationException"
    assert message.startswith(f'No S3 objects found under S3 URL "{prefix}" given in input')


def test_spot_without_a_longest_wait(local: Local) -> None:
    code, message = refused(local, EnableManagedSpotTraining=True)
    assert code == "ValidationException"
    assert "MaxWaitTimeInSeconds" in message


def test_a_longest_wait_without_spot(local: Local) -> None:
    stopping = {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 120}
    assert refused(local, StoppingCondition=stopping) == (
        "ValidationException",
        "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is set "
        "to true",
    )


@pytest.mark.parametrize(
    ("image", "begins"),
    [
        (IMAGE.replace("probe:1", "absent:1"), "Cannot find the requested image: "),
        ("docker.io/library/probe:1", "TrainingImageConfig with TrainingRepositoryAccessMode "),
    ],
)
def test_an_image_that_cannot_be_had(local: Local, image: str, begins: str) -> None:
    algorithm = {"TrainingImage": image, "TrainingInputMode": "File"}
    code, message = refused(local, AlgorithmSpecification=algorithm)
    assert code == "ValidationException"
    assert message.startswith(begins)


def test_an_instance_type_newer_than_the_model_may_be_allowed(
    local: Local, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    from sagedock import LocalSageMaker

    resources = {"InstanceType": "ml.new1.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
    code, message = refused(local, ResourceConfig=resources)
    assert (code, "'resourceConfig.instanceType'" in message) == ("ValidationException", True)
    monkeypatch.setenv("SAGEDOCK_ALLOW_INSTANCE_TYPES", "ml.new1.large")
    with LocalSageMaker(home=tmp_path / "other", engine=local.engine) as server:
        allowing = Local(server=server, engine=local.engine)
        assert allowing.run(ResourceConfig=resources)["TrainingJobStatus"] == "Completed"
