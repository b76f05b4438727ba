"""Sub-resources, and the table of operations against the service's own model."""

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel

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
    website = refused(s3.delete_bucket_website, Bucket="kettle")
    assert website[:2] == (501, "NotImplemented")
    assert "?website" in website[2]
    assert refused(s3.get_object_torrent, Bucket="kettle", Key="k")[:2] == (501, "NotImplemented")
    assert http.put("/kettle/k?acl", content=b"").status_code == 501
    assert http.delete("/kettle?cors").status_code == 501
    assert http.post("/").status_code == 405
    assert http.request("OPTIONS", "/kettle/k").status_code == 405
    s3.head_bucket(Bucket="kettle")
    assert s3.get_object(Bucket="kettle", Key="k")["Body"].read() == b"x"


def test_every_operation_is_one_of_s3s_with_its_method():
    # Clients change the model that they share: this is the one that botocore comes with.
    model = ServiceModel(Loader().load_service_model("s3", "service-2"))
    for (method, level, _), operation in OPERATIONS.items():
        http = model.operation_model(operation.name).http
        assert http["method"] == method
        path = http["requestUri"].partition("?")[0]
        assert {"/": "service", "/{Bucket}": "bucket"}.get(path, "object") == level


def test_every_error_has_a_status_and_a_message():
    for code, (status, message) in ANSWERS.items():
        assert 400 <= status < 600, code
        assert message[0].isupper(), code


#: What Get answers without the name that Put gives it.
_FLAT = ("bucket_lifecycle_configuration", "bucket_tagging")


def settings():
    """Return what is set of a bucket: the operation's name after Put or Get, and its parameters."""
    rule = {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "a/"}, "Expiration": {"Days": 3}}
    default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    blocks = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    return {
        "bucket_lifecycle_configuration": {"LifecycleConfiguration": {"Rules": [rule]}},
        "bucket_encryption": {
            "ServerSideEncryptionConfiguration": {
                "Rules": [{**default, "BucketKeyEnabled": True}],
            }
        },
        "bucket_ownership_controls": {
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
        },
        "public_access_block": {
            "PublicAccessBlockConfiguration": dict.fromkeys(blocks, False),
        },
        "bucket_tagging": {"Tagging": {"TagSet": [{"Key": "k", "Value": "v & w"}]}},
        "bucket_policy": {"Policy": '{"Version": "2012-10-17", "Statement": []}'},
    }


def got(s3, name):
    """Return what Get answers, or the code with which it says that there is nothing."""
    try:
        answer = getattr(s3, f"get_{name}")(Bucket="kettle")
    except s3.exceptions.ClientError as error:
        return error.response["Error"]["Code"]
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


@pytest.mark.parametrize("name", sorted(settings()))
def test_what_is_set_is_answered_and_can_be_taken_back(s3, refused, name):
    words, before = settings()[name], got(s3, name)
    getattr(s3, f"put_{name}")(Bucket="kettle", **words)
    inside = next(iter(words.values()))
    assert got(s3, name) == (inside if name in _FLAT else words)
    nowhere = refused(getattr(s3, f"put_{name}"), Bucket="nowhere", **words)
    assert nowhere[:2] == (404, "NoSuchBucket")
    getattr(s3, f"delete_{name.removesuffix('_configuration')}")(Bucket="kettle")
    assert got(s3, name) == before


def test_a_setting_goes_with_its_bucket(s3, refused):
    where = {"Bucket": "brief"}
    s3.create_bucket(**where, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_bucket_policy(**where, **settings()["bucket_policy"])
    s3.delete_bucket(**where)
    s3.create_bucket(**where, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    assert refused(s3.get_bucket_policy, **where)[:2] == (404, "NoSuchBucketPolicy")


def test_a_document_that_is_none_is_refused(s3, refused, http):
    assert refused(s3.put_bucket_policy, Bucket="kettle", Policy="no")[:2] == (
        400,
        "MalformedPolicy",
    )
    assert refused(s3.put_bucket_policy, Bucket="kettle", Policy="{}")[:2] == (
        400,
        "MalformedPolicy",
    )
    assert http.put("/kettle?tagging", content=b"<Other/>").status_code == 400
