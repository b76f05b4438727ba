"""A plan, carried out: what lasts, the upload, the start."""

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sagedock.images.remote.aws import Aws, Call, Refused
from sagedock.images.remote.changes import Change
from sagedock.images.remote.packing import PART, Packed
from sagedock.images.remote.wanted import Wanted

__all__ = ["carry_out", "send_sources"]

Say = Callable[[str], None]

#: A role takes some seconds to reach CodeBuild, which refuses it until then. Source:
#: https://github.com/hashicorp/terraform-provider-aws/issues/4233
_NOT_YET = "is not authorized to perform: sts:AssumeRole"
_NOT_YET_EITHER = "Invalid service role"
_PATIENCE_S, _PAUSE_S = 120.0, 5.0
_YOUNG = timedelta(days=1)


def carry_out(
    aws: Aws, changes: Iterable[Change], *, say: Say, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Make or change what lasts, in order. One that ends in between is gone on with by the next
    run, which sees what there is.
    """
    for change in changes:
        say(f"{change.verb} {change.what}")
        for call in change.calls:
            _sent(aws, call, say, sleep)


def _sent(aws: Aws, call: Call, say: Say, sleep: Callable[[float], None]) -> None:
    waited = 0.0
    while True:
        try:
            aws.send(call)
        except Refused as refused:
            if not _is_early(call, refused) or waited >= _PATIENCE_S:
                raise
            if not waited:
                say("the role is new: waiting until CodeBuild sees it")
        else:
            return
        sleep(_PAUSE_S)
        waited += _PAUSE_S


def _is_early(call: Call, refused: Refused) -> bool:
    return call.service == "codebuild" and any(
        words in str(refused) for words in (_NOT_YET, _NOT_YET_EITHER)
    )


def send_sources(aws: Aws, wanted: Wanted, packed: Packed, *, say: Say) -> bool:
    """Send the sources, and return True; False where the bucket has had them for less than a day,
    so that they do not expire before the build. The key alone says nothing of what lies there: S3
    made the checksum from it.
    """
    key = packed.key(wanted.sources)
    where = {"Bucket": wanted.bucket_name, "Key": key, "ExpectedBucketOwner": wanted.account}
    there = aws.find(
        "s3", "HeadObject", absent=("404", "NoSuchKey"), ChecksumMode="ENABLED", **where
    )
    if there and _is_young(there) and there.get("ChecksumSHA256") == packed.checksum():
        say(f"s3://{wanted.bucket_name}/{key} is there already")
        return False
    say(f"sending {packed.count} files to s3://{wanted.bucket_name}/{key}")
    aws.upload(
        packed.path,
        wanted.bucket_name,
        key,
        part_size=PART,
        ExpectedBucketOwner=wanted.account,
        ChecksumAlgorithm="SHA256",
    )
    return True


def _is_young(head: Mapping[str, Any]) -> bool:
    written: datetime = head["LastModified"]
    return datetime.now(UTC) - written < _YOUNG
