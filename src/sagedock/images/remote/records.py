"""What a remote build pushed, as its `sagedock push` recorded it."""

import json
from collections.abc import Iterator
from typing import Any

from sagedock.errors import BuildFailed
from sagedock.images.remote.aws import Aws
from sagedock.images.remote.wanted import Wanted

__all__ = ["pushed_records"]

_NAMES = {"image_uri", "repository", "tag"}


def pushed_records(aws: Aws, wanted: Wanted, build_id: str) -> tuple[dict[str, Any], ...]:
    """Return the record of each image that a build pushed, by repository and tag.

    Raises BuildFailed where there is none.
    """
    prefix = f"{wanted.records}{build_id.rpartition(':')[2]}/"
    owner = {"Bucket": wanted.bucket_name, "ExpectedBucketOwner": wanted.account}
    found = []
    for key in _keys(aws, prefix, owner):
        if key.endswith(f".{wanted.region}.json"):  # as push_record names them
            body = aws.call("s3", "GetObject", Key=key, **owner)["Body"].read()
            found.append(_read(key, body))
    if not found:
        raise BuildFailed(
            f"the build {build_id} succeeded, and s3://{wanted.bucket_name}/{prefix} has no record "
            "of a push: let the artifacts of buildspec.yml be those of build/pushed (the local "
            "CodeBuild runs no builds, so it has none)"
        )
    return tuple(sorted(found, key=lambda each: (each["repository"], each["tag"])))


def _keys(aws: Aws, prefix: str, owner: dict[str, str]) -> Iterator[str]:
    token: dict[str, str] = {}
    while True:
        page = aws.call("s3", "ListObjectsV2", Prefix=prefix, **owner, **token)
        yield from (each["Key"] for each in page.get("Contents", ()))
        if not page.get("NextContinuationToken"):
            return
        token = {"ContinuationToken": page["NextContinuationToken"]}


def _read(key: str, body: bytes) -> dict[str, Any]:
    try:
        record = json.loads(body)
    except ValueError as error:
        raise BuildFailed(f"{key}: is no JSON ({error}): it is no record of a push") from error
    if not isinstance(record, dict) or not record.keys() >= _NAMES:
        raise BuildFailed(f"{key}: lacks {', '.join(sorted(_NAMES))}: it is no record of a push")
    return record
