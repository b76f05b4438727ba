"""Rules across the fields of CreateProcessingJob."""

from collections.abc import Mapping
from typing import Any

import pytest

from sagedock.api import problems_in_request, rule_problems

IMAGE = "123456789012.dkr.ecr.us-west-2.amazonaws.com/probe:1"


def request(**changes: Any) -> dict[str, Any]:
    return {
        "ProcessingJobName": "job",
        "RoleArn": "arn:aws:iam::123456789012:role/sagedock",
        "AppSpecification": {"ImageUri": IMAGE},
        "ProcessingResources": cluster(),
        **changes,
    }


def cluster(**changes: Any) -> dict[str, Any]:
    found = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1, **changes}
    return {"ClusterConfig": {name: each for name, each in found.items() if each is not None}}


def source(name: str = "a", **changes: Any) -> dict[str, Any]:
    uri, path = "s3://bucket/in/", f"/opt/ml/processing/{name}"
    found = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", **changes}
    return {
        "InputName": name,
        "S3Input": {key: each for key, each in found.items() if each is not None},
    }


def target(name: str = "a", **changes: Any) -> dict[str, Any]:
    uri, path = "s3://bucket/out/", f"/opt/ml/processing/{name}"
    found = {"S3Uri": uri, "LocalPath": path, "S3UploadMode": "EndOfJob", **changes}
    return {
        "OutputName": name,
        "S3Output": {key: each for key, each in found.items() if each is not None},
    }


def inputs(*entries: Mapping[str, Any]) -> dict[str, Any]:
    return {"ProcessingInputs": list(entries)}


def outputs(*entries: Mapping[str, Any]) -> dict[str, Any]:
    return {"ProcessingOutputConfig": {"Outputs": list(entries)}}


QUERY = {
    "Catalog": "c",
    "Database": "d",
    "QueryString": "q",
    "OutputS3Uri": "s3://bucket/q",
    "OutputFormat": "JSON",
}
DATASET = {"AthenaDatasetDefinition": QUERY, "LocalPath": "/opt/ml/processing/q"}
FEATURES = {"FeatureGroupName": "group"}


def found(**changes: Any) -> list[str]:
    whole = request(**changes)
    assert problems_in_request("sagemaker", "CreateProcessingJob", whole) == ()
    return [each.message for each in rule_problems("sagemaker", "CreateProcessingJob", whole)]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"ProcessingResources": cluster(InstanceCount=None)},
        {
            "ProcessingResources": cluster(
                InstanceType=None, InstancePreferences=[{"InstanceType": "ml.m5.large"}]
            )
        },
        inputs(source("a"), source("a/b"), source("c", S3CompressionType="None")),
        inputs(source(S3InputMode="Pipe", S3CompressionType="Gzip")),
        inputs({**source(LocalPath=None), "AppManaged": True}),
        inputs({"InputName": "a", "DatasetDefinition": DATASET}),
        outputs(target("a"), target("b", LocalPath="/opt/ml/processing/a")),
        outputs({**target(LocalPath=None), "AppManaged": True}),
        outputs({"OutputName": "a", "AppManaged": True, "FeatureStoreOutput": FEATURES}),
    ],
)
def test_what_is_right(changes: dict[str, Any]) -> None:
    assert found(**changes) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"AppSpecification": {"ImageUri": "an image"}},
            "Invalid image URI an image. Please provide a valid Amazon Elastic Container Registry "
            "path of the Docker image to run.",
        ),
        (
            {"ProcessingResources": cluster(InstanceType=None)},
            "Exactly one of InstanceType and InstancePreferences must be specified in "
            "ClusterConfig",
        ),
        (
            {"ProcessingResources": cluster(InstancePreferences=[{"InstanceType": "ml.m5.large"}])},
            "Exactly one of InstanceType and InstancePreferences must be specified in "
            "ClusterConfig",
        ),
        (
            {"ProcessingResources": cluster(SelectedInstanceCount=2)},
            "SelectedInstanceCount cannot be specified in a request: the service answers it",
        ),
        (
            inputs(source("a"), {**source("b"), "InputName": "a"}),
            "InputName must be unique among ProcessingInputs. Duplicate names: [a]",
        ),
        (
            outputs(target("a"), target("a")),
            "OutputName must be unique among Outputs. Duplicate names: [a]",
        ),
        (
            inputs({"InputName": "a"}),
            "Exactly one of S3Input and DatasetDefinition must be specified for input a",
        ),
        (
            inputs({**source(), "DatasetDefinition": DATASET}),
            "Exactly one of S3Input and DatasetDefinition must be specified for input a",
        ),
        (
            outputs({"OutputName": "a"}),
            "Exactly one of S3Output and FeatureStoreOutput must be specified for output a",
        ),
        (
            outputs({"OutputName": "a", "FeatureStoreOutput": FEATURES}),
            "FeatureStoreOutput of output a is only supported when AppManaged is True",
        ),
        (
            inputs(source(LocalPath=None)),
            "LocalPath is required when AppManaged is False, and a has none",
        ),
        (
            outputs(target(LocalPath="")),
            "LocalPath is required when AppManaged is False, and a has none",
        ),
        (
            inputs(source(LocalPath="/opt/ml/input/data")),
            "LocalPath must begin with /opt/ml/processing/, and that of a is /opt/ml/input/data",
        ),
        (
            outputs(target(LocalPath="/opt/ml/processing")),
            "LocalPath must begin with /opt/ml/processing/, and that of a is /opt/ml/processing",
        ),
        (
            inputs(source("a"), source("b", LocalPath="/opt/ml/processing/a/")),
            "LocalPath must be unique among ProcessingInputs. Duplicate paths: "
            "[/opt/ml/processing/a]",
        ),
        (
            inputs(source(S3CompressionType="Gzip")),
            "S3CompressionType Gzip can only be used with S3InputMode Pipe, which input a has not",
        ),
    ],
)
def test_what_is_wrong(changes: dict[str, Any], message: str) -> None:
    assert found(**changes) == [message]
