"""What processing jobs cannot do here: refused by name, with nothing changed."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.conftest import Local
from tests.unit.local.processing_world import FOLDER, Processing

QUERY = {
    "Catalog": "c",
    "Database": "d",
    "QueryString": "q",
    "OutputS3Uri": "s3://bucket/q",
    "OutputFormat": "JSON",
}
DATASET = {
    "InputName": "a",
    "DatasetDefinition": {"AthenaDatasetDefinition": QUERY, "LocalPath": f"{FOLDER}/q"},
}
FEATURES = {
    "OutputName": "a",
    "AppManaged": True,
    "FeatureStoreOutput": {"FeatureGroupName": "group"},
}
PREFERENCES = {
    "ClusterConfig": {
        "InstanceCount": 1,
        "InstancePreferences": [{"InstanceType": "ml.m5.large"}],
        "VolumeSizeInGB": 1,
    }
}


@pytest.fixture
def processing(local: Local) -> Processing:
    return Processing(local)


def refused(processing: Processing, **changes: Any) -> str:
    with pytest.raises(ClientError) as error:
        processing.create(**changes)
    answer: Any = error.value.response
    assert answer["Error"]["Code"] == "ValidationException"
    assert processing.sagemaker.list_processing_jobs()["ProcessingJobSummaries"] == []
    return str(answer["Error"]["Message"])


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"ProcessingInputs": [DATASET]}, "ProcessingInputs[0].DatasetDefinition"),
        (
            {"ProcessingOutputConfig": {"Outputs": [FEATURES]}},
            "ProcessingOutputConfig.Outputs[0].FeatureStoreOutput",
        ),
        (
            {"ProcessingResources": PREFERENCES},
            "ProcessingResources.ClusterConfig.InstancePreferences",
        ),
    ],
)
def test_what_only_aws_has(processing: Processing, changes: dict[str, Any], named: str) -> None:
    assert refused(processing, **changes) == (
        f"The local SageMaker cannot carry out: {named}. Leave it out locally, or run the job on "
        "AWS."
    )


def test_pipe_mode(processing: Processing) -> None:
    uri = processing.put("in/a", b"1")
    told = refused(processing, ProcessingInputs=[processing.input(uri, S3InputMode="Pipe")])
    assert "ProcessingInputs[0].S3Input.S3InputMode Pipe (File mode is there)" in told


@pytest.mark.parametrize("path", ["../up", "a/./b", "a\0b", "ä" * 130])
def test_paths_that_no_folder_stands_for(processing: Processing, path: str) -> None:
    uri = processing.put("in/a", b"1")
    told = refused(processing, ProcessingInputs=[processing.input(uri, path)])
    assert "ProcessingInputs[0].S3Input.LocalPath" in told
    told = refused(processing, ProcessingOutputConfig=processing.outputs(path))
    assert "Outputs[0].S3Output.LocalPath" in told


def test_several_wishes_are_named_at_once(processing: Processing) -> None:
    told = refused(
        processing,
        ProcessingInputs=[DATASET],
        ProcessingOutputConfig={"Outputs": [FEATURES]},
    )
    assert "DatasetDefinition; ProcessingOutputConfig.Outputs[0].FeatureStoreOutput" in told


def test_an_output_that_is_not_in_s3(processing: Processing) -> None:
    config = processing.outputs("output")
    config["Outputs"][0]["S3Output"]["S3Uri"] = "https://example.com/out"
    told = refused(processing, ProcessingOutputConfig=config)
    assert "Outputs[0].S3Output.S3Uri https://example.com/out" in told


def test_data_in_a_bucket_of_another_region(processing: Processing) -> None:
    s3 = processing.local.client("s3", "eu-west-1")
    place = {"LocationConstraint": "eu-west-1"}
    s3.create_bucket(Bucket="elsewhere", CreateBucketConfiguration=place)
    s3.put_object(Bucket="elsewhere", Key="in/a", Body=b"1")
    told = refused(processing, ProcessingInputs=[processing.input("s3://elsewhere/in/")])
    assert "The bucket is in this region: eu-west-1." in told


def test_a_role_that_was_deleted(processing: Processing) -> None:
    iam = processing.local.client("iam")
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.create_role(RoleName="sagedock", AssumeRolePolicyDocument=policy)
    iam.delete_role(RoleName="sagedock")
    assert "Could not assume role" in refused(processing)
