"""AddTags, ListTags and DeleteTags."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from sagedock.api import messages
from sagedock.local.caller import Caller
from sagedock.local.pages import page_of
from sagedock.local.platform import Platform
from sagedock.local.refusal import Refused
from sagedock.local.resources import Key

__all__ = ["TagOperations"]

_ARN = re.compile(
    r"arn:[^:]+:sagemaker:(?P<region>[^:]*):(?P<account>\d{12}):(?P<kind>[^/]+)/(?P<name>.+)"
)
_DEFAULT_PAGE = 50
#: Source: https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html
_MOST_TAGS = 50

Answer = dict[str, Any]


class TagOperations:
    """The operations on tags. Only resources that exist have any."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def table(self) -> Mapping[str, Callable[[Caller, Mapping[str, Any]], Answer]]:
        """Return each operation's name with what carries it out."""
        return {"AddTags": self.add, "DeleteTags": self.delete, "ListTags": self.list}

    def add(self, caller: Caller, request: Mapping[str, Any]) -> Answer:
        """Add tags, and answer all that the resource has now."""
        with self._platform.resources.together():  # else it might be deleted in between
            arn = self._existing(caller, request)
            keys = {tag["Key"] for tag in (*self._platform.tags.list(arn), *request["Tags"])}
            if len(keys) > _MOST_TAGS:
                raise Refused(messages.too_many_tags(arn))
            self._platform.tags.add(arn, request["Tags"])
            return {"Tags": self._platform.tags.list(arn)}

    def list(self, caller: Caller, request: Mapping[str, Any]) -> Answer:
        """Answer a page of a resource's tags."""
        tags = self._platform.tags.list(self._existing(caller, request))
        page, token = page_of(tags, request, default=_DEFAULT_PAGE)
        return {"Tags": page, "NextToken": token}

    def delete(self, caller: Caller, request: Mapping[str, Any]) -> Answer:
        """Remove tags by key."""
        self._platform.tags.remove(self._existing(caller, request), request["TagKeys"])
        return {}

    def _existing(self, caller: Caller, request: Mapping[str, Any]) -> str:
        """Return the request's ARN, or refuse it: no such resource (text unverified)."""
        arn: str = request["ResourceArn"]
        found = _ARN.fullmatch(arn)
        if found is None or found["region"] != caller.region:
            raise Refused(messages.arn_of_other_region(caller.region))
        key = Key(region=found["region"], kind=found["kind"], name=found["name"])
        resources = self._platform.resources
        absent = resources.get(key) is None and resources.alike(key) is None
        if absent or found["account"] != caller.account:
            raise Refused(messages.training_job_not_found())
        return arn
