"""Rows of the fidelity corpus that need the world: the refusals' codes and words."""

import pytest

from sagedock.api import ServiceError, messages, processing_messages

ARN = "arn:aws:sagemaker:us-west-2:123456789012:training-job/job"
ROLE = "arn:aws:iam::123456789012:role/train"
NOT_FOUND = (
    'No S3 objects found under S3 URL "s3://data/train" given in input data source. Please ensure '
    "that the bucket exists in the selected region (us-west-2), that objects exist under that S3 "
    f'prefix, and that the role "{ROLE}" has "s3:ListBucket" permissions on bucket "data".'
)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        pytest.param(
            messages.training_job_in_use(ARN),
            "ResourceInUse",
            "Training job names must be unique within an AWS account and region, and a training "
            f"job with this name already exists ({ARN})",
            id="jobs-1",
        ),
        pytest.param(
            messages.input_not_found(
                uri="s3://data/train", region="us-west-2", role=ROLE, bucket="data"
            ),
            "ValidationException",
            NOT_FOUND,
            id="jobs-12",
        ),
        pytest.param(
            messages.input_bucket_elsewhere(
                uri="s3://data/train",
                region="us-west-2",
                role=ROLE,
                bucket="data",
                other="eu-west-1",
            ),
            "ValidationException",
            f"{NOT_FOUND} Error message from S3: The bucket is in this region: eu-west-1. "
            "Please use this region to retry the request",
            id="jobs-13",
        ),
        pytest.param(
            messages.access_denied(principal="me", action="sagemaker:AddTags", resource=ARN),
            "AccessDeniedException",
            f"User: me is not authorized to perform: sagemaker:AddTags on resource: {ARN} because "
            "no identity-based policy allows the sagemaker:AddTags action",
            id="jobs-25",
        ),
        pytest.param(messages.throttled(), "ThrottlingException", "Rate exceeded", id="jobs-26"),
        pytest.param(
            messages.training_job_not_found(),
            "ValidationException",
            "Requested resource not found.",
            id="jobs-56",
        ),
        pytest.param(
            messages.cannot_stop("training job", "Stopped"),
            "ValidationException",
            "The request was rejected because the training job is in status Stopped.",
            id="jobs-57",
        ),
        pytest.param(
            messages.security_token_expired(),
            "ExpiredTokenException",
            "The security token included in the request is expired",
            id="jobs-60",
        ),
        pytest.param(
            messages.role_cannot_be_assumed(ROLE),
            "ValidationException",
            f"Could not assume role {ROLE}. Please ensure that the role exists and allows "
            "principal 'sagemaker.amazonaws.com' to assume the role.",
            id="jobs-106",
        ),
        pytest.param(
            messages.cannot_stop("transform job", "Completed"),
            "ValidationException",
            "The request was rejected because the transform job is in status Completed.",
            id="jobs-109",
        ),
        pytest.param(
            messages.arn_of_other_region("us-east-1"),
            "ValidationException",
            "ARN should be scoped to correct region: us-east-1",
            id="rest-130",
        ),
    ],
)
def test_code_status_and_words(error: ServiceError, code: str, message: str) -> None:
    assert error == ServiceError(code=code, message=message, http_status=400)


def test_jobs_row_6_and_70_a_quota_that_is_used_up() -> None:
    error = messages.quota_exceeded(
        quota="ml.p3.2xlarge for training job usage", limit=0, used=0, asked=1
    )
    assert error.code == "ResourceLimitExceeded"
    assert str(error.message).startswith(
        "The account-level service limit 'ml.p3.2xlarge for training job usage' is 0 Instances, "
        "with current utilization of 0 Instances and a request delta of 1 Instances. "
        "Please use AWS Service Quotas"
    )


def test_jobs_row_16_and_rest_row_176_an_image_that_ecr_lacks() -> None:
    error = messages.image_not_found("123456789012.dkr.ecr.us-west-2.amazonaws.com/x:1")
    assert error.code == "ValidationException"
    assert str(error.message).startswith("Cannot find the requested image: ")


def test_jobs_row_17_an_image_that_the_role_may_not_pull() -> None:
    error = messages.image_access_denied(repository="x", registry="123456789012", role=ROLE)
    assert str(error.message).startswith(
        "Access denied for repository: x in registry ID: 123456789012."
    )


def test_jobs_row_64_a_bad_pagination_token() -> None:
    error = messages.invalid_pagination_token("it is stale")
    assert error.code == "ValidationException"
    assert str(error.message).startswith('Invalid pagination token because "')


def test_jobs_row_77_an_unknown_processing_job() -> None:
    told = processing_messages.processing_job_not_found("probe").message
    assert told.startswith("Could not find requested job")


def test_jobs_row_98_a_fault_of_the_service() -> None:
    error = messages.internal_failure()
    assert (error.code, error.message, error.http_status) == ("InternalFailure", "", 500)
