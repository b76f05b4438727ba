"""Data that a job is to read, looked for when the job is created."""

from collections.abc import Mapping
from typing import Any

from sagedock.api import ServiceError, messages
from sagedock.local.caller import Caller
from sagedock.local.platform import Platform
from sagedock.local.uris import S3Uri

__all__ = ["input_refusal"]


def input_refusal(
    platform: Platform, caller: Caller, role: str, source: Mapping[str, Any]
) -> ServiceError | None:
    """Return the refusal of a prefix without objects, or of a manifest that is not there; None
    where the data is. ``source`` has the members S3Uri and S3DataType.
    """
    uri: str = source["S3Uri"]
    objects, where = platform.objects, S3Uri.parse(uri)
    if objects.has_bucket(where.bucket):
        other = objects.region(where.bucket)
        if other != caller.region:
            return messages.input_bucket_elsewhere(
                uri=uri, region=caller.region, role=role, bucket=where.bucket, other=other
            )
        first = next(objects.keys(where.bucket, where.key), None)
        # A manifest's own name is the first of those that begin with it.
        if first and (source["S3DataType"] == "S3Prefix" or first[0] == where.key):
            return None
    return messages.input_not_found(uri=uri, region=caller.region, role=role, bucket=where.bucket)
