"""Sub-resources that clients read of a bucket or an object: nobody can set them here.

Each answers what S3 answers for a bucket that was just created.
"""

from collections.abc import Mapping

from sagedock.local.s3 import xml
from sagedock.local.s3.errors import S3Error
from sagedock.local.s3.front.answer import Answer, in_xml
from sagedock.local.s3.front.call import Call
from sagedock.local.s3.front.service import Service

__all__ = ["get_acl", "get_bucket_setting", "get_object_lock"]

_SCHEMA = "http://www.w3.org/2001/XMLSchema-instance"

_SETTINGS: Mapping[str, tuple[str, xml.Node]] = {
    "accelerate": ("AccelerateConfiguration", ()),
    "encryption": (
        "ServerSideEncryptionConfiguration",
        (
            (
                "Rule",
                (
                    ("ApplyServerSideEncryptionByDefault", (("SSEAlgorithm", "AES256"),)),
                    ("BucketKeyEnabled", False),
                ),
            ),
        ),
    ),
    "logging": ("BucketLoggingStatus", ()),
    "notification": ("NotificationConfiguration", ()),
    "ownershipControls": (
        "OwnershipControls",
        (("Rule", (("ObjectOwnership", "BucketOwnerEnforced"),)),),
    ),
    "publicAccessBlock": (
        "PublicAccessBlockConfiguration",
        (
            ("BlockPublicAcls", True),
            ("IgnorePublicAcls", True),
            ("BlockPublicPolicy", True),
            ("RestrictPublicBuckets", True),
        ),
    ),
    "requestPayment": ("RequestPaymentConfiguration", (("Payer", "BucketOwner"),)),
    "versioning": ("VersioningConfiguration", ()),
}

_ABSENT = {
    "cors": "NoSuchCORSConfiguration",
    "lifecycle": "NoSuchLifecycleConfiguration",
    "object-lock": "ObjectLockConfigurationNotFoundError",
    "policy": "NoSuchBucketPolicy",
    "policyStatus": "NoSuchBucketPolicy",
    "replication": "ReplicationConfigurationNotFoundError",
    "tagging": "NoSuchTagSet",
    "website": "NoSuchWebsiteConfiguration",
}


def get_bucket_setting(service: Service, call: Call) -> Answer:
    """Answer the first setting that the query names, of a bucket that exists."""
    service.store.folder(call.bucket)
    for name in call.query:
        if name in _SETTINGS:
            return in_xml(*_SETTINGS[name])
        if name in _ABSENT:
            raise S3Error(_ABSENT[name], BucketName=call.bucket)
    raise S3Error("NotImplemented")


def get_acl(service: Service, call: Call) -> Answer:
    """GetBucketAcl and GetObjectAcl: the owner may do everything."""
    if call.key:
        service.store.get(call.bucket, call.key)
    service.store.folder(call.bucket)
    # The grantee's kind is an attribute, which nothing else in S3's answers has.
    grantee = f'Grantee xmlns:xsi="{_SCHEMA}" xsi:type="CanonicalUser"'
    grant: xml.Node = ((grantee, service.owner), ("Permission", "FULL_CONTROL"))
    answer = in_xml(
        "AccessControlPolicy",
        (("Owner", service.owner), ("AccessControlList", (("Grant", grant),))),
    )
    body = answer.body.replace(f"</{grantee}>".encode(), b"</Grantee>")
    return Answer(headers=answer.headers, body=body)


def get_object_lock(service: Service, call: Call) -> Answer:
    """GetObjectRetention and GetObjectLegalHold, of a bucket without Object Lock."""
    service.store.get(call.bucket, call.key)
    raise S3Error("InvalidRequest", "Bucket is missing Object Lock Configuration")
