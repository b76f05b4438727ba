"""CopyObject, and the source of any copy."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO
from urllib.parse import unquote

from sagedock.local.s3.checksums import ALGORITHMS, DEFAULT_ALGORITHM
from sagedock.local.s3.errors import S3Error
from sagedock.local.s3.front.answer import Answer, in_xml, timestamp
from sagedock.local.s3.front.call import Call
from sagedock.local.s3.front.conditions import check_copy, guard_write
from sagedock.local.s3.front.keeping import encryption_headers, kept_from, tags_from
from sagedock.local.s3.front.reading import checksum_element
from sagedock.local.s3.front.service import Service
from sagedock.local.s3.front.writing import whole_checksum
from sagedock.local.s3.incoming import Incoming, copy_range
from sagedock.local.s3.model import Kept, StoredObject

__all__ = ["copy_object", "open_source"]

#: Source: API_CopyObject.html
_LARGEST_SOURCE = 5 * 1024**3


@dataclass(frozen=True, kw_only=True)
class _Source:
    """An open object that is to be copied."""

    object: StoredObject
    file: BinaryIO


@contextlib.contextmanager
def open_source(service: Service, call: Call) -> Iterator[_Source]:
    """Open the object that ``x-amz-copy-source`` names, and check the conditions on it."""
    named = call.headers["x-amz-copy-source"].partition("?versionId=")[0]
    bucket, _, key = unquote(named).removeprefix("/").partition("/")
    if not key:
        raise S3Error(
            "InvalidArgument",
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
            ArgumentName="x-amz-copy-source",
            ArgumentValue=named,
        )
    found, file = service.store.open(bucket, key)
    with file:
        check_copy(found, call.headers)
        yield _Source(object=found, file=file)


def copy_object(service: Service, call: Call) -> Answer:
    """CopyObject: the bytes are hashed anew, since a multipart object's copy is put whole."""
    service.store.folder(call.bucket)
    with open_source(service, call) as source:
        _check_copyable(source.object, call)
        kept = _kept(source.object, call)
        algorithm = _algorithm(source.object, call)
        with Incoming(service.store.temporary(), [algorithm]) as copy:
            copy_range(source.file, 0, source.object.size, copy)
            kept = replace(kept, etag=copy.digests.md5.hex(), checksum=whole_checksum(copy))
            guard = guard_write(call.key, call.headers)
            stored = service.store.put(call.bucket, call.key, copy.finish(), kept, guard)
    return _answer(stored, kept)


def _answer(stored: StoredObject, kept: Kept) -> Answer:
    checksum = kept.checksum
    told = [(checksum_element(checksum.algorithm), checksum.value)] if checksum else []
    content = [
        ("LastModified", timestamp(stored.modified)),
        ("ETag", f'"{kept.etag}"'),
        *told,
        ("ChecksumType", "FULL_OBJECT"),
    ]
    return in_xml("CopyObjectResult", content, encryption_headers(kept))


def _check_copyable(source: StoredObject, call: Call) -> None:
    if source.size > _LARGEST_SOURCE:
        raise S3Error(
            "InvalidRequest",
            "The specified copy source is larger than the maximum allowable size for a copy "
            f"source: {_LARGEST_SOURCE}",
        )
    same = (source.bucket, source.key) == (call.bucket, call.key)
    changes = {"x-amz-storage-class", "x-amz-server-side-encryption", "x-amz-checksum-algorithm"}
    if same and not _replaces(call, "metadata") and not changes & set(call.headers):
        raise S3Error(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without "
            "changing the object's metadata, storage class, website redirect location or "
            "encryption attributes.",
        )


def _kept(source: StoredObject, call: Call) -> Kept:
    """Return what the copy keeps: the source's, or what the request says where it replaces that."""
    given = kept_from(call.headers)
    start = ("x-amz-server-side-encryption", "x-amz-storage-class")
    own = {name: value for name, value in given.headers.items() if name.startswith(start)}
    headers = {
        name: value for name, value in source.kept.headers.items() if not name.startswith(start)
    }
    if _replaces(call, "metadata"):
        headers = dict(given.headers)
    tags = source.kept.tags
    if _replaces(call, "tagging"):
        tags = tags_from(call.headers.get("x-amz-tagging", ""))
    return Kept(headers=headers | own, tags=tags)


def _replaces(call: Call, what: str) -> bool:
    # The text of the refusal is unverified.
    directive = call.headers.get(f"x-amz-{what}-directive", "COPY")
    if directive not in ("COPY", "REPLACE"):
        raise S3Error(
            "InvalidArgument",
            f"Unknown {what} directive.",
            ArgumentName=f"x-amz-{what}-directive",
            ArgumentValue=directive,
        )
    return directive == "REPLACE"


def _algorithm(source: StoredObject, call: Call) -> str:
    """Return the checksum to compute: the one asked for, or the source's, or S3's own."""
    asked = call.headers.get("x-amz-checksum-algorithm", "").lower()
    of_source = source.kept.checksum.algorithm if source.kept.checksum else DEFAULT_ALGORITHM
    if asked and asked not in ALGORITHMS:
        raise S3Error("InvalidRequest", "Checksum algorithm provided is unsupported.")
    return asked or of_source
