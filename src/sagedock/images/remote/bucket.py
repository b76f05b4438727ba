"""The bucket for sources, records and the cache: private, encrypted, and emptied by itself."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sagedock.errors import InvalidRequest
from sagedock.images.remote.aws import Aws, Call, Refused
from sagedock.images.remote.changes import Change, differences
from sagedock.images.remote.documents import document
from sagedock.images.remote.wanted import OUR_TAGS, Wanted

__all__ = ["bucket_changes", "read_bucket"]

_ABSENT = ("404", "NoSuchBucket")
_HIDDEN = ("403", "AccessDenied")
#: The one region that a request must not name. Source:
#: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
_UNNAMED = "us-east-1"
_ENFORCED = "BucketOwnerEnforced"


@dataclass(frozen=True, kw_only=True)
class _Setting:
    """A setting of a bucket: how it is read and written, under which member of the request.

    ``absent`` are the codes by which S3 says that there is none.
    """

    what: str
    read: str
    write: str
    member: str
    absent: tuple[str, ...]
    is_wrapped: bool = True


_SETTINGS = (
    _Setting(
        what="tags",
        read="GetBucketTagging",
        write="PutBucketTagging",
        member="Tagging",
        absent=("NoSuchTagSet",),
        is_wrapped=False,
    ),
    _Setting(
        what="public access",
        read="GetPublicAccessBlock",
        write="PutPublicAccessBlock",
        member="PublicAccessBlockConfiguration",
        absent=("NoSuchPublicAccessBlockConfiguration",),
    ),
    _Setting(
        what="ownership",
        read="GetBucketOwnershipControls",
        write="PutBucketOwnershipControls",
        member="OwnershipControls",
        absent=("OwnershipControlsNotFoundError",),
    ),
    _Setting(
        what="encryption",
        read="GetBucketEncryption",
        write="PutBucketEncryption",
        member="ServerSideEncryptionConfiguration",
        absent=("ServerSideEncryptionConfigurationNotFoundError",),
    ),
    _Setting(
        what="policy",
        read="GetBucketPolicy",
        write="PutBucketPolicy",
        member="Policy",
        absent=("NoSuchBucketPolicy",),
    ),
    _Setting(
        what="lifecycle",
        read="GetBucketLifecycleConfiguration",
        write="PutBucketLifecycleConfiguration",
        member="LifecycleConfiguration",
        absent=("NoSuchLifecycleConfiguration",),
        is_wrapped=False,
    ),
)


def read_bucket(aws: Aws, wanted: Wanted) -> Mapping[str, Any] | None:
    """Return what is set of the bucket, by member of the requests; None where there is no bucket.

    Raises Refused for a bucket of another account's, InvalidRequest for one made by somebody else.
    """
    where = {"Bucket": wanted.bucket_name, "ExpectedBucketOwner": wanted.account}
    try:
        head = aws.find("s3", "HeadBucket", absent=_ABSENT, **where)
    except Refused as refused:
        if refused.code not in _HIDDEN:
            raise
        raise Refused(
            f"{refused}; or the bucket {wanted.bucket_name} is another account's, or is to be made "
            "in another region: name another with --bucket",
            refused.code,
        ) from refused
    if head is None:
        return None
    found = {each.member: _read(aws, each, where) for each in _SETTINGS}
    if problems := tuple(_problems(wanted, head, found["Tagging"])):
        raise InvalidRequest(problems)
    return found


def _problems(
    wanted: Wanted, head: Mapping[str, Any], tagging: Mapping[str, Any] | None
) -> Iterator[str]:
    region = head.get("BucketRegion") or wanted.region
    if region != wanted.region:
        yield (
            f"--bucket: {wanted.bucket_name} is in {region}, and CodeBuild reads sources of its "
            f"own region, {wanted.region}: name another"
        )
    # One of our own name without any tag was made by a run that ended before it could tag it.
    tags = OUR_TAGS if tagging is None and not wanted.bucket else (tagging or {}).get("TagSet", ())
    if not all(tag in tags for tag in OUR_TAGS):
        yield (
            f"--bucket: {wanted.bucket_name} is there, and sagedock did not make it, so it is not "
            "changed: name another, which is made, or give that one the tag created-by=sagedock"
        )


def _read(aws: Aws, setting: _Setting, where: Mapping[str, str]) -> Any:
    answer = aws.find("s3", setting.read, absent=setting.absent, **where)
    if answer is None:
        return None
    if setting.member == "Policy":
        return json.loads(answer["Policy"])
    if setting.is_wrapped:
        return answer[setting.member]
    return {key: value for key, value in answer.items() if key != "ResponseMetadata"}


def bucket_changes(wanted: Wanted, now: Mapping[str, Any] | None) -> Iterator[Change]:
    """Yield what makes the bucket as it is to be; ``now`` is what ``read_bucket`` found."""
    then = _then(wanted)
    if now is None:
        where = f"private, TLS only, encrypted; what is in it expires after {wanted.source_days} d"
        yield Change(
            what=f"bucket {wanted.bucket_name}",
            verb="make",
            lines=(where,),
            calls=(_create(wanted), *(_write(wanted, each, then) for each in _SETTINGS)),
        )
        return
    for each in _SETTINGS:
        if each.member == "Tagging" and now[each.member]:  # tags that somebody added stay
            continue
        exact = each.member == "Policy"  # S3 adds what it fills in to the others
        if lines := tuple(differences(now[each.member], then[each.member], exact=exact)):
            yield Change(
                what=f"{each.what} of the bucket {wanted.bucket_name}",
                verb="change",
                lines=lines,
                calls=(_write(wanted, each, then),),
            )


def _then(wanted: Wanted) -> Mapping[str, Any]:
    default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    rule = {
        "ID": "expire-what-builds-left",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "Expiration": {"Days": wanted.source_days},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    }
    blocks = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    return {
        "Tagging": {"TagSet": list(OUR_TAGS)},
        "PublicAccessBlockConfiguration": dict.fromkeys(blocks, True),
        "OwnershipControls": {"Rules": [{"ObjectOwnership": _ENFORCED}]},
        "ServerSideEncryptionConfiguration": {"Rules": [{**default, "BucketKeyEnabled": False}]},
        "Policy": document("bucket", wanted.placeholders()),
        "LifecycleConfiguration": {"Rules": [rule]},
    }


def _create(wanted: Wanted) -> Call:
    parameters: dict[str, Any] = {"Bucket": wanted.bucket_name, "ObjectOwnership": _ENFORCED}
    if wanted.region != _UNNAMED:
        parameters["CreateBucketConfiguration"] = {"LocationConstraint": wanted.region}
    return Call(service="s3", operation="CreateBucket", parameters=parameters)


def _write(wanted: Wanted, setting: _Setting, then: Mapping[str, Any]) -> Call:
    value = then[setting.member]
    parameters = {
        "Bucket": wanted.bucket_name,
        "ExpectedBucketOwner": wanted.account,
        setting.member: json.dumps(value) if setting.member == "Policy" else value,
    }
    return Call(service="s3", operation=setting.write, parameters=parameters)
