"""The parts of a multipart upload: upload, copy, list."""

from sagedock.local.s3 import xml
from sagedock.local.s3.errors import S3Error
from sagedock.local.s3.front.answer import Answer, in_xml, timestamp
from sagedock.local.s3.front.call import Call
from sagedock.local.s3.front.copying import open_source
from sagedock.local.s3.front.envelope import Envelope, read_envelope
from sagedock.local.s3.front.keeping import encryption_headers
from sagedock.local.s3.front.multipart import upload_of
from sagedock.local.s3.front.ranges import read_source_range
from sagedock.local.s3.front.reading import checksum_element
from sagedock.local.s3.front.service import Service
from sagedock.local.s3.incoming import Incoming, copy_range
from sagedock.local.s3.uploads import Part, Upload

__all__ = ["list_parts", "open_upload_part", "upload_part", "upload_part_copy"]

_MOST_PARTS = 10_000


def _part_number(call: Call) -> int:
    given = call.query.get("partNumber", "")
    if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= _MOST_PARTS:
        raise S3Error(
            "InvalidArgument",
            f"Part number must be an integer between 1 and {_MOST_PARTS}, inclusive",
            ArgumentName="partNumber",
            ArgumentValue=given,
        )
    return int(given)


def open_upload_part(service: Service, call: Call) -> tuple[Envelope, Incoming]:
    """Refuse an UploadPart before its body is read, or say where the body goes."""
    upload = upload_of(service, call)
    _part_number(call)
    envelope = read_envelope(call.headers)
    _check_algorithm(upload, envelope.algorithm)
    algorithms = {upload.algorithm, envelope.algorithm} - {""}
    return envelope, Incoming(service.store.temporary(), algorithms)


def _check_algorithm(upload: Upload, given: str) -> None:
    """Raise InvalidRequest where a part's checksum is not of the algorithm that was declared.

    Where none was declared, each part may have any, or none; a checksum of the whole object needs
    none of the parts.
    """
    optional = upload.type == "FULL_OBJECT" and not given
    if upload.declared and given != upload.declared and not optional:
        raise S3Error(
            "InvalidRequest",
            f"Checksum Type mismatch occurred, expected checksum Type: {upload.declared}, "
            f"actual checksum Type: {given or 'null'}",
        )


def upload_part(service: Service, call: Call, incoming: Incoming) -> Answer:
    """UploadPart, once the body has arrived whole."""
    upload = upload_of(service, call)
    part = _keep_part(service, upload, _part_number(call), incoming)
    values = incoming.digests.values()
    # The checksum that came with the part, or the one that stands in for it.
    told = [name for name in values if name != upload.algorithm] or [upload.algorithm]
    checksum = {f"x-amz-checksum-{told[0]}": values[told[0]]}
    return Answer(headers={"etag": f'"{part.etag}"', **encryption_headers(upload.kept), **checksum})


def upload_part_copy(service: Service, call: Call) -> Answer:
    """UploadPartCopy: the part is an object, or a range of one."""
    upload, number = upload_of(service, call), _part_number(call)
    with open_source(service, call) as source:
        wanted = call.headers.get("x-amz-copy-source-range")
        piece = read_source_range(wanted, source.object.size) if wanted else None
        start, length = (piece.start, piece.length) if piece else (0, source.object.size)
        with Incoming(service.store.temporary(), [upload.algorithm]) as incoming:
            copy_range(source.file, start, length, incoming)
            part = _keep_part(service, upload, number, incoming)
    content = (
        ("LastModified", timestamp(part.modified)),
        ("ETag", f'"{part.etag}"'),
        (checksum_element(upload.algorithm), part.checksum),
    )
    return in_xml("CopyPartResult", content, encryption_headers(upload.kept))


def _keep_part(service: Service, upload: Upload, number: int, incoming: Incoming) -> Part:
    digests = incoming.digests
    return service.store.uploads.save_part(
        upload,
        number,
        incoming.finish(),
        size=digests.size,
        etag=digests.md5.hex(),
        checksum=digests.values()[upload.algorithm],
    )


def list_parts(service: Service, call: Call) -> Answer:
    """ListParts, in pages."""
    upload = upload_of(service, call)
    limit = call.count("max-parts")
    marker = call.count("part-number-marker", most=_MOST_PARTS, default=0)
    parts = [part for part in service.store.uploads.parts(upload) if part.number > marker]
    shown = parts[:limit]
    head: list[tuple[str, xml.Node]] = [
        ("Bucket", call.bucket),
        ("Key", call.key),
        ("UploadId", upload.id),
        ("PartNumberMarker", marker),
        ("NextPartNumberMarker", shown[-1].number if shown else 0),
        ("MaxParts", limit),
        ("IsTruncated", 0 < limit < len(parts)),
        ("Initiator", service.owner),
        ("Owner", service.owner),
        ("StorageClass", upload.kept.headers.get("x-amz-storage-class", "STANDARD")),
    ]
    if upload.declared:
        head += [("ChecksumAlgorithm", upload.declared.upper()), ("ChecksumType", upload.type)]
    return in_xml("ListPartsResult", head + [("Part", _fields(upload, part)) for part in shown])


def _fields(upload: Upload, part: Part) -> xml.Node:
    fields: list[tuple[str, xml.Node]] = [
        ("PartNumber", part.number),
        ("LastModified", timestamp(part.modified)),
        ("ETag", f'"{part.etag}"'),
        ("Size", part.size),
    ]
    if upload.declared:
        fields.append((checksum_element(upload.algorithm), part.checksum))
    return fields
