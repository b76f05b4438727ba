"""Which bucket names and object keys S3 takes, and which keys can be plain files."""

import re

from sagedock.local.s3.errors import S3Error

__all__ = ["KEY_BYTES", "check_bucket_name", "check_key", "is_bucket_name", "is_plain"]

#: Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"(?!xn--|sthree-|amzn-s3-demo-)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_RESERVED_ENDS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")

#: Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
KEY_BYTES = 1024
#: NAME_MAX of the file systems of Linux and macOS.
_SEGMENT_BYTES = 255


def is_bucket_name(name: str) -> bool:
    """Say whether S3 allows ``name`` for a general purpose bucket."""
    return (
        _BUCKET.fullmatch(name) is not None
        and ".." not in name
        and not name.endswith(_RESERVED_ENDS)
        and not _ADDRESS.fullmatch(name)
    )


def check_bucket_name(name: str) -> None:
    """Raise InvalidBucketName unless S3 allows ``name``."""
    if not is_bucket_name(name):
        raise S3Error("InvalidBucketName", BucketName=name)


def check_key(key: str) -> None:
    """Raise unless S3 takes ``key``: at most 1024 bytes, and no ``..`` segment.

    S3 itself answers 400 with no code to a path that climbs; the code here is unverified.
    """
    size = len(key.encode())
    if size > KEY_BYTES:
        raise S3Error("KeyTooLongError", Size=size, MaxSizeAllowed=KEY_BYTES)
    if ".." in key.split("/"):
        raise S3Error("InvalidURI", Key=key)


def is_plain(key: str) -> bool:
    """Say whether ``key`` can be the path of a file below the bucket's folder."""
    return "\0" not in key and all(
        segment not in ("", ".", "..") and len(segment.encode()) <= _SEGMENT_BYTES
        for segment in key.split("/")
    )
