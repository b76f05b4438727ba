"""Rows 104 to 110 of the fidelity corpus: what transform jobs are refused with.

Rows 112 to 149, which need containers, are in tests/unit/local/test_transform_jobs.py.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.local.transform_world import BUCKET, ROLE, Model, Refusal, World, opened_world

ARN = "arn:aws:sagemaker:us-west-2:123456789012:"
IN_THE_WORDS_OF_ROW_12 = (
    'No S3 objects found under S3 URL "{uri}" given in input data source. Please ensure that the '
    "bucket exists in the selected region (us-west-2), that objects exist under that S3 prefix, "
    'and that the role "{role}" has "s3:ListBucket" permissions on bucket "{bucket}".'
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    quotas = {"ml.m5.large for transform job usage": 1}
    with opened_world(tmp_path / "home", Model(), quotas=quotas) as made:
        made.put("in/a", b"1")
        yield made


def refused(world: World, operation: str, **request: Any) -> tuple[str, str]:
    with pytest.raises(Refusal) as caught:
        world.call(operation, **request) if operation else world.create(**request)
    return caught.value.code, caught.value.message


def test_row_104_no_such_model(world: World) -> None:
    assert refused(world, "", ModelName="Absent") == (
        "ValidationException",
        f'Could not find model "{ARN}model/absent".',
    )


@pytest.mark.parametrize(
    ("bucket", "key", "data_type"),
    [
        (BUCKET, "nothing/", "S3Prefix"),
        ("no-such-bucket", "in/", "S3Prefix"),
        (BUCKET, "in/", "ManifestFile"),
    ],
)
def test_row_105_no_input(world: World, bucket: str, key: str, data_type: str) -> None:
    uri = f"s3://{bucket}/{key}"
    source = {"S3DataType": data_type, "S3Uri": uri}
    assert refused(world, "", TransformInput={"DataSource": {"S3DataSource": source}}) == (
        "ValidationException",
        IN_THE_WORDS_OF_ROW_12.format(uri=uri, role=ROLE, bucket=bucket),
    )


def test_row_108_a_quota_is_used_up(world: World) -> None:
    code, message = refused(world, "", TransformResources={"InstanceCount": 2})
    assert code == "ResourceLimitExceeded"
    assert message.startswith(
        "The account-level service limit 'ml.m5.large for transform job usage' is 1 Instances, "
        "with current utilization of 0 Instances and a request delta of 2 Instances. Please use "
        "AWS Service Quotas"
    )


def test_row_109_a_job_that_has_ended_cannot_be_stopped(world: World) -> None:
    world.run()
    assert refused(world, "StopTransformJob", TransformJobName="probe-1") == (
        "ValidationException",
        "The request was rejected because the transform job is in status Completed.",
    )


def test_row_110_no_such_job_to_stop(world: World) -> None:
    code, message = refused(world, "StopTransformJob", TransformJobName="absent")
    assert code == "ValidationException"
    assert message.startswith("Could not find job to update with name")


def test_no_such_job_to_describe(world: World) -> None:
    code, message = refused(world, "DescribeTransformJob", TransformJobName="absent")
    assert code == "ValidationException"
    assert message.startswith("Could not find requested job")


def test_a_name_is_used_once(world: World) -> None:
    world.run()
    assert refused(world, "") == (
        "ResourceInUse",
        "Job name must be unique within an AWS account and region, and a job with this name "
        f"already exists ({ARN}transform-job/probe-1)",
    )


def test_a_path_holds_no_underscore(world: World) -> None:
    """boto/boto3#3136, whole."""
    path = "$['account_id','SageMakerOutput']"
    assert refused(
        world,
        "",
        TransformInput={"ContentType": "application/jsonlines"},
        TransformOutput={"Accept": "application/jsonlines"},
        DataProcessing={"JoinSource": "Input", "OutputFilter": path},
    ) == (
        "ValidationException",
        f'Invalid OutputFilter: "{path}". Unexpected "_" in JsonPath. Supported operators for '
        "\"application/jsonlines\" are ['$', '[', ']', '*', '.', ' ', ',', ':', '-', ''']",
    )
