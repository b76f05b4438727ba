"""CompleteMultipartUpload: many parts become one object."""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sagedock.local.s3 import xml
from sagedock.local.s3.checksums import combined, composite
from sagedock.local.s3.errors import S3Error
from sagedock.local.s3.front.answer import Answer, in_xml
from sagedock.local.s3.front.call import Call
from sagedock.local.s3.front.conditions import guard_write
from sagedock.local.s3.front.keeping import encryption_headers
from sagedock.local.s3.front.multipart import upload_of
from sagedock.local.s3.front.reading import checksum_element
from sagedock.local.s3.front.service import Service
from sagedock.local.s3.incoming import CHUNK
from sagedock.local.s3.model import Checksum, ObjectPart, StoredObject
from sagedock.local.s3.uploads import Part, Upload

__all__ = ["complete_multipart_upload"]

#: Every part but the last has at least this size (bytes). Source: userguide/qfacts.html
_SMALLEST_PART = 5 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class _Named:
    """A part as the request names it."""

    number: int
    etag: str
    checksums: Mapping[str, str]


def complete_multipart_upload(service: Service, call: Call) -> Answer:
    """CompleteMultipartUpload. Asked again after it succeeded, it succeeds again."""
    named = _read_parts(call.body)
    done = service.store.find(call.bucket, call.key)
    if done and done.kept.upload == call.query["uploadId"]:
        return _answer(done)
    upload = upload_of(service, call)
    parts = _chosen(upload, named, service.store.uploads.parts(upload))
    _check_object_size(parts, call.headers)
    checksum = _checksum(upload, parts)
    _check_whole(checksum, call.headers)
    kept = replace(
        upload.kept,
        etag=_etag(parts),
        checksum=checksum,
        parts=tuple(_kept_part(upload, part) for part in parts),
        upload=upload.id,
    )
    whole = service.store.temporary()
    try:
        _assemble(parts, whole)
        guard = guard_write(call.key, call.headers)
        stored = service.store.put(call.bucket, call.key, whole, kept, guard)
    finally:
        whole.unlink(missing_ok=True)
    service.store.uploads.end(upload)
    return _answer(stored)


def _answer(stored: StoredObject) -> Answer:
    checksum = stored.kept.checksum
    content: list[tuple[str, xml.Node]] = [
        ("Location", f"/{stored.bucket}/{stored.key}"),
        ("Bucket", stored.bucket),
        ("Key", stored.key),
        ("ETag", f'"{stored.etag}"'),
    ]
    if checksum:
        content.append((checksum_element(checksum.algorithm), checksum.value))
        content.append(("ChecksumType", checksum.type))
    return in_xml("CompleteMultipartUploadResult", content, encryption_headers(stored.kept))


def _read_parts(body: bytes) -> list[_Named]:
    items = xml.elements(xml.parse(body, "CompleteMultipartUpload"), "Part")
    if not items:
        raise S3Error("MalformedXML")
    named = []
    for item in items:
        number = xml.text(item, "PartNumber").strip()
        if not number.isascii() or not number.isdigit() or len(number) > 5:
            raise S3Error("MalformedXML")
        checksums = xml.texts(item, start="Checksum")
        etag = xml.text(item, "ETag").strip().strip('"')
        named.append(_Named(number=int(number), etag=etag, checksums=checksums))
    numbers = [part.number for part in named]
    if numbers != sorted(set(numbers)):
        raise S3Error("InvalidPartOrder")
    return named


def _chosen(upload: Upload, named: Sequence[_Named], arrived: Sequence[Part]) -> list[Part]:
    """Return the parts that the request names, as they arrived, or raise S3's refusal."""
    by_number = {part.number: part for part in arrived}
    chosen = []
    for want in named:
        part = by_number.get(want.number)
        if part is None or part.etag != want.etag:
            raise S3Error("InvalidPart", UploadId=upload.id, PartNumber=want.number, ETag=want.etag)
        _check_part_checksum(upload, part, want)
        chosen.append(part)
    for part in chosen[:-1]:
        if part.size < _SMALLEST_PART:
            raise S3Error(
                "EntityTooSmall",
                ProposedSize=part.size,
                MinSizeAllowed=_SMALLEST_PART,
                PartNumber=part.number,
                ETag=part.etag,
            )
    return chosen


def _check_part_checksum(upload: Upload, part: Part, want: _Named) -> None:
    given = want.checksums.get(checksum_element(upload.algorithm))
    if given and given != part.checksum:
        raise S3Error("InvalidPart", UploadId=upload.id, PartNumber=part.number, ETag=part.etag)
    if not given and upload.type == "COMPOSITE":
        raise S3Error(
            "InvalidRequest",
            f"The upload was created using a {upload.algorithm} checksum. The complete request "
            "must include the checksum for each part. It was missing for part "
            f"{part.number} in the request.",
        )


def _check_object_size(parts: Sequence[Part], headers: Mapping[str, str]) -> None:
    promised = headers.get("x-amz-mp-object-size")
    size = sum(part.size for part in parts)
    if promised and promised != str(size):
        raise S3Error(
            "InvalidRequest",
            f"The provided 'x-amz-mp-object-size' header value {promised} does not match what was "
            f"computed: {size}",
        )


def _checksum(upload: Upload, parts: Sequence[Part]) -> Checksum:
    if upload.type == "COMPOSITE":
        value = composite(upload.algorithm, [part.checksum for part in parts])
    else:
        value = combined(upload.algorithm, [(part.checksum, part.size) for part in parts])
    return Checksum(algorithm=upload.algorithm, value=value, type=upload.type)


def _check_whole(checksum: Checksum, headers: Mapping[str, str]) -> None:
    """Raise BadDigest where the request's headers promise another checksum of the object."""
    kind = headers.get("x-amz-checksum-type", checksum.type)
    value = headers.get(f"x-amz-checksum-{checksum.algorithm}", checksum.value)
    if kind != checksum.type or value not in (checksum.value, checksum.value.partition("-")[0]):
        raise S3Error(
            "BadDigest",
            f"The {checksum.algorithm} you specified did not match the calculated checksum.",
        )


def _etag(parts: Sequence[Part]) -> str:
    digests = b"".join(bytes.fromhex(part.etag) for part in parts)
    return f"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"


def _kept_part(upload: Upload, part: Part) -> ObjectPart:
    own = part.checksum if upload.type == "COMPOSITE" else ""
    return ObjectPart(number=part.number, size=part.size, checksum=own)


def _assemble(parts: Sequence[Part], whole: Path) -> None:
    """Write the parts one after the other; they stay, so that a full disk costs nothing."""
    with whole.open("xb") as target:
        for part in parts:
            with part.path.open("rb") as source:
                shutil.copyfileobj(source, target, CHUNK)
