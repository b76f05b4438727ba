"""ECR of one region, as a push asks it: AWS's, or the local SageMaker's at its address."""

import base64
import json
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sagedock.api.aws_errors import DENIED, EXPIRED, explained
from sagedock.errors import InvalidRequest, PushFailed, SagedockError
from sagedock.images.media_types import MANIFESTS
from sagedock.images.names import OURS
from sagedock.images.remote.documents import actions_of

__all__ = ["EcrRegistry", "Kept", "Login", "Repository", "ecr_explained"]

#: Untagged images are what a push leaves that was given another tag's place, or its index.
_EXPIRES = {
    "rules": [
        {
            "rulePriority": 1,
            "description": "expire images without a tag",
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": 14,
            },
            "action": {"type": "expire"},
        }
    ]
}
_TAGS = [{"Key": key, "Value": value} for key, value in OURS.items()]
_ABSENT = ("RepositoryNotFoundException", "ImageNotFoundException")
#: The document of IAM that has what a push calls.
_LOGS_IN = "ecr:GetAuthorizationToken"
_WHO_MAY = "src/sagedock/images/remote/policies/person-push.json"


@dataclass(frozen=True, kw_only=True)
class Kept:
    """An image that a repository has; ``config`` is its configuration's digest, if it has one."""

    digest: str
    config: str | None

    def is_same(self, image_id: str) -> bool:
        """Say whether an engine's image of that id is this one: engines call an image by its
        configuration, or (where containerd keeps them) by its manifest.
        """
        return image_id in (self.digest, self.config)


@dataclass(frozen=True, kw_only=True)
class Login:
    """What the engine logs in with; the password is for no log. ``scheme`` is http locally."""

    host: str
    user: str
    password: str = field(repr=False)
    scheme: str = "https"


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A repository. ``created`` says whether this push made it."""

    uri: str
    mutability: str
    scans: bool
    created: bool


@dataclass(frozen=True, kw_only=True)
class EcrRegistry:
    """ECR of ``region``, by a boto3 client of it. Every method raises SagedockErrors that say what
    to do; without ``pushes``, for who only logs in.
    """

    client: Any = field(repr=False)
    region: str
    kms_key: str | None = None
    pushes: bool = True

    def login(self, account: str | None = None) -> Login:
        """Return what the engine logs in with, and where; for another account's registry, too."""
        whose = {"registryIds": [account]} if account else {}
        with self.explained():
            (data,) = self.client.get_authorization_token(**whose)["authorizationData"]
        user, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
        where = urlsplit(data["proxyEndpoint"])
        return Login(host=where.netloc, user=user, password=password, scheme=where.scheme)

    def image(self, repository: str, tag: str) -> Kept | None:
        """Return what a tag means in a repository; None where that, or it, is not there."""
        try:
            with self.explained():
                found = self.client.batch_get_image(
                    repositoryName=repository,
                    imageIds=[{"imageTag": tag}],
                    acceptedMediaTypes=list(MANIFESTS),
                )
        except _Absent:
            return None
        if not found["images"]:
            return None
        image = found["images"][0]
        config = json.loads(image["imageManifest"]).get("config") or {}
        return Kept(digest=image["imageId"]["imageDigest"], config=config.get("digest"))

    def size(self, repository: str, digest: str) -> int:
        """Return how many bytes an image has in the repository, compressed."""
        with self.explained():
            found = self.client.describe_images(
                repositoryName=repository, imageIds=[{"imageDigest": digest}]
            )
        return int(found["imageDetails"][0]["imageSizeInBytes"])

    def ensure_repository(self, name: str) -> Repository:
        """Return the repository of that name, made if it is not there: tags that do not move, scans
        of what is pushed, encryption, and untagged images expire. One that is there stays as it is.
        """
        try:
            return self._repository(name, created=False)
        except _Absent:
            pass
        encryption = {"encryptionType": "KMS", "kmsKey": self.kms_key} if self.kms_key else None
        try:
            with self.explained():
                self.client.create_repository(
                    repositoryName=name,
                    imageTagMutability="IMMUTABLE",
                    imageScanningConfiguration={"scanOnPush": True},
                    encryptionConfiguration=encryption or {"encryptionType": "AES256"},
                    tags=_TAGS,
                )
        except _Exists:
            return self._repository(name, created=False)
        return self._repository(name, created=True)

    def _repository(self, name: str, *, created: bool) -> Repository:
        with self.explained():
            (found,) = self.client.describe_repositories(repositoryNames=[name])["repositories"]
            tags = self.client.list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"]
        if all(each in tags for each in _TAGS):
            self._expire_untagged(name)
        return Repository(
            uri=found["repositoryUri"],
            mutability=found["imageTagMutability"],
            scans=found.get("imageScanningConfiguration", {}).get("scanOnPush", False),
            created=created,
        )

    def _expire_untagged(self, name: str) -> None:
        """Give a repository that a push made its lifecycle policy, unless it has one: the push that
        made it may have ended in between.
        """
        with self.explained():
            try:
                self.client.get_lifecycle_policy(repositoryName=name)
            except self.client.exceptions.LifecyclePolicyNotFoundException:
                text = json.dumps(_EXPIRES)
                self.client.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=text)

    def explained(self) -> AbstractContextManager[None]:
        """Raise botocore's errors inside as SagedockErrors that say what to do."""
        return ecr_explained(self.region, pushes=self.pushes)


def ecr_explained(region: str, *, pushes: bool = True) -> AbstractContextManager[None]:
    """Raise botocore's errors about ECR of a region as SagedockErrors that say what to do, those of
    making its client, too. Without ``pushes`` somebody only logs in.
    """
    return explained(
        f"ECR in {region}",
        refused=lambda error: _refused(error, region, pushes=pushes),
        failed=PushFailed,
        otherwise="push with --target local, which needs none" if pushes else "",
        invalid=": choose other names with --repository, --tag",
    )


def _refused(error: Any, region: str, *, pushes: bool) -> SagedockError:
    found = error.response["Error"]
    code, message = found.get("Code", ""), found.get("Message", "")
    said = f"ECR in {region}: {error.operation_name}: {message} ({code})"
    if code in _ABSENT:
        return _Absent(said)
    if code == "RepositoryAlreadyExistsException":
        return _Exists(said)
    if code == "InvalidParameterException":
        return InvalidRequest([f"{said}: choose another --repository or --tag"])
    if code in DENIED and not pushes:
        return PushFailed(f"{said}: to log in takes {_LOGS_IN}: ask for it, or for another role")
    if code in DENIED:
        needed = ", ".join(actions_of("person-push"))
        return PushFailed(f"{said}: a push needs {needed}: ask for the policy in {_WHO_MAY}")
    if code in EXPIRED:
        return PushFailed(f"{said}: sign in again, e.g. `aws sso login`, or correct the keys")
    return PushFailed(said)


class _Absent(PushFailed):
    """There is no such repository, or no such image."""


class _Exists(PushFailed):
    """There is such a repository already."""
