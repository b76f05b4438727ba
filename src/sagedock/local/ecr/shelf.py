"""What the operations of ECR have in common: repositories and images found, or refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sagedock.api import ecr_messages as words
from sagedock.local.caller import Caller
from sagedock.local.ecr.process import RegistryProcess
from sagedock.local.ecr.pushed import REPOSITORY, Pushed, PushedImages
from sagedock.local.pages import page_of
from sagedock.local.refusal import Refused
from sagedock.local.resources import Key, Resource, Resources
from sagedock.local.tags import Tags

__all__ = ["Shelf", "identifier", "page", "part_of"]

#: Sources: the documentation of maxResults in the service's model.
_DEFAULT_PAGE = 100

Request = Mapping[str, Any]
Row = TypeVar("Row")


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """The collaborators of the operations."""

    resources: Resources
    tags: Tags
    images: PushedImages
    process: RegistryProcess

    def key(self, caller: Caller, request: Request) -> Key:
        """Return the key of the repository that a request names; refuse another account's."""
        registry = request.get("registryId")
        if registry is not None and registry != caller.account:
            raise Refused(words.not_of_this_account(registry, caller.account))
        return Key(region=caller.region, kind=REPOSITORY, name=request["repositoryName"])

    def repository(self, caller: Caller, request: Request) -> Resource:
        """Return the repository that a request names, or refuse it."""
        key = self.key(caller, request)
        found = self.resources.get(key)
        if found is None:
            raise Refused(words.repository_not_found(key.name, caller.account))
        return found

    def image(self, caller: Caller, request: Request, named: Request) -> Pushed:
        """Return the image of a repository that ``named`` (an ImageIdentifier) means, or refuse."""
        repository = self.repository(caller, request).key.name
        digest, tag = named.get("imageDigest"), named.get("imageTag")
        if not digest and not tag:
            raise Refused(words.invalid_parameter("imageIds", "must have imageDigest or imageTag"))
        found = self.images.of(caller.region, repository, digest or str(tag))
        if found is None or (tag and tag not in found.tags):
            raise Refused(words.image_not_found(repository, caller.account, identifier(named)))
        return found


def identifier(named: Request) -> str:
    """Return an ImageIdentifier as ECR's errors print it. Source: moto's tests, which quote AWS."""
    digest, tag = named.get("imageDigest") or "null", named.get("imageTag") or "null"
    return f"{{imageDigest:'{digest}', imageTag:'{tag}'}}"


def part_of(rows: Sequence[Row], request: Request) -> tuple[Sequence[Row], str | None]:
    """Return a page of ``rows``, and the token of the next one, if there is one. A token that is
    none is refused.
    """
    asked = {
        name: request[given]
        for name, given in (("NextToken", "nextToken"), ("MaxResults", "maxResults"))
        if given in request
    }
    try:
        return page_of(rows, asked, default=_DEFAULT_PAGE)
    except Refused as refused:
        said = str(refused.error.message)
        raise Refused(words.invalid_parameter("nextToken", said)) from refused


def page(rows: Sequence[Row], request: Request, member: str) -> dict[str, Any]:
    """Return a page of ``rows`` as the answer's ``member``, with the token of the next one."""
    found, token = part_of(rows, request)
    return {member: list(found), **({"nextToken": token} if token else {})}
