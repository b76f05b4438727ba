"""The local S3: an object store over plain files, and the HTTP front that speaks S3's API."""

from sagedock.local.s3.errors import NoSuchBucket, NoSuchKey, S3Error
from sagedock.local.s3.front.app import s3_app
from sagedock.local.s3.keys import check_key
from sagedock.local.s3.model import Bucket, StoredObject
from sagedock.local.s3.store import ObjectStore

__all__ = [
    "Bucket",
    "NoSuchBucket",
    "NoSuchKey",
    "ObjectStore",
    "S3Error",
    "StoredObject",
    "check_key",
    "s3_app",
]
