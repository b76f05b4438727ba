"""Repositories of the local ECR: create, describe, delete, their settings, policies and tags."""

import base64
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sagedock.api import ecr_messages as words
from sagedock.local.caller import Caller
from sagedock.local.ecr.names import repository_arn, repository_uri
from sagedock.local.ecr.pushed import REPOSITORY
from sagedock.local.ecr.shelf import Shelf, page
from sagedock.local.ecr.tokens import USER, Tokens
from sagedock.local.moments import epoch_s
from sagedock.local.refusal import Refused
from sagedock.local.resources import Key, Resource

__all__ = ["RepositoryOperations"]

#: Members of a stored repository that Describe does not answer.
_LIFECYCLE, _POLICY = "lifecyclePolicyText", "repositoryPolicyText"
_ARN = re.compile(r"arn:[^:]+:ecr:(?P<region>[^:]+):(?P<account>\d{12}):repository/(?P<name>.+)")
_MOST_TAGS = 50

Request = Mapping[str, Any]
Answer = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class RepositoryOperations:
    """The operations. ``url`` is the registry's address, without a path."""

    shelf: Shelf
    tokens: Tokens
    url: str

    def table(self) -> Mapping[str, Callable[[Caller, Request], Answer]]:
        """Return each operation's name with what carries it out."""
        return {
            "CreateRepository": self.create,
            "DeleteLifecyclePolicy": lambda *asked: self._policy_deleted(_LIFECYCLE, *asked),
            "DeleteRepository": self.delete,
            "DeleteRepositoryPolicy": lambda *asked: self._policy_deleted(_POLICY, *asked),
            "DescribeRepositories": self.describe,
            "GetAuthorizationToken": self.authorize,
            "GetLifecyclePolicy": lambda *asked: self._policy(_LIFECYCLE, *asked),
            "GetRepositoryPolicy": lambda *asked: self._policy(_POLICY, *asked),
            "ListTagsForResource": self.list_tags,
            "PutImageScanningConfiguration": self.put_scanning,
            "PutImageTagMutability": self.put_mutability,
            "PutLifecyclePolicy": self.put_lifecycle,
            "SetRepositoryPolicy": self.set_policy,
            "TagResource": self.tag,
            "UntagResource": self.untag,
        }

    def authorize(self, caller: Caller, _: Request) -> Answer:
        """Answer a password for the registry of the caller's region, and where that is."""
        password, expires = self.tokens.new(caller.region)
        token = base64.b64encode(f"{USER}:{password}".encode()).decode()
        data = {"authorizationToken": token, "expiresAt": expires, "proxyEndpoint": self.url}
        return {"authorizationData": [data]}

    def create(self, caller: Caller, request: Request) -> Answer:
        """Store a repository, or refuse a name that is taken."""
        key = self.shelf.key(caller, request)
        at = epoch_s(time.time())
        document = {
            "repositoryArn": repository_arn(caller.account, caller.region, key.name),
            "registryId": caller.account,
            "repositoryName": key.name,
            "repositoryUri": repository_uri(caller.account, caller.region, key.name),
            "createdAt": at,
            "imageTagMutability": request.get("imageTagMutability", "MUTABLE"),
            "imageScanningConfiguration": {
                "scanOnPush": False,
                **request.get("imageScanningConfiguration", {}),
            },
            "encryptionConfiguration": request.get(
                "encryptionConfiguration", {"encryptionType": "AES256"}
            ),
        }
        if filters := request.get("imageTagMutabilityExclusionFilters"):
            document["imageTagMutabilityExclusionFilters"] = filters
        made = Resource(
            key=key, created=at, modified=at, status="ACTIVE", document=document, request=request
        )
        with self.shelf.resources.together():
            if not self.shelf.resources.add(made):
                raise Refused(words.repository_exists(key.name, caller.account))
            self.shelf.tags.add(document["repositoryArn"], request.get("tags", ()))
        return {"repository": document}

    def describe(self, caller: Caller, request: Request) -> Answer:
        """Answer the repositories named, or a page of all."""
        names = request.get("repositoryNames")
        if names:
            found = [
                self.shelf.repository(caller, {**request, "repositoryName": name}) for name in names
            ]
        else:
            self.shelf.key(caller, {**request, "repositoryName": ""})
            found = self.shelf.resources.every(caller.region, REPOSITORY)
        return page([_described(each) for each in found], request, "repositories")

    def delete(self, caller: Caller, request: Request) -> Answer:
        """Delete a repository; one with images only by force."""
        with self.shelf.resources.together():
            found = self.shelf.repository(caller, request)
            name = found.key.name
            images = self.shelf.images.every(caller.region, name)
            if images and not request.get("force"):
                raise Refused(words.repository_not_empty(name, caller.account))
            for each in images:
                self.shelf.images.delete(caller.region, name, each.digest)
            self.shelf.tags.remove_all(found.document["repositoryArn"])
            self.shelf.resources.delete(found.key)
        self.shelf.process.forget(caller.region, name)
        return {"repository": _described(found)}

    def put_mutability(self, caller: Caller, request: Request) -> Answer:
        """Say which tags may move from now on."""
        members = ("imageTagMutability", "imageTagMutabilityExclusionFilters")
        now = self._changed(caller, request, {each: request.get(each) for each in members})
        return _of(now, *members)

    def put_scanning(self, caller: Caller, request: Request) -> Answer:
        """Say whether images are scanned when they are pushed."""
        member = "imageScanningConfiguration"
        scanning = {"scanOnPush": False, **request[member]}
        return _of(self._changed(caller, request, {member: scanning}), member)

    def put_lifecycle(self, caller: Caller, request: Request) -> Answer:
        """Store a lifecycle policy. Nothing is expired by it here."""
        _require_json(_LIFECYCLE, request[_LIFECYCLE])
        return _of(self._changed(caller, request, {_LIFECYCLE: request[_LIFECYCLE]}), _LIFECYCLE)

    def set_policy(self, caller: Caller, request: Request) -> Answer:
        """Store a repository's policy. Permissions are not checked here."""
        text = request["policyText"]
        _require_json("policyText", text)
        return _with_policy(self._changed(caller, request, {_POLICY: text}), _POLICY)

    def _policy(self, member: str, caller: Caller, request: Request) -> Answer:
        return _with_policy(self._having(member, caller, request), member)

    def _policy_deleted(self, member: str, caller: Caller, request: Request) -> Answer:
        found = self._having(member, caller, request)
        self._changed(caller, request, {member: None})
        return _with_policy(found, member)

    def _having(self, member: str, caller: Caller, request: Request) -> Resource:
        found = self.shelf.repository(caller, request)
        if member not in found.document:
            absent = (
                words.lifecycle_policy_not_found
                if member == _LIFECYCLE
                else words.repository_policy_not_found
            )
            raise Refused(absent(found.key.name, caller.account))
        return found

    def _changed(self, caller: Caller, request: Request, changes: Mapping[str, Any]) -> Resource:
        """Return the repository with other members; those that are None are removed."""
        key, at = self.shelf.repository(caller, request).key, epoch_s(time.time())

        def change(now: Resource) -> Resource:
            document = {**now.document, **changes}
            kept = {name: value for name, value in document.items() if value is not None}
            return replace(now, document=kept, modified=at)

        changed = self.shelf.resources.change(key, change)
        if changed is None:
            raise Refused(words.repository_not_found(key.name, caller.account))
        return changed

    def list_tags(self, caller: Caller, request: Request) -> Answer:
        """Answer a repository's tags."""
        return {"tags": self.shelf.tags.list(self._arn(caller, request))}

    def tag(self, caller: Caller, request: Request) -> Answer:
        """Add tags to a repository."""
        with self.shelf.resources.together():
            arn = self._arn(caller, request)
            keys = {each["Key"] for each in (*self.shelf.tags.list(arn), *request["tags"])}
            if len(keys) > _MOST_TAGS:
                raise Refused(words.too_many_tags(arn))
            self.shelf.tags.add(arn, request["tags"])
        return {}

    def untag(self, caller: Caller, request: Request) -> Answer:
        """Remove tags from a repository."""
        self.shelf.tags.remove(self._arn(caller, request), request["tagKeys"])
        return {}

    def _arn(self, caller: Caller, request: Request) -> str:
        arn: str = request["resourceArn"]
        found = _ARN.fullmatch(arn)
        if found is None:
            raise Refused(words.invalid_parameter("resourceArn", "must be a repository's ARN"))
        key = Key(region=found["region"], kind=REPOSITORY, name=found["name"])
        if found["account"] != caller.account or self.shelf.resources.get(key) is None:
            raise Refused(words.repository_not_found(found["name"], found["account"]))
        return arn


def _described(resource: Resource) -> Answer:
    return {
        name: value
        for name, value in resource.document.items()
        if name not in (_LIFECYCLE, _POLICY)
    }


def _of(resource: Resource, *members: str) -> Answer:
    wanted = ("registryId", "repositoryName", *members)
    return {name: resource.document[name] for name in wanted if name in resource.document}


def _with_policy(resource: Resource, member: str) -> Answer:
    named = "policyText" if member == _POLICY else member
    return {**_of(resource), named: resource.document[member]}


def _require_json(member: str, text: str) -> None:
    """Refuse a policy that is no JSON object. AWS looks at more of it."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise Refused(words.invalid_parameter(member, "must be a JSON object"))
