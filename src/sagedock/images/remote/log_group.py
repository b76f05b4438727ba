"""The log group of a project's builds, whose lines expire."""

from collections.abc import Iterator, Mapping
from typing import Any

from sagedock.images.names import OURS
from sagedock.images.remote.aws import Aws, Call
from sagedock.images.remote.changes import Change
from sagedock.images.remote.wanted import Wanted

__all__ = ["log_group_changes", "read_log_group"]


def read_log_group(aws: Aws, wanted: Wanted) -> Mapping[str, Any] | None:
    """Return ``retentionInDays`` of the group (None: for ever), and whether it is ``ours``; None
    where there is no group.
    """
    name = wanted.log_group
    token: dict[str, str] = {}
    while True:
        page = aws.call("logs", "DescribeLogGroups", logGroupNamePrefix=name, **token)
        for group in page["logGroups"]:
            if group["logGroupName"] == name:
                return {
                    "retentionInDays": group.get("retentionInDays"),
                    "ours": _is_ours(aws, group["arn"].removesuffix(":*")),
                }
        if not page.get("nextToken"):
            return None
        token = {"nextToken": page["nextToken"]}


def _is_ours(aws: Aws, arn: str) -> bool:
    tags: dict[str, str] = aws.call("logs", "ListTagsForResource", resourceArn=arn)["tags"]
    return tags.items() >= OURS.items()


def log_group_changes(wanted: Wanted, now: Mapping[str, Any] | None) -> Iterator[Change]:
    """Yield what makes the group as it is to be. One that somebody else made keeps its lines as
    long as they say.
    """
    name = {"logGroupName": wanted.log_group}
    days = {**name, "retentionInDays": wanted.log_days}
    expire = Call(service="logs", operation="PutRetentionPolicy", parameters=days)
    if now is None:
        made = Call(
            service="logs", operation="CreateLogGroup", parameters={**name, "tags": dict(OURS)}
        )
        yield Change(
            what=f"log group {wanted.log_group}",
            verb="make",
            lines=(f"its lines expire after {wanted.log_days} d",),
            calls=(made, expire),
        )
    elif now["ours"] and now["retentionInDays"] != wanted.log_days:
        kept = now["retentionInDays"]
        yield Change(
            what=f"log group {wanted.log_group}",
            verb="change",
            lines=(f"retentionInDays: {kept or 'for ever'} -> {wanted.log_days}",),
            calls=(expire,),
        )
