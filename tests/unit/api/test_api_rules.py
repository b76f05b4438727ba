"""Each rule of CreateTrainingJob: broken by one change, kept by a good request."""

from typing import Any

import pytest

from sagedock import api
from tests.unit.api.training_request import IMAGE, channel, request

ALGORITHM = {"TrainingImage": IMAGE, "TrainingInputMode": "File"}
MACHINE = {"InstanceType": "ml.m5.large", "InstanceCount": 1}
VPC = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
GROUP = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "InstanceGroupName": "a"}


def messages(**changes: Any) -> list[str]:
    changed = request(**changes)
    assert not api.problems_in_request("sagemaker", "CreateTrainingJob", changed)
    return [
        broken.message for broken in api.rule_problems("sagemaker", "CreateTrainingJob", changed)
    ]


def in_group(name: str, *groups: str, **source: Any) -> dict[str, Any]:
    s3 = {"S3DataType": "S3Prefix", "S3Uri": "s3://b/p", "InstanceGroupNames": list(groups)}
    return {"ChannelName": name, "DataSource": {"S3DataSource": {**s3, **source}}}


def on_file_system() -> dict[str, Any]:
    source = {
        "FileSystemId": "fs-0123abcd",
        "FileSystemType": "EFS",
        "FileSystemAccessMode": "ro",
        "DirectoryPath": "/a",
    }
    return {"ChannelName": "train", "DataSource": {"FileSystemDataSource": source}}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {
            "InputDataConfig": [
                channel(InputMode="Pipe", CompressionType="Gzip", RecordWrapperType="RecordIO")
            ]
        },
        {"InputDataConfig": [channel(CompressionType="None", RecordWrapperType="None")]},
        {"InputDataConfig": [on_file_system()], "VpcConfig": VPC},
        {"InputDataConfig": None},
        {
            "EnableManagedSpotTraining": True,
            "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60},
        },
        {"AlgorithmSpecification": {"AlgorithmName": "mine", "TrainingInputMode": "File"}},
        {"AlgorithmSpecification": {**ALGORITHM, "TrainingImage": f"{IMAGE}@sha256:{'a' * 64}"}},
        {
            "AlgorithmSpecification": {
                **ALGORITHM,
                "TrainingImage": "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/x",
            }
        },
        {
            "AlgorithmSpecification": {
                **ALGORITHM,
                "TrainingImage": "registry.example.com:5000/x:1",
                "TrainingImageConfig": {"TrainingRepositoryAccessMode": "Vpc"},
            },
            "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
        },
        {
            "ResourceConfig": {"InstanceGroups": [GROUP]},
            "InputDataConfig": [in_group("train", "a")],
        },
        {"ResourceConfig": {**MACHINE, "KeepAlivePeriodInSeconds": 60}},
        {"InputDataConfig": [channel("a", InputMode="Pipe"), channel("b", InputMode="File")]},
        {
            "AlgorithmSpecification": None,
            "ResourceConfig": None,
            "StoppingCondition": None,
            "ServerlessJobConfig": {
                "BaseModelArn": "arn:aws:sagemaker:us-west-2:aws:hub-content/Hub/Model/m/1.0.0",
                "JobType": "FineTuning",
            },
        },
    ],
)
def test_what_aws_takes_breaks_no_rule(changes: Any) -> None:
    assert messages(**changes) == []


@pytest.mark.parametrize(
    ("changes", "beginning"),
    [
        (
            {"StoppingCondition": {"MaxWaitTimeInSeconds": 60}},
            "Invalid MaxWaitTimeInSeconds. It is only supported when",
        ),
        ({"EnableManagedSpotTraining": True}, "Invalid MaxWaitTimeInSeconds. It must be present"),
        (
            {
                "EnableManagedSpotTraining": True,
                "StoppingCondition": {"MaxRuntimeInSeconds": 61, "MaxWaitTimeInSeconds": 60},
            },
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than",
        ),
        (
            {
                "InputDataConfig": [
                    channel("a", InputMode="Pipe"),
                    channel("b", InputMode="FastFile"),
                ]
            },
            "Cannot use both 'Pipe' and 'FastFile'",
        ),
        (
            {
                "AlgorithmSpecification": {**ALGORITHM, "TrainingInputMode": "Pipe"},
                "InputDataConfig": [channel("a"), channel("b", InputMode="FastFile")],
            },
            "Cannot use both 'Pipe' and 'FastFile'",
        ),
        ({"InputDataConfig": [channel(), channel()]}, "Channel names must be unique. Duplicate"),
        (
            {"InputDataConfig": [{"ChannelName": "train", "DataSource": {}}]},
            "A data source must be specified for channels: [train]",
        ),
        (
            {
                "InputDataConfig": [
                    in_group("train", S3DataType="AugmentedManifestFile", AttributeNames=["a"])
                ]
            },
            "S3DataType AugmentedManifestFile is only supported in Pipe",
        ),
        (
            {
                "InputDataConfig": [
                    {
                        **in_group("train", S3DataType="AugmentedManifestFile"),
                        "InputMode": "Pipe",
                    }
                ]
            },
            "AttributeNames must be specified for S3DataType AugmentedManifestFile. "
            "Channels: [train]",
        ),
        (
            {"InputDataConfig": [channel(CompressionType="Gzip", InputMode="FastFile")]},
            "Invalid compression type for channel train: FastFile mode only supports NONE, got ",
        ),
        (
            {"InputDataConfig": [channel(RecordWrapperType="RecordIO")]},
            "Invalid record wrapper type for channel train: File mode only supports NONE, got "
            "RecordIO instead",
        ),
        (
            {
                "InputDataConfig": [
                    {**in_group("train", S3DataType="ManifestFile"), "InputMode": "FastFile"}
                ]
            },
            "FastFile input mode is only supported with S3DataType S3Prefix. Channels: [train]",
        ),
        (
            {"InputDataConfig": [on_file_system()]},
            "VpcConfig must be specified for FileSystemDataSource. Channels: [train]",
        ),
        (
            {"InputDataConfig": [{**on_file_system(), "InputMode": "Pipe"}], "VpcConfig": VPC},
            "FileSystemDataSource is only supported in File input mode. Channels: [train]",
        ),
        (
            {
                "ResourceConfig": {"InstanceGroups": [GROUP]},
                "InputDataConfig": [in_group("a", "a"), channel("b"), channel("c")],
            },
            "Some channels have assigned instance groups: [a] while others not: [b, c]",
        ),
        (
            {
                "ResourceConfig": {"InstanceGroups": [GROUP]},
                "InputDataConfig": [in_group("train", "b")],
            },
            "Channels are assigned to instance groups that do not exist: [b]",
        ),
        (
            {"Tags": [{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}]},
            "Tag keys must be unique. Duplicate tag keys: [k]",
        ),
        (
            {"AlgorithmSpecification": {"TrainingInputMode": "File"}},
            "Exactly one of TrainingImage and AlgorithmName",
        ),
        (
            {"AlgorithmSpecification": {**ALGORITHM, "AlgorithmName": "mine"}},
            "Exactly one of TrainingImage and AlgorithmName",
        ),
        (
            {"AlgorithmSpecification": {**ALGORITHM, "TrainingImage": "not an image"}},
            "Invalid training image. Please provide a valid Amazon Elastic Container Registry",
        ),
        *(
            (
                {"AlgorithmSpecification": {**ALGORITHM, "TrainingImage": image}},
                "TrainingImageConfig with TrainingRepositoryAccessMode set to VPC must be",
            )
            for image in (
                "python:3.11",
                "docker.io/library/python:3.11",
                "localhost:5000/x",
                "public.ecr.aws/docker/library/python:3.11",
                "1234.dkr.ecr.us-east-1.amazonaws.com/x",
            )
        ),
        (
            {
                "AlgorithmSpecification": {
                    **ALGORITHM,
                    "TrainingImageConfig": {"TrainingRepositoryAccessMode": "Vpc"},
                }
            },
            "VpcConfig must be provided",
        ),
        (
            {
                "AlgorithmSpecification": {
                    **ALGORITHM,
                    "MetricDefinitions": [{"Name": "m", "Regex": "a"}, {"Name": "m", "Regex": "b"}],
                }
            },
            "Metric names must be unique. Duplicate metric names: [m]",
        ),
        (
            {"ResourceConfig": {**MACHINE, "InstanceGroups": [GROUP]}},
            "InstanceType or InstanceCount cannot be specified with InstanceGroups",
        ),
        (
            {"ResourceConfig": {"InstanceType": "ml.m5.large"}},
            "InstanceType and InstanceCount, or InstanceGroups, must be specified",
        ),
        (
            {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 0}},
            "1 validation error detected: Value '0' at 'resourceConfig.instanceCount' failed to "
            "satisfy constraint: Member must have value greater than or equal to 1",
        ),
        (
            {"ResourceConfig": {"InstanceGroups": [{**GROUP, "InstanceCount": 0}]}},
            "1 validation error detected: Value '0' at "
            "'resourceConfig.instanceGroups.1.member.instanceCount' failed to satisfy",
        ),
        (
            {"Tags": [{"Key": "aws:x", "Value": "1"}]},
            "aws: prefixed tag key names are not allowed for external use.",
        ),
        (
            {"ResourceConfig": {"InstanceGroups": [GROUP, GROUP]}},
            "Instance group names must be unique.",
        ),
        (
            {
                "ResourceConfig": {
                    **MACHINE,
                    "InstancePreferences": [{"InstanceType": "ml.m5.large"}],
                }
            },
            "InstancePreferences cannot be specified with",
        ),
        (
            {"ResourceConfig": {**MACHINE, "SelectedInstanceCount": 1}},
            "Read-only fields are not accepted in CreateTrainingJob: [SelectedInstanceCount]",
        ),
        (
            {
                "EnableManagedSpotTraining": True,
                "StoppingCondition": {"MaxWaitTimeInSeconds": 60},
                "ResourceConfig": {**MACHINE, "KeepAlivePeriodInSeconds": 60},
            },
            "KeepAlivePeriodInSeconds is not supported with EnableManagedSpotTraining",
        ),
        (
            {"ResourceConfig": {"InstanceGroups": [GROUP], "KeepAlivePeriodInSeconds": 60}},
            "KeepAlivePeriodInSeconds is not supported with InstanceGroups",
        ),
    ],
)
def test_one_change_breaks_one_rule(changes: Any, beginning: str) -> None:
    (message,) = messages(**changes)
    assert message.startswith(beginning)


def test_the_parts_of_a_job_that_the_model_no_longer_requires_are_missed_together() -> None:
    assert messages(AlgorithmSpecification=None, StoppingCondition=None) == [
        "2 validation errors detected: "
        "Value null at 'algorithmSpecification' failed to satisfy constraint: "
        "Member must not be null; "
        "Value null at 'stoppingCondition' failed to satisfy constraint: Member must not be null"
    ]


def test_every_broken_rule_is_reported_with_its_refusal() -> None:
    broken = api.rule_problems(
        "sagemaker",
        "CreateTrainingJob",
        request(InputDataConfig=[channel(), channel()], EnableManagedSpotTraining=True),
    )
    assert len(broken) == 2
    assert {each.error.code for each in broken} == {"ValidationException"}
    assert [each.error.message for each in broken] == [each.message for each in broken]


@pytest.mark.parametrize(
    ("operation", "members", "broken"),
    [
        ("DescribeLogGroups", {}, 0),
        ("DescribeLogGroups", {"logGroupNamePrefix": "a", "logGroupNamePattern": "a"}, 1),
        ("DescribeLogStreams", {"logGroupIdentifier": "g", "logStreamNamePrefix": "a"}, 0),
        ("DescribeLogStreams", {"logGroupName": "g", "logGroupIdentifier": "g"}, 1),
        ("DescribeLogStreams", {"orderBy": "LastEventTime", "logStreamNamePrefix": "a"}, 2),
        ("GetLogEvents", {"logStreamName": "s"}, 1),
        ("GetLogEvents", {"logStreamName": "s", "logGroupName": "g"}, 0),
        ("FilterLogEvents", {"logGroupName": "g", "logStreamNames": ["s"]}, 0),
        (
            "FilterLogEvents",
            {"logGroupName": "g", "logStreamNames": ["s"], "logStreamNamePrefix": "s"},
            1,
        ),
    ],
)
def test_members_of_log_requests_that_exclude_each_other(
    operation: str, members: Any, broken: int
) -> None:
    found = api.rule_problems("logs", operation, members)
    assert [each.error.code for each in found] == ["InvalidParameterException"] * broken


@pytest.mark.parametrize("members", [{}, {"RemoteDebugConfig": None}])
def test_an_update_must_change_something(members: Any) -> None:
    request_ = {"TrainingJobName": "job", **members}
    (found,) = api.rule_problems("sagemaker", "UpdateTrainingJob", request_)
    assert found.error.code == "ValidationException"
    changes = {"TrainingJobName": "job", "ResourceConfig": {"KeepAlivePeriodInSeconds": 0}}
    assert api.rule_problems("sagemaker", "UpdateTrainingJob", changes) == ()


def test_an_operation_without_rules_breaks_none() -> None:
    assert api.rule_problems("sagemaker", "StopTrainingJob", {}) == ()
