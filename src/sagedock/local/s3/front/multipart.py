"""Multipart uploads: create, abort, and list those in progress."""

from dataclasses import dataclass
from typing import get_args

from sagedock.local.s3 import xml
from sagedock.local.s3.checksums import ALGORITHMS, CAN_COVER_AN_OBJECT
from sagedock.local.s3.errors import S3Error
from sagedock.local.s3.front.answer import Answer, in_xml, timestamp
from sagedock.local.s3.front.call import Call
from sagedock.local.s3.front.keeping import encryption_headers, kept_from
from sagedock.local.s3.front.listings import common_prefixes, encoder
from sagedock.local.s3.front.service import Service
from sagedock.local.s3.keys import check_key
from sagedock.local.s3.listing import common_prefix
from sagedock.local.s3.model import ChecksumType
from sagedock.local.s3.uploads import Upload

__all__ = [
    "abort_multipart_upload",
    "create_multipart_upload",
    "list_multipart_uploads",
    "upload_of",
]


def create_multipart_upload(service: Service, call: Call) -> Answer:
    """CreateMultipartUpload."""
    check_key(call.key)
    service.store.folder(call.bucket)
    declared = call.headers.get("x-amz-checksum-algorithm", "").lower()
    kind = _checksum_type(declared, call.headers.get("x-amz-checksum-type", ""))
    kept = kept_from(call.headers)
    upload = service.store.uploads.create(call.bucket, call.key, declared, kind, kept)
    told = encryption_headers(kept)
    if declared:
        told |= {"x-amz-checksum-algorithm": declared.upper(), "x-amz-checksum-type": kind}
    content = (("Bucket", call.bucket), ("Key", call.key), ("UploadId", upload.id))
    return in_xml("InitiateMultipartUploadResult", content, told)


def _checksum_type(declared: str, asked: str) -> ChecksumType:
    """Return what the finished object's checksum covers. Raises InvalidRequest.

    A CRC can cover the object or its parts' checksums, CRC64NVME the object alone, a hash the
    parts' alone. Source: API_CreateMultipartUpload.html
    """
    if declared and declared not in ALGORITHMS:
        raise S3Error("InvalidRequest", "Checksum algorithm provided is unsupported.")
    if asked and not declared:
        raise S3Error(
            "InvalidRequest",
            "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm "
            "header.",
        )
    usual: ChecksumType = "FULL_OBJECT" if declared in ("", "crc64nvme") else "COMPOSITE"
    if not asked:
        return usual
    kinds: dict[str, ChecksumType] = {kind: kind for kind in get_args(ChecksumType)}
    if asked not in kinds:
        raise S3Error("InvalidRequest", "Value for x-amz-checksum-type header is invalid.")
    cannot_cover = asked == "FULL_OBJECT" and declared not in CAN_COVER_AN_OBJECT
    if cannot_cover or (asked == "COMPOSITE" and declared == "crc64nvme"):
        raise S3Error(
            "InvalidRequest",
            f"The {asked} checksum type cannot be used with the {declared} checksum algorithm.",
        )
    return kinds[asked]


def upload_of(service: Service, call: Call) -> Upload:
    """Return the upload that a request is about. Raises NoSuchBucket or NoSuchUpload."""
    service.store.folder(call.bucket)
    return service.store.uploads.get(call.bucket, call.key, call.query["uploadId"])


def abort_multipart_upload(service: Service, call: Call) -> Answer:
    """AbortMultipartUpload: its parts are gone afterwards."""
    service.store.uploads.end(upload_of(service, call))
    return Answer(status=204)


@dataclass(frozen=True, kw_only=True)
class _Page:
    """``last`` is the upload that the next page starts after."""

    uploads: tuple[Upload, ...]
    prefixes: tuple[str, ...]
    last: Upload | None
    truncated: bool


def list_multipart_uploads(service: Service, call: Call) -> Answer:
    """ListMultipartUploads, by prefix and delimiter, in pages."""
    service.store.folder(call.bucket)
    encode = encoder(call)
    page = _page(service.store.uploads.all(call.bucket, call.query.get("prefix", "")), call)
    head: list[tuple[str, xml.Node]] = [
        ("Bucket", call.bucket),
        ("KeyMarker", encode(call.query.get("key-marker", ""))),
        ("UploadIdMarker", call.query.get("upload-id-marker", "")),
        ("Prefix", encode(call.query.get("prefix", ""))),
        ("Delimiter", encode(call.query.get("delimiter", ""))),
        ("MaxUploads", call.count("max-uploads")),
        ("IsTruncated", page.truncated),
    ]
    if kind := call.query.get("encoding-type"):
        head.append(("EncodingType", kind))
    if page.truncated and page.last:
        head += [("NextKeyMarker", encode(page.last.key)), ("NextUploadIdMarker", page.last.id)]
    shown: list[tuple[str, xml.Node]] = [
        ("Upload", _upload_fields(service, upload, encode(upload.key))) for upload in page.uploads
    ]
    prefixes = common_prefixes(page.prefixes, encode)
    return in_xml("ListMultipartUploadsResult", [*head, *shown, *prefixes])


def _page(uploads: list[Upload], call: Call) -> _Page:
    prefix, delimiter = call.query.get("prefix", ""), call.query.get("delimiter", "")
    limit = call.count("max-uploads")
    shown: list[Upload] = []
    prefixes: list[str] = []
    last = None
    truncated = False
    for upload in _after_marker(uploads, call):
        common = common_prefix(upload.key, prefix, delimiter)
        if common not in prefixes:
            if len(shown) + len(prefixes) >= limit:
                truncated = limit > 0
                break
            if common:
                prefixes.append(common)
            else:
                shown.append(upload)
        last = upload
    return _Page(uploads=tuple(shown), prefixes=tuple(prefixes), last=last, truncated=truncated)


def _after_marker(uploads: list[Upload], call: Call) -> list[Upload]:
    """Return the uploads after the key marker, or after one upload of that very key."""
    key, identity = call.query.get("key-marker", ""), call.query.get("upload-id-marker", "")
    known = [upload.id for upload in uploads]
    if key and identity in known:
        return uploads[known.index(identity) + 1 :]
    return [upload for upload in uploads if upload.key > key]


def _upload_fields(service: Service, upload: Upload, key: str) -> xml.Node:
    fields: list[tuple[str, xml.Node]] = [
        ("Key", key),
        ("UploadId", upload.id),
        ("Initiator", service.owner),
        ("Owner", service.owner),
        ("StorageClass", upload.kept.headers.get("x-amz-storage-class", "STANDARD")),
        ("Initiated", timestamp(upload.initiated)),
    ]
    if upload.declared:
        fields += [
            ("ChecksumAlgorithm", upload.declared.upper()),
            ("ChecksumType", upload.type),
        ]
    return fields
