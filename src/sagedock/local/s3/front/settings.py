"""Sub-resources that clients read of a bucket or an object, and those of buckets that they set.

Each answers what was set, or what S3 answers for a bucket that was just created. What is set has no
effect here: nothing expires, and no policy refuses anybody.
"""

import json
from collections.abc import Mapping
from xml.etree.ElementTree import Element

from sagedock.local.s3 import xml
from sagedock.local.s3.errors import S3Error
from sagedock.local.s3.front.answer import Answer, in_xml
from sagedock.local.s3.front.call import Call
from sagedock.local.s3.front.service import Service

__all__ = [
    "SETTABLE",
    "delete_bucket_setting",
    "get_acl",
    "get_bucket_setting",
    "get_object_lock",
    "put_bucket_setting",
]

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


#: What can be set, and the root of its document; a policy is JSON.
SETTABLE: Mapping[str, str] = {
    "encryption": "ServerSideEncryptionConfiguration",
    "lifecycle": "LifecycleConfiguration",
    "ownershipControls": "OwnershipControls",
    "policy": "",
    "publicAccessBlock": "PublicAccessBlockConfiguration",
    "tagging": "Tagging",
}


def put_bucket_setting(service: Service, call: Call) -> Answer:
    """Keep the setting that the query names. Raises MalformedXML, MalformedPolicy."""
    service.store.folder(call.bucket)
    name = _settable(call)
    document = _policy(call.body) if name == "policy" else _canonical(call.body, SETTABLE[name])
    service.store.settings.save(call.bucket, name, document)
    return Answer(status=200 if name not in ("policy", "tagging") else 204)


def delete_bucket_setting(service: Service, call: Call) -> Answer:
    """Forget the setting that the query names."""
    service.store.folder(call.bucket)
    service.store.settings.drop(call.bucket, _settable(call))
    return Answer(status=204)


def _settable(call: Call) -> str:
    return next(name for name in call.query if name in SETTABLE)


def _policy(body: bytes) -> bytes:
    """Return a policy as it was sent, if it is a JSON object (the code and the text: unverified for
    anything but text that is no JSON).
    """
    try:
        found = json.loads(body)
    except ValueError:
        raise S3Error("MalformedPolicy") from None
    if not isinstance(found, dict) or "Statement" not in found:
        raise S3Error("MalformedPolicy", "Missing required field Statement")
    return body


def _canonical(body: bytes, root: str) -> bytes:
    """Return a document as S3 writes it, whatever prefixes the client gave its names."""
    return xml.write(root, tuple(_nodes(xml.parse(body, root))))


def _nodes(parent: Element) -> "tuple[tuple[str, xml.Node], ...]":
    return tuple(
        (child.tag.rpartition("}")[2], _nodes(child) if len(child) else child.text or "")
        for child in parent
    )


def get_bucket_setting(service: Service, call: Call) -> Answer:
    """Answer the first setting that the query names, of a bucket that exists."""
    service.store.folder(call.bucket)
    for name in call.query:
        if name in SETTABLE and (kept := service.store.settings.get(call.bucket, name)):
            return _kept(name, kept)
        if name in _SETTINGS:
            return in_xml(*_SETTINGS[name])
        if name in _ABSENT:
            raise S3Error(_ABSENT[name], BucketName=call.bucket)
    raise S3Error("NotImplemented")


def _kept(name: str, document: bytes) -> Answer:
    media_type = "application/json" if name == "policy" else "application/xml"
    return Answer(headers={"content-type": media_type}, body=document)


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
