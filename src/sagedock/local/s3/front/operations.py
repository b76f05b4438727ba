"""The table of S3's operations: method, what it is about, and the word that tells them apart."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sagedock.local.s3.errors import S3Error
from sagedock.local.s3.front import (
    buckets,
    completing,
    copying,
    listings,
    multipart,
    parts,
    reading,
    settings,
    writing,
)
from sagedock.local.s3.front.answer import Answer
from sagedock.local.s3.front.call import Call, Level
from sagedock.local.s3.front.envelope import Envelope
from sagedock.local.s3.front.service import Service
from sagedock.local.s3.incoming import Incoming

__all__ = ["OPERATIONS", "Operation", "Simple", "Streaming", "operation_of"]


@dataclass(frozen=True)
class Simple:
    """An operation whose request has no body, or (``reads``) a small document."""

    name: str
    handle: Callable[[Service, Call], Answer]
    reads: bool = False


@dataclass(frozen=True)
class Streaming:
    """An operation whose body goes to disk: ``open`` may refuse it before it is read."""

    name: str
    open: Callable[[Service, Call], tuple[Envelope, Incoming]]
    finish: Callable[[Service, Call, Incoming], Answer]


Operation = Simple | Streaming
#: The word is a parameter of the query, ``x-amz-copy-source`` where that header is there, both
#: joined by ``+``, or nothing.
_Place = tuple[str, Level, str]

_COPY = "x-amz-copy-source"

_SET = {
    "encryption": "BucketEncryption",
    "lifecycle": "BucketLifecycleConfiguration",
    "ownershipControls": "BucketOwnershipControls",
    "policy": "BucketPolicy",
    "publicAccessBlock": "PublicAccessBlock",
    "tagging": "BucketTagging",
}

_BUCKETS: Mapping[_Place, Operation] = {
    ("GET", "service", ""): Simple("ListBuckets", buckets.list_buckets),
    ("PUT", "bucket", ""): Simple("CreateBucket", buckets.create_bucket, reads=True),
    ("HEAD", "bucket", ""): Simple("HeadBucket", buckets.head_bucket),
    ("DELETE", "bucket", ""): Simple("DeleteBucket", buckets.delete_bucket),
    ("GET", "bucket", ""): Simple("ListObjects", listings.list_objects),
    ("GET", "bucket", "list-type"): Simple("ListObjectsV2", listings.list_objects_v2),
    ("GET", "bucket", "versions"): Simple("ListObjectVersions", listings.list_object_versions),
    ("GET", "bucket", "location"): Simple("GetBucketLocation", buckets.get_bucket_location),
    ("GET", "bucket", "uploads"): Simple("ListMultipartUploads", multipart.list_multipart_uploads),
    ("POST", "bucket", "delete"): Simple("DeleteObjects", writing.delete_objects, reads=True),
    ("GET", "bucket", "acl"): Simple("GetBucketAcl", settings.get_acl),
    **{
        ("GET", "bucket", word): Simple(name, settings.get_bucket_setting)
        for word, name in {
            "accelerate": "GetBucketAccelerateConfiguration",
            "cors": "GetBucketCors",
            "encryption": "GetBucketEncryption",
            "lifecycle": "GetBucketLifecycleConfiguration",
            "logging": "GetBucketLogging",
            "notification": "GetBucketNotificationConfiguration",
            "object-lock": "GetObjectLockConfiguration",
            "ownershipControls": "GetBucketOwnershipControls",
            "policy": "GetBucketPolicy",
            "policyStatus": "GetBucketPolicyStatus",
            "publicAccessBlock": "GetPublicAccessBlock",
            "replication": "GetBucketReplication",
            "requestPayment": "GetBucketRequestPayment",
            "tagging": "GetBucketTagging",
            "versioning": "GetBucketVersioning",
            "website": "GetBucketWebsite",
        }.items()
    },
    **{
        ("PUT", "bucket", word): Simple(f"Put{name}", settings.put_bucket_setting, reads=True)
        for word, name in _SET.items()
    },
    **{
        ("DELETE", "bucket", word): Simple(
            f"Delete{name}".removesuffix("Configuration"), settings.delete_bucket_setting
        )
        for word, name in _SET.items()
    },
}

_OBJECTS: Mapping[_Place, Operation] = {
    ("PUT", "object", ""): Streaming("PutObject", writing.open_put_object, writing.put_object),
    ("PUT", "object", _COPY): Simple("CopyObject", copying.copy_object),
    ("GET", "object", ""): Simple("GetObject", reading.get_object),
    ("HEAD", "object", ""): Simple("HeadObject", reading.head_object),
    ("DELETE", "object", ""): Simple("DeleteObject", writing.delete_object),
    ("GET", "object", "attributes"): Simple("GetObjectAttributes", reading.get_object_attributes),
    ("GET", "object", "acl"): Simple("GetObjectAcl", settings.get_acl),
    ("GET", "object", "retention"): Simple("GetObjectRetention", settings.get_object_lock),
    ("GET", "object", "legal-hold"): Simple("GetObjectLegalHold", settings.get_object_lock),
    ("GET", "object", "tagging"): Simple("GetObjectTagging", writing.get_object_tagging),
    ("PUT", "object", "tagging"): Simple(
        "PutObjectTagging", writing.put_object_tagging, reads=True
    ),
    ("DELETE", "object", "tagging"): Simple("DeleteObjectTagging", writing.delete_object_tagging),
    ("POST", "object", "uploads"): Simple(
        "CreateMultipartUpload", multipart.create_multipart_upload
    ),
    ("PUT", "object", "uploadId"): Streaming(
        "UploadPart", parts.open_upload_part, parts.upload_part
    ),
    ("PUT", "object", f"uploadId+{_COPY}"): Simple("UploadPartCopy", parts.upload_part_copy),
    ("POST", "object", "uploadId"): Simple(
        "CompleteMultipartUpload", completing.complete_multipart_upload, reads=True
    ),
    ("DELETE", "object", "uploadId"): Simple(
        "AbortMultipartUpload", multipart.abort_multipart_upload
    ),
    ("GET", "object", "uploadId"): Simple("ListParts", parts.list_parts),
}

OPERATIONS: Mapping[_Place, Operation] = {**_BUCKETS, **_OBJECTS}

#: Sub-resources of S3 that no operation above answers; without them they would pass for others.
_UNANSWERED = {
    "abac",
    "analytics",
    "annotation",
    "intelligent-tiering",
    "inventory",
    "metadataConfiguration",
    "metadataTable",
    "metrics",
    "renameObject",
    "restore",
    "select",
    "session",
    "torrent",
}
_WORDS = {word.partition("+")[0] for _, _, word in OPERATIONS if word != _COPY} | _UNANSWERED
_METHODS = {method for method, _, _ in OPERATIONS}


def operation_of(call: Call) -> Operation:
    """Return the operation that a request asks for. Raises NotImplemented or MethodNotAllowed."""
    words = [name for name in call.query if name in _WORDS - {""}][:1]
    if call.method == "PUT" and call.headers.get(_COPY):
        words.append(_COPY)
    word = "+".join(words)
    found = OPERATIONS.get((call.method, call.level, word))
    if found:
        return found
    if word and call.method in _METHODS:
        raise S3Error(
            "NotImplemented",
            f"The local S3 does not implement {call.method} ?{word} of a {call.level}.",
        )
    raise S3Error("MethodNotAllowed", Method=call.method, ResourceType=call.level.upper())
