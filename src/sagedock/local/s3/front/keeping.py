"""Headers that S3 keeps with an object, and gives back with it."""

from collections.abc import Mapping
from email.utils import format_datetime
from urllib.parse import parse_qsl

from sagedock.local.s3.errors import S3Error
from sagedock.local.s3.model import Checksum, Kept, StoredObject

__all__ = [
    "check_tags",
    "checksum_headers",
    "encryption_headers",
    "kept_from",
    "object_headers",
    "tags_from",
]

_META = "x-amz-meta-"
_KEPT = (
    "cache-control",
    "content-disposition",
    "content-language",
    "expires",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-bucket-key-enabled",
    "x-amz-website-redirect-location",
)
#: Source: userguide/UsingMetadata.html (2 KB of names and values)
_LARGEST_METADATA = 2048
#: Source: userguide/object-tagging.html
_TAGS, _TAG_KEY, _TAG_VALUE = 10, 128, 256


def kept_from(headers: Mapping[str, str]) -> Kept:
    """Return what S3 keeps of a PUT's headers. Raises MetadataTooLarge or InvalidTag."""
    if "x-amz-server-side-encryption-customer-algorithm" in headers:
        raise S3Error("NotImplemented", Header="x-amz-server-side-encryption-customer-algorithm")
    kept = {name: headers[name] for name in _KEPT if headers.get(name)}
    kept["content-type"] = headers.get("content-type") or "binary/octet-stream"
    if encoding := _content_encoding(headers.get("content-encoding", "")):
        kept["content-encoding"] = encoding
    if headers.get("x-amz-storage-class", "STANDARD") != "STANDARD":
        kept["x-amz-storage-class"] = headers["x-amz-storage-class"]
    kept |= _user_metadata(headers)
    return Kept(headers=kept, tags=tags_from(headers.get("x-amz-tagging", "")))


def _content_encoding(given: str) -> str:
    """Return the object's own encoding: ``aws-chunked`` is the request's."""
    names = [name.strip() for name in given.split(",")]
    return ",".join(name for name in names if name and name.lower() != "aws-chunked")


def _user_metadata(headers: Mapping[str, str]) -> dict[str, str]:
    found = {name: value for name, value in headers.items() if name.startswith(_META)}
    size = sum(len(name) - len(_META) + len(value) for name, value in found.items())
    if size > _LARGEST_METADATA:
        raise S3Error("MetadataTooLarge", Size=size, MaxSizeAllowed=_LARGEST_METADATA)
    return found


def tags_from(given: str) -> dict[str, str]:
    """Read the ``x-amz-tagging`` header, which is a query string."""
    pairs = parse_qsl(given, keep_blank_values=True)
    check_tags(pairs)
    return dict(pairs)


def check_tags(pairs: list[tuple[str, str]]) -> None:
    """Raise BadRequest or InvalidTag where S3 would not take these tags."""
    if len(pairs) > _TAGS:
        raise S3Error("BadRequest", f"Object tags cannot be greater than {_TAGS}")
    if len({name for name, _ in pairs}) < len(pairs):
        raise S3Error("InvalidTag", "Cannot provide multiple Tags with the same key")
    for name, value in pairs:
        if not 1 <= len(name) <= _TAG_KEY:
            raise S3Error("InvalidTag", "The TagKey you have provided is invalid", TagKey=name)
        if len(value) > _TAG_VALUE:
            raise S3Error("InvalidTag", "The TagValue you have provided is invalid", TagKey=name)


def object_headers(found: StoredObject) -> dict[str, str]:
    """Return the headers that describe an object, less those of its checksum."""
    headers = {
        **found.kept.headers,
        **encryption_headers(found.kept),
        "content-type": found.content_type,
        "etag": f'"{found.etag}"',
        "last-modified": format_datetime(found.modified, usegmt=True),
        "accept-ranges": "bytes",
    }
    if found.kept.tags:
        headers["x-amz-tagging-count"] = str(len(found.kept.tags))
    return headers


def encryption_headers(kept: Kept) -> dict[str, str]:
    """Return the headers that say how S3 would encrypt an object; nothing is encrypted here."""
    start = "x-amz-server-side-encryption"
    told = {name: value for name, value in kept.headers.items() if name.startswith(start)}
    return {start: "AES256"} | told


def checksum_headers(checksum: Checksum | None) -> dict[str, str]:
    """Return the headers that tell a checksum; none where there is none."""
    if checksum is None:
        return {}
    return {
        f"x-amz-checksum-{checksum.algorithm}": checksum.value,
        "x-amz-checksum-type": checksum.type,
    }
