"""The default bucket on AWS: what is asked, and whose bucket is not used."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from sagedock import InvalidRequest
from sagedock.client.storage import ensure_bucket

HEAD = {"Bucket": "b", "ExpectedBucketOwner": "123456789012"}


@pytest.fixture
def s3() -> Any:
    return boto3.client(
        "s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y"
    )


@pytest.mark.parametrize(
    ("region", "named"),
    [
        ("us-east-1", {}),
        ("eu-west-1", {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}),
    ],
)
def test_a_bucket_is_made_in_its_region_which_us_east_1_must_not_name(
    s3: Any, region: str, named: dict[str, Any]
) -> None:
    with Stubber(s3) as stub:
        stub.add_client_error("head_bucket", "404", expected_params=HEAD)
        stub.add_response("create_bucket", {}, {"Bucket": "b", **named})
        assert ensure_bucket(s3, "b", region=region, owner="123456789012") is True
        stub.assert_no_pending_responses()


def test_a_bucket_that_is_there_is_not_made(s3: Any) -> None:
    with Stubber(s3) as stub:
        stub.add_response("head_bucket", {}, HEAD)
        assert ensure_bucket(s3, "b", region="eu-west-1", owner="123456789012") is False


def test_a_bucket_of_another_account_is_not_used(s3: Any) -> None:
    with Stubber(s3) as stub:
        stub.add_client_error("head_bucket", "403", expected_params=HEAD)
        with pytest.raises(InvalidRequest, match="another account's: give output_path"):
            ensure_bucket(s3, "b", region="eu-west-1", owner="123456789012")


def test_one_that_another_program_made_meanwhile_is_used(s3: Any) -> None:
    with Stubber(s3) as stub:
        stub.add_client_error("head_bucket", "404", expected_params=HEAD)
        stub.add_client_error("create_bucket", "BucketAlreadyOwnedByYou")
        ensure_bucket(s3, "b", region="eu-west-1", owner="123456789012")
        stub.assert_no_pending_responses()
