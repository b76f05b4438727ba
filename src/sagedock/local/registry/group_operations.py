"""Create, Describe, List and DeleteModelPackageGroup; the policies of groups."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sagedock.api import registry_messages as words
from sagedock.local.caller import Caller
from sagedock.local.listing import Listing
from sagedock.local.moments import epoch_s
from sagedock.local.platform import Platform
from sagedock.local.refusal import Refused
from sagedock.local.registry import group_document as document
from sagedock.local.registry.names import GROUP, PACKAGE, Shelf
from sagedock.local.registry.unsupported import unsupported_group
from sagedock.local.resources import Resource

__all__ = ["GroupOperations"]

Request = Mapping[str, Any]
Answer = dict[str, Any]

_MEMBER = "ModelPackageGroupSummaryList"
_LISTING = Listing(kind=GROUP, member=_MEMBER)


class GroupOperations:
    """The operations on model package groups. Requests arrive checked."""

    #: Those that only read the store.
    quick = frozenset(
        {"DescribeModelPackageGroup", "GetModelPackageGroupPolicy", "ListModelPackageGroups"}
    )

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def table(self) -> Mapping[str, Callable[[Caller, Request], Any]]:
        """Return each operation's name with what carries it out."""
        return {
            "CreateModelPackageGroup": self.create,
            "DeleteModelPackageGroup": self.delete,
            "DeleteModelPackageGroupPolicy": self.delete_policy,
            "DescribeModelPackageGroup": self.describe,
            "GetModelPackageGroupPolicy": self.get_policy,
            "ListModelPackageGroups": self.list,
            "PutModelPackageGroupPolicy": self.put_policy,
        }

    def create(self, caller: Caller, request: Request) -> Answer:
        """Store a group, or refuse a name that is taken."""
        if refusal := unsupported_group(request):
            raise Refused(refusal)
        shelf, name = self._shelf(caller), request["ModelPackageGroupName"]
        key, arn = shelf.key(GROUP, name), shelf.arn(GROUP, name)
        created = epoch_s(time.time())
        made = Resource(
            key=key,
            created=created,
            modified=created,
            status="Completed",
            document=document.new_group(request, arn, created),
            request=request,
        )
        with self._platform.resources.together():
            if self._platform.resources.alike(key) is not None:
                raise Refused(words.group_exists(arn))
            self._platform.resources.add(made)
            self._platform.tags.add(arn, request.get("Tags", ()))
        return {"ModelPackageGroupArn": arn}

    def describe(self, caller: Caller, request: Request) -> Answer:
        """Answer the group."""
        return document.described_group(self._found(caller, request).document)

    def list(self, caller: Caller, request: Request) -> Any:
        """Answer a page of summaries. No other account shares any here."""
        if request.get("CrossAccountFilterOption") == "CrossAccount":
            return {_MEMBER: []}
        return _LISTING.page(self._platform.resources, caller, request)

    def delete(self, caller: Caller, request: Request) -> Answer:
        """Delete a group, or refuse one that has versions."""
        with self._platform.resources.together():  # else a version might be made in between
            group = self._found(caller, request)
            arn = group.document["ModelPackageGroupArn"]
            page = self._platform.resources.page(
                caller.region,
                PACKAGE,
                sort="created",
                descending=False,
                after=None,
                limit=1,
                among=f"{group.key.name}/*",
            )
            if page.summaries:
                raise Refused(words.group_has_versions(arn))
            self._platform.tags.remove_all(arn)
            self._platform.resources.delete(group.key)
        return {}

    def put_policy(self, caller: Caller, request: Request) -> Answer:
        """Keep a group's policy; nobody's rights are checked here."""
        group = self._found(caller, request)
        arn, policy = group.document["ModelPackageGroupArn"], request["ResourcePolicy"]
        if not _is_policy(policy):
            raise Refused(words.policy_malformed(arn))
        self._change_policy(group, policy)
        return {"ModelPackageGroupArn": arn}

    def get_policy(self, caller: Caller, request: Request) -> Answer:
        """Answer a group's policy."""
        group = self._found(caller, request)
        policy = document.policy_in(group.document)
        if policy is None:
            raise Refused(words.policy_not_found(group.document["ModelPackageGroupArn"]))
        return {"ResourcePolicy": policy}

    def delete_policy(self, caller: Caller, request: Request) -> Answer:
        """Remove a group's policy."""
        group = self._found(caller, request)
        if document.policy_in(group.document) is None:
            raise Refused(words.policy_not_found(group.document["ModelPackageGroupArn"]))
        self._change_policy(group, None)
        return {}

    def _change_policy(self, group: Resource, policy: str | None) -> None:
        def changed(found: Resource) -> Resource:
            return replace(found, document=document.with_policy(found.document, policy))

        if self._platform.resources.change(group.key, changed) is None:
            raise Refused(words.group_not_found(group.document["ModelPackageGroupArn"]))

    def _found(self, caller: Caller, request: Request) -> Resource:
        return self._shelf(caller).group(request["ModelPackageGroupName"])

    def _shelf(self, caller: Caller) -> Shelf:
        return Shelf(resources=self._platform.resources, caller=caller)


def _is_policy(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
