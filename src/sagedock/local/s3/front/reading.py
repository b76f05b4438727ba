"""GetObject, HeadObject and GetObjectAttributes."""

import contextlib
from collections.abc import Mapping

from sagedock.local.s3 import xml
from sagedock.local.s3.front.answer import Answer, FileSlice, in_xml
from sagedock.local.s3.front.call import Call, header_value
from sagedock.local.s3.front.conditions import check_read
from sagedock.local.s3.front.keeping import checksum_headers, object_headers
from sagedock.local.s3.front.ranges import ByteRange, part_range, read_range
from sagedock.local.s3.front.service import Service
from sagedock.local.s3.model import StoredObject

__all__ = ["checksum_element", "get_object", "get_object_attributes", "head_object"]

#: Up to this length (bytes) a body is read at once, in the thread that opened it.
_SMALL = 256 * 1024
_OVERRIDES = (
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
)


def get_object(service: Service, call: Call) -> Answer:
    """GetObject: whole, a range of bytes, or one part."""
    found, file = service.store.open(call.bucket, call.key)
    with contextlib.ExitStack() as stack:
        stack.callback(file.close)
        if not check_read(found, call.headers):
            return _not_modified(found)
        piece = _piece(found, call)
        start, length = (piece.start, piece.length) if piece else (0, found.size)
        headers = _headers(found, call, piece)
        if length <= _SMALL:
            file.seek(start)
            return Answer(status=_status(piece), headers=headers, body=file.read(length))
        stack.pop_all()
        body = FileSlice(file=file, start=start, length=length)
        return Answer(status=_status(piece), headers=headers, file=body)


def head_object(service: Service, call: Call) -> Answer:
    """HeadObject: what GetObject would say, without the bytes."""
    found = service.store.get(call.bucket, call.key)
    if not check_read(found, call.headers):
        return _not_modified(found)
    piece = _piece(found, call)
    length = {"content-length": str(piece.length if piece else found.size)}
    return Answer(status=_status(piece), headers=_headers(found, call, piece) | length)


def _status(piece: ByteRange | None) -> int:
    return 206 if piece else 200


def _piece(found: StoredObject, call: Call) -> ByteRange | None:
    if number := call.query.get("partNumber"):
        return part_range(found, number)
    wanted = call.headers.get("range")
    return read_range(wanted, found.size) if wanted else None


def _headers(found: StoredObject, call: Call, piece: ByteRange | None) -> dict[str, str]:
    headers = object_headers(found)
    for name in _OVERRIDES:
        if value := call.query.get(f"response-{name}"):
            headers[name] = header_value(value)
    if "partNumber" in call.query and found.kept.parts:
        headers["x-amz-mp-parts-count"] = str(len(found.kept.parts))
    if piece:
        headers["content-range"] = piece.header
    elif call.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED":
        # Not with a part of the object: clients would check the part against it.
        headers |= checksum_headers(found.kept.checksum)
    return headers


def _not_modified(found: StoredObject) -> Answer:
    headers = object_headers(found)
    kept = ("etag", "last-modified", "cache-control", "expires")
    return Answer(status=304, headers={name: headers[name] for name in kept if name in headers})


def checksum_element(algorithm: str) -> str:
    """Return the name of the XML element that tells a checksum of ``algorithm``."""
    return f"Checksum{algorithm.upper()}"


def get_object_attributes(service: Service, call: Call) -> Answer:
    """GetObjectAttributes, of those that ``x-amz-object-attributes`` names."""
    found = service.store.get(call.bucket, call.key)
    asked = call.headers.get("x-amz-object-attributes", "").replace(" ", "").split(",")
    known = _attributes(found)
    shown = [(name, known[name]) for name in known if name in asked]
    modified = object_headers(found)["last-modified"]
    return in_xml("GetObjectAttributesResponse", shown, {"last-modified": modified})


def _attributes(found: StoredObject) -> Mapping[str, xml.Node]:
    kept = found.kept
    attributes: dict[str, xml.Node] = {"ETag": found.etag}
    if checksum := kept.checksum:
        attributes["Checksum"] = (
            (checksum_element(checksum.algorithm), checksum.value.partition("-")[0]),
            ("ChecksumType", checksum.type),
        )
    if kept.parts:
        attributes["ObjectParts"] = (("TotalPartsCount", len(kept.parts)),)
    attributes["StorageClass"] = kept.headers.get("x-amz-storage-class", "STANDARD")
    attributes["ObjectSize"] = found.size
    return attributes
