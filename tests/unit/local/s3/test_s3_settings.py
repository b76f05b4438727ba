"""Sub-resources, and the table of operations against the service's own model."""

import botocore.session
import pytest

from sagedock.local.s3.errors import ANSWERS
from sagedock.local.s3.front.operations import OPERATIONS


def test_what_a_new_bucket_says_of_itself(s3):
    bucket = {"Bucket": "kettle"}
    assert "Status" not in s3.get_bucket_versioning(**bucket)
    grants = s3.get_bucket_acl(**bucket)["Grants"]
    assert (grants[0]["Permission"], grants[0]["Grantee"]["Type"]) == (
        "FULL_CONTROL",
        "CanonicalUser",
    )
    rules = s3.get_bucket_encryption(**bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    public = s3.get_public_access_block(**bucket)["PublicAccessBlockConfiguration"]
    assert all(public.values())
    ownership = s3.get_bucket_ownership_controls(**bucket)["OwnershipControls"]["Rules"]
    assert ownership == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert s3.get_bucket_request_payment(**bucket)["Payer"] == "BucketOwner"
    assert "LoggingEnabled" not in s3.get_bucket_logging(**bucket)
    assert "TopicConfigurations" not in s3.get_bucket_notification_configuration(**bucket)
    assert "Status" not in s3.get_bucket_accelerate_configuration(**bucket)


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("get_bucket_policy", "NoSuchBucketPolicy"),
        ("get_bucket_policy_status", "NoSuchBucketPolicy"),
        ("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration"),
        ("get_bucket_cors", "NoSuchCORSConfiguration"),
        ("get_bucket_website", "NoSuchWebsiteConfiguration"),
        ("get_bucket_tagging", "NoSuchTagSet"),
        ("get_bucket_replication", "ReplicationConfigurationNotFoundError"),
        ("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError"),
    ],
)
def test_what_a_new_bucket_does_not_have(s3, refused, operation, code):
    assert refused(getattr(s3, operation), Bucket="kettle")[:2] == (404, code)
    assert refused(getattr(s3, operation), Bucket="nowhere")[:2] == (404, "NoSuchBucket")


def test_object_acl_and_locks(s3, refused):
    s3.put_object(Bucket="kettle", Key="k", Body=b"x")
    assert s3.get_object_acl(Bucket="kettle", Key="k")["Owner"]["ID"]
    assert refused(s3.get_object_acl, Bucket="kettle", Key="no")[:2] == (404, "NoSuchKey")
    lock = refused(s3.get_object_retention, Bucket="kettle", Key="k")
    assert lock == (400, "InvalidRequest", "Bucket is missing Object Lock Configuration")


def test_what_is_not_implemented_says_so_and_changes_nothing(s3, refused, http):
    s3.put_object(Bucket="kettle", Key="k", Body=b"x")
    policy = refused(s3.put_bucket_policy, Bucket="kettle", Policy="{}")
    assert policy[:2] == (501, "NotImplemented")
    assert "?policy" in policy[2]
    assert refused(s3.get_object_torrent, Bucket="kettle", Key="k")[:2] == (501, "NotImplemented")
    assert http.put("/kettle/k?acl", content=b"").status_code == 501
    assert http.delete("/kettle?policy").status_code == 501
    assert http.post("/").status_code == 405
    assert http.request("OPTIONS", "/kettle/k").status_code == 405
    s3.head_bucket(Bucket="kettle")
    assert s3.get_object(Bucket="kettle", Key="k")["Body"].read() == b"x"


def test_every_operation_is_one_of_s3s_with_its_method():
    model = botocore.session.get_session().get_service_model("s3")
    for (method, level, _), operation in OPERATIONS.items():
        http = model.operation_model(operation.name).http
        assert http["method"] == method
        path = http["requestUri"].partition("?")[0]
        assert {"/": "service", "/{Bucket}": "bucket"}.get(path, "object") == level


def test_every_error_has_a_status_and_a_message():
    for code, (status, message) in ANSWERS.items():
        assert 400 <= status < 600, code
        assert message[0].isupper(), code
