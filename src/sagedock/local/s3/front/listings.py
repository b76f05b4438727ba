"""ListObjects, ListObjectsV2 and ListObjectVersions."""

from collections.abc import Callable, Iterable
from urllib.parse import quote

from sagedock.local.s3 import xml
from sagedock.local.s3.errors import S3Error
from sagedock.local.s3.front.answer import Answer, in_xml, timestamp
from sagedock.local.s3.front.call import Call
from sagedock.local.s3.front.service import Service
from sagedock.local.s3.front.tokens import name_in, token_for
from sagedock.local.s3.listing import Page, list_page
from sagedock.local.s3.model import StoredObject

__all__ = ["common_prefixes", "encoder", "list_object_versions", "list_objects", "list_objects_v2"]

Fields = list[tuple[str, xml.Node]]


def encoder(call: Call) -> Callable[[str], str]:
    """Return how keys are written: as they are, or with ``encoding-type=url`` quoted."""
    kind = call.query.get("encoding-type", "")
    if kind not in ("", "url"):
        raise S3Error(
            "InvalidArgument",
            "Invalid Encoding Method specified in Request",
            ArgumentName="encoding-type",
            ArgumentValue=kind,
        )
    # A blank as %20 and a plus as %2B: clients read the first both ways, the second only so.
    return (lambda key: quote(key, safe="/")) if kind else (lambda key: key)


def common_prefixes(prefixes: Iterable[str], encode: Callable[[str], str]) -> Fields:
    """Return the elements that name common prefixes."""
    return [("CommonPrefixes", (("Prefix", encode(prefix)),)) for prefix in prefixes]


def list_objects(service: Service, call: Call) -> Answer:
    """ListObjects, the first version, which pages by key."""
    encode = encoder(call)
    marker = call.query.get("marker", "")
    page = _page(service, call, after=marker)
    head = [*_head(call, encode), ("Marker", encode(marker)), ("IsTruncated", page.truncated)]
    if page.truncated and call.query.get("delimiter"):
        head.append(("NextMarker", encode(page.last)))
    return in_xml("ListBucketResult", [*head, *_contents(service, page, encode, owner=True)])


def list_objects_v2(service: Service, call: Call) -> Answer:
    """ListObjectsV2, which pages by token."""
    encode = encoder(call)
    token = call.query.get("continuation-token")
    start = call.query.get("start-after", "")
    page = _page(service, call, after=start if token is None else name_in(token))
    head = [
        *_head(call, encode),
        ("KeyCount", len(page.contents) + len(page.prefixes)),
        ("IsTruncated", page.truncated),
    ]
    if token is not None:
        head.append(("ContinuationToken", token))
    if start:
        head.append(("StartAfter", encode(start)))
    if page.truncated:
        head.append(("NextContinuationToken", token_for(page.last)))
    owner = call.query.get("fetch-owner") == "true"
    return in_xml("ListBucketResult", [*head, *_contents(service, page, encode, owner=owner)])


def list_object_versions(service: Service, call: Call) -> Answer:
    """ListObjectVersions of a bucket that never had versioning: each object is version ``null``."""
    encode = encoder(call)
    marker = call.query.get("key-marker", "")
    page = _page(service, call, after=marker)
    head = [*_head(call, encode), ("KeyMarker", encode(marker)), ("IsTruncated", page.truncated)]
    if page.truncated:
        head += [("NextKeyMarker", encode(page.last)), ("NextVersionIdMarker", "null")]
    null: Fields = [("VersionId", "null"), ("IsLatest", True), ("Owner", service.owner)]
    versions: Fields = [("Version", [*_object(found, encode), *null]) for found in page.contents]
    shown = [*head, *versions, *common_prefixes(page.prefixes, encode)]
    return in_xml("ListVersionsResult", shown)


def _page(service: Service, call: Call, *, after: str) -> Page:
    return list_page(
        service.store,
        call.bucket,
        prefix=call.query.get("prefix", ""),
        delimiter=call.query.get("delimiter", ""),
        after=after,
        limit=call.count("max-keys"),
    )


def _head(call: Call, encode: Callable[[str], str]) -> Fields:
    fields: Fields = [
        ("Name", call.bucket),
        ("Prefix", encode(call.query.get("prefix", ""))),
        ("MaxKeys", call.count("max-keys")),
    ]
    if delimiter := call.query.get("delimiter"):
        fields.append(("Delimiter", encode(delimiter)))
    if kind := call.query.get("encoding-type"):
        fields.append(("EncodingType", kind))
    return fields


def _contents(service: Service, page: Page, encode: Callable[[str], str], *, owner: bool) -> Fields:
    whose: Fields = [("Owner", service.owner)] if owner else []
    contents: Fields = [("Contents", [*_object(found, encode), *whose]) for found in page.contents]
    return [*contents, *common_prefixes(page.prefixes, encode)]


def _object(found: StoredObject, encode: Callable[[str], str]) -> Fields:
    fields: Fields = [
        ("Key", encode(found.key)),
        ("LastModified", timestamp(found.modified)),
        ("ETag", f'"{found.etag}"'),
    ]
    if checksum := found.kept.checksum:
        fields.append(("ChecksumAlgorithm", checksum.algorithm.upper()))
        fields.append(("ChecksumType", checksum.type))
    fields.append(("Size", found.size))
    fields.append(("StorageClass", found.kept.headers.get("x-amz-storage-class", "STANDARD")))
    return fields
