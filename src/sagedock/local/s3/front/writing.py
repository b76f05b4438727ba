"""PutObject, DeleteObject, DeleteObjects and the tags of an object."""

from dataclasses import replace

from sagedock.local.s3 import xml
from sagedock.local.s3.checksums import DEFAULT_ALGORITHM
from sagedock.local.s3.errors import S3Error
from sagedock.local.s3.front.answer import Answer, in_xml
from sagedock.local.s3.front.call import Call
from sagedock.local.s3.front.conditions import guard_removal, guard_write
from sagedock.local.s3.front.envelope import Envelope, check_body, promises_checksum, read_envelope
from sagedock.local.s3.front.keeping import (
    check_tags,
    checksum_headers,
    encryption_headers,
    kept_from,
)
from sagedock.local.s3.front.service import Service
from sagedock.local.s3.incoming import Incoming
from sagedock.local.s3.model import Checksum

__all__ = [
    "delete_object",
    "delete_object_tagging",
    "delete_objects",
    "get_object_tagging",
    "open_put_object",
    "put_object",
    "put_object_tagging",
    "whole_checksum",
]

_MOST_DELETED = 1000


def open_put_object(service: Service, call: Call) -> tuple[Envelope, Incoming]:
    """Refuse a PutObject before its body is read, or say where the body goes."""
    before = service.store.find(call.bucket, call.key)
    guard_write(call.key, call.headers)(before)
    kept_from(call.headers)
    envelope = read_envelope(call.headers)
    algorithm = envelope.algorithm or DEFAULT_ALGORITHM
    return envelope, Incoming(service.store.temporary(), [algorithm])


def put_object(service: Service, call: Call, incoming: Incoming) -> Answer:
    """PutObject, once the body has arrived whole."""
    digests = incoming.digests
    kept = replace(
        kept_from(call.headers), etag=digests.md5.hex(), checksum=whole_checksum(incoming)
    )
    guard = guard_write(call.key, call.headers)
    service.store.put(call.bucket, call.key, incoming.finish(), kept, guard)
    told = encryption_headers(kept) | checksum_headers(kept.checksum)
    return Answer(headers={"etag": f'"{kept.etag}"', **told})


def whole_checksum(incoming: Incoming) -> Checksum | None:
    """Return the one checksum that was computed while the body arrived."""
    values = list(incoming.digests.values().items())
    return Checksum(algorithm=values[0][0], value=values[0][1]) if values else None


def delete_object(service: Service, call: Call) -> Answer:
    """DeleteObject: deleting what is not there succeeds."""
    service.store.delete(call.bucket, call.key, guard_removal(call.headers))
    return Answer(status=204)


def delete_objects(service: Service, call: Call) -> Answer:
    """DeleteObjects: up to 1000 keys, each with its own outcome."""
    service.store.folder(call.bucket)
    if "content-md5" not in call.headers and not promises_checksum(call.headers):
        raise S3Error("InvalidRequest", "Missing required header for this request: Content-MD5")
    check_body(call.headers, call.body)
    document = xml.parse(call.body, "Delete")
    wanted = xml.elements(document, "Object")
    if not 1 <= len(wanted) <= _MOST_DELETED:
        raise S3Error("MalformedXML")
    quiet = xml.text(document, "Quiet") == "true"
    outcomes: list[tuple[str, xml.Node]] = []
    for key in [xml.text(item, "Key") for item in wanted]:
        outcome = _delete_one(service, call.bucket, key)
        if outcome[0] == "Error" or not quiet:
            outcomes.append(outcome)
    return in_xml("DeleteResult", outcomes)


def _delete_one(service: Service, bucket: str, key: str) -> tuple[str, xml.Node]:
    try:
        service.store.delete(bucket, key)
    except S3Error as error:
        return "Error", (("Key", key), ("Code", error.code), ("Message", error.message))
    return "Deleted", (("Key", key),)


def get_object_tagging(service: Service, call: Call) -> Answer:
    """GetObjectTagging."""
    tags = service.store.get(call.bucket, call.key).kept.tags
    shown: list[tuple[str, xml.Node]] = [
        ("Tag", (("Key", name), ("Value", value))) for name, value in tags.items()
    ]
    return in_xml("Tagging", [("TagSet", shown)])


def put_object_tagging(service: Service, call: Call) -> Answer:
    """PutObjectTagging: the new set takes the place of the old one."""
    tag_set = xml.element(xml.parse(call.body, "Tagging"), "TagSet")
    pairs = [(xml.text(tag, "Key"), xml.text(tag, "Value")) for tag in xml.elements(tag_set, "Tag")]
    check_tags(pairs)
    service.store.change(call.bucket, call.key, lambda kept: replace(kept, tags=dict(pairs)))
    return Answer()


def delete_object_tagging(service: Service, call: Call) -> Answer:
    """DeleteObjectTagging."""
    service.store.change(call.bucket, call.key, lambda kept: replace(kept, tags={}))
    return Answer(status=204)
