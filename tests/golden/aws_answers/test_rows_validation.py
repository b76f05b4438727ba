"""Rows of the fidelity corpus that the request alone decides: what SageMaker said, word for word.

The corpus has two pages that number their rows apart: the jobs, and the rest (models, endpoints,
registry, pipelines, images).
"""

from typing import Any

import pytest

from sagedock import api
from tests.unit.api.training_request import IMAGE, channel, request

TRAINING = "CreateTrainingJob"
NAME_PATTERN = "^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"


def refusal(operation: str, members: dict[str, Any]) -> str:
    """Return the text of the ValidationException that answers a request."""
    assert api.type_problem("sagemaker", operation, members) is None
    problems = api.problems_in_request("sagemaker", operation, members)
    if problems:
        return api.validation_message(problems)
    broken = api.rule_problems("sagemaker", operation, members)
    assert broken[0].error.code == "ValidationException"
    return str(broken[0].error.message)


def test_jobs_row_2_a_name_of_more_than_63_characters() -> None:
    name = "basic-zenml-project-pipeline-2023-04-24-12-22-59-886794-step-show-sagemaker-s3-link"
    assert refusal(TRAINING, request(TrainingJobName=name)) == (
        f"2 validation errors detected: Value '{name}' at 'trainingJobName' failed to satisfy "
        f"constraint: Member must satisfy regular expression pattern: {NAME_PATTERN}; "
        f"Value '{name}' at 'trainingJobName' failed to satisfy constraint: "
        "Member must have length less than or equal to 63"
    )


def test_a_name_with_an_underscore_or_a_blank() -> None:
    """aws/sagemaker-python-sdk#384, with the newer pattern of row 2."""
    for name in ("health_and_care", "my job"):
        assert refusal(TRAINING, request(TrainingJobName=name)) == (
            f"1 validation error detected: Value '{name}' at 'trainingJobName' failed to satisfy "
            f"constraint: Member must satisfy regular expression pattern: {NAME_PATTERN}"
        )


@pytest.mark.parametrize("instance_type", ["ml.t2.medium", "local", "m5.large"])
def test_jobs_row_4_an_instance_type_outside_the_enum(instance_type: str) -> None:
    text = refusal(
        TRAINING,
        request(ResourceConfig={"InstanceType": instance_type, "InstanceCount": 1}),
    )
    beginning = (
        f"1 validation error detected: Value '{instance_type}' at 'resourceConfig.instanceType' "
        "failed to satisfy constraint: Member must satisfy enum value set: ["
    )
    assert text.startswith(beginning)
    values = text.removeprefix(beginning).removesuffix("]").split(", ")
    assert {"ml.m5.large", "ml.p4d.24xlarge"} < set(values)
    assert all(value.startswith("ml.") for value in values)


def test_jobs_row_5_a_type_of_the_enum_passes_the_request_check() -> None:
    """ml.t3.medium is refused for the region, and not for the enum."""
    machine = {"InstanceType": "ml.t3.medium", "InstanceCount": 1}
    assert not api.problems_in_request("sagemaker", TRAINING, request(ResourceConfig=machine))


def test_jobs_row_14_a_wait_without_spot() -> None:
    stopping = {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 3600}
    assert refusal(TRAINING, request(StoppingCondition=stopping)) == (
        "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is set "
        "to true"
    )


def test_jobs_row_18_an_image_outside_ecr() -> None:
    algorithm = {"TrainingImage": "registry.example.com/train:1", "TrainingInputMode": "File"}
    assert refusal(TRAINING, request(AlgorithmSpecification=algorithm)) == (
        "TrainingImageConfig with TrainingRepositoryAccessMode set to VPC must be provided when "
        "using a training image from a private Docker registry. Please provideTrainingImageConfig "
        "and TrainingRepositoryAccessMode set to VPC when using a training image from a private "
        "Docker registry."
    )


def test_jobs_row_20_a_hyperparameter_that_is_too_long() -> None:
    """aws-samples/amazon-sagemaker-pytorch-detectron2#10 (2022): today's limit of row 20."""
    long = "x" * 2501
    assert refusal(TRAINING, request(HyperParameters={"epochs": "10", "classes": long})) == (
        f"1 validation error detected: Value '{{epochs=10, classes={long}}}' at "
        "'hyperParameters' failed to satisfy constraint: Map value must satisfy constraint: "
        "[Member must have length less than or equal to 2500, Member must have length greater "
        "than or equal to 0, Member must satisfy regular expression pattern: .*]"
    )


def test_jobs_row_21_more_than_100_hyperparameters() -> None:
    many = {f"key{number}": "v" for number in range(101)}
    text = refusal(TRAINING, request(HyperParameters=many))
    assert text.startswith("1 validation error detected: Value '{key0=v, key1=v, ")
    assert text.endswith(
        "}' at 'hyperParameters' failed to satisfy constraint: "
        "Member must have length less than or equal to 100"
    )


def test_jobs_row_29_no_security_group() -> None:
    vpc = {"SecurityGroupIds": [], "Subnets": ["subnet-1"]}
    assert refusal(TRAINING, request(VpcConfig=vpc)).endswith(
        "Value '[]' at 'vpcConfig.securityGroupIds' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1"
    )


def test_jobs_row_74_more_than_10_processing_inputs() -> None:
    members = {
        "ProcessingJobName": "job",
        "ProcessingInputs": [{"InputName": f"i{number}"} for number in range(11)],
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": "ml.m5.large",
                "VolumeSizeInGB": 1,
            }
        },
        "AppSpecification": {"ImageUri": IMAGE},
        "RoleArn": "arn:aws:iam::123456789012:role/r",
    }
    assert refusal("CreateProcessingJob", members).endswith(
        "at 'processingInputs' failed to satisfy constraint: "
        "Member must have length less than or equal to 10"
    )


def variant(**changes: Any) -> dict[str, Any]:
    return {
        "EndpointConfigName": "config",
        "ProductionVariants": [
            {
                "VariantName": "v",
                "ModelName": "model",
                "InitialInstanceCount": 1,
                "InstanceType": "ml.m5.large",
                **changes,
            }
        ],
    }


def test_rest_row_20_a_model_name_with_blanks() -> None:
    assert refusal("CreateEndpointConfig", variant(ModelName="my model")) == (
        "1 validation error detected: Value 'my model' at "
        "'productionVariants.1.member.modelName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: ^[a-zA-Z0-9](-*[a-zA-Z0-9])*"
    )


@pytest.mark.parametrize("instance_type", ["ml.t3.medium", "local"])
def test_rest_rows_21_and_22_an_instance_type_outside_the_enum(instance_type: str) -> None:
    assert refusal("CreateEndpointConfig", variant(InstanceType=instance_type)).startswith(
        f"1 validation error detected: Value '{instance_type}' at "
        "'productionVariants.1.member.instanceType' failed to satisfy constraint: "
        "Member must satisfy enum value set: [ml."
    )


def test_rest_row_125_a_role_that_is_no_arn() -> None:
    name = "AmazonSageMaker-ExecutionRole-20230901T123456"
    members = {
        "ModelPackageName": "package",
        "ValidationSpecification": {
            "ValidationRole": name,
            "ValidationProfiles": [
                {
                    "ProfileName": "p",
                    "TransformJobDefinition": {
                        "TransformInput": {
                            "DataSource": {
                                "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/i"}
                            }
                        },
                        "TransformOutput": {"S3OutputPath": "s3://b/o"},
                        "TransformResources": {
                            "InstanceType": "ml.m5.large",
                            "InstanceCount": 1,
                        },
                    },
                }
            ],
        },
    }
    assert refusal("CreateModelPackage", members) == (
        f"1 validation error detected: Value '{name}' at "
        "'validationSpecification.validationRole' failed to satisfy constraint: Member must "
        "satisfy regular expression pattern: "
        r"arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"
    )


def test_rest_row_153_pipe_and_fast_file() -> None:
    channels = [channel("a", InputMode="Pipe"), channel("b", InputMode="FastFile")]
    assert refusal(TRAINING, request(InputDataConfig=channels)) == (
        "Cannot use both 'Pipe' and 'FastFile' TrainingInputMode on the same Training Job."
    )


def test_a_compressed_channel_in_file_mode() -> None:
    """aws/sagemaker-python-sdk#716 (2019)."""
    channels = [channel("training", CompressionType="Gzip")]
    assert refusal(TRAINING, request(InputDataConfig=channels)) == (
        "Invalid compression type for channel training: File mode only supports NONE, got Gzip "
        "instead"
    )


def test_rest_row_177_an_image_that_is_no_path() -> None:
    algorithm = {"TrainingImage": "my image", "TrainingInputMode": "File"}
    assert refusal(TRAINING, request(AlgorithmSpecification=algorithm)) == (
        "Invalid training image. Please provide a valid Amazon Elastic Container Registry path of "
        "the Docker image to run."
    )


def test_channels_of_which_only_some_are_in_instance_groups() -> None:
    """aws/sagemaker-python-sdk#6089 (2026)."""
    placed = {
        "ChannelName": "processing",
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": "s3://b/p",
                "InstanceGroupNames": ["g"],
            }
        },
    }
    group = {"InstanceGroupName": "g", "InstanceType": "ml.m5.large", "InstanceCount": 1}
    members = request(
        InputDataConfig=[placed, channel("sm_drivers"), channel("code")],
        ResourceConfig={"InstanceGroups": [group]},
    )
    assert refusal(TRAINING, members) == (
        "Some channels have assigned instance groups: [processing] while others not: "
        "[sm_drivers, code]"
    )
