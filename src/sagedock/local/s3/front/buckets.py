"""Operations on buckets: create, look, delete, list."""

import re

from sagedock.local.s3 import xml
from sagedock.local.s3.errors import S3Error
from sagedock.local.s3.front.answer import Answer, in_xml, timestamp
from sagedock.local.s3.front.call import Call
from sagedock.local.s3.front.service import Service
from sagedock.local.s3.front.tokens import name_in, token_for
from sagedock.local.s3.keys import check_bucket_name

__all__ = [
    "create_bucket",
    "delete_bucket",
    "get_bucket_location",
    "head_bucket",
    "list_buckets",
]

_FIRST_REGION = "us-east-1"
#: The constraint that older clients name Ireland with.
_EU = {"EU": "eu-west-1"}
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d+")
_MOST_BUCKETS = 10_000


def create_bucket(service: Service, call: Call) -> Answer:
    """CreateBucket. In us-east-1 the creation of one's own bucket a second time succeeds."""
    check_bucket_name(call.bucket)
    region = _location(call)
    again = service.store.has_bucket(call.bucket)
    if not (again and region == call.region == service.store.region(call.bucket) == _FIRST_REGION):
        service.store.create_bucket(call.bucket, region)
    return Answer(headers={"location": f"/{call.bucket}"})


def _location(call: Call) -> str:
    """Return the region that the request asks for, against the one it was sent to."""
    wanted = ""
    if call.body:
        wanted = xml.text(
            xml.parse(call.body, "CreateBucketConfiguration"), "LocationConstraint"
        ).strip()
    if not wanted:
        if call.region != _FIRST_REGION:
            raise S3Error("IllegalLocationConstraintException")
        return _FIRST_REGION
    region = _EU.get(wanted, wanted)
    # us-east-1 takes any other region's constraint, and not its own.
    if not _REGION.fullmatch(region) or region == call.region == _FIRST_REGION:
        raise S3Error("InvalidLocationConstraint", LocationConstraint=wanted)
    if call.region not in (region, _FIRST_REGION):
        raise S3Error(
            "IllegalLocationConstraintException",
            f"The {wanted} location constraint is incompatible for the region specific endpoint "
            "this request was sent to.",
        )
    return region


def head_bucket(service: Service, call: Call) -> Answer:
    """HeadBucket."""
    region = service.store.region(call.bucket)
    return Answer(headers={"x-amz-bucket-region": region, "content-type": "application/xml"})


def delete_bucket(service: Service, call: Call) -> Answer:
    """DeleteBucket."""
    service.store.delete_bucket(call.bucket)
    return Answer(status=204)


def get_bucket_location(service: Service, call: Call) -> Answer:
    """GetBucketLocation: us-east-1 is said by saying nothing."""
    region = service.store.region(call.bucket)
    return in_xml("LocationConstraint", "" if region == _FIRST_REGION else region)


def list_buckets(service: Service, call: Call) -> Answer:
    """ListBuckets, by prefix, by region, in pages."""
    prefix = call.query.get("prefix", "")
    region = call.query.get("bucket-region", "")
    after = name_in(call.query.get("continuation-token", ""))
    limit = call.count("max-buckets", most=_MOST_BUCKETS)
    found = [
        bucket
        for bucket in service.store.buckets()
        if bucket.name.startswith(prefix) and bucket.name > after
        if region in ("", bucket.region)
    ]
    shown: xml.Node = [
        (
            "Bucket",
            (
                ("Name", bucket.name),
                ("CreationDate", timestamp(bucket.created)),
                ("BucketRegion", bucket.region),
            ),
        )
        for bucket in found[:limit]
    ]
    content: list[tuple[str, xml.Node]] = [("Owner", service.owner), ("Buckets", shown)]
    if prefix:
        content.append(("Prefix", prefix))
    if 0 < limit < len(found):
        content.append(("ContinuationToken", token_for(found[limit - 1].name)))
    return in_xml("ListAllMyBucketsResult", content)
