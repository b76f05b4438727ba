"""Images of the local ECR: what was pushed, told, tagged anew and deleted."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sagedock.api import ecr_messages as words
from sagedock.local.caller import Caller
from sagedock.local.ecr.manifests import Manifest, NotAManifest
from sagedock.local.ecr.pushed import Pushed, TagIsImmutable
from sagedock.local.ecr.referrers import annotations, artifact_type, referring
from sagedock.local.ecr.shelf import Shelf, page
from sagedock.local.moments import epoch_s
from sagedock.local.refusal import Refused

__all__ = ["ImageOperations"]

#: Source: the documentation of maxResults of ListImageReferrers in the service's model.
_REFERRERS_PAGE = 50

Request = Mapping[str, Any]
Answer = dict[str, Any]
Identifiers = list[dict[str, str]]
Failures = list[Answer]


@dataclass(frozen=True, kw_only=True)
class ImageOperations:
    """The operations on images."""

    shelf: Shelf

    def table(self) -> Mapping[str, Callable[[Caller, Request], Answer]]:
        """Return each operation's name with what carries it out."""
        return {
            "BatchDeleteImage": self.delete,
            "BatchGetImage": self.get,
            "DescribeImages": self.describe,
            "ListImageReferrers": self.referrers,
            "ListImages": self.list,
            "PutImage": self.put,
        }

    def describe(self, caller: Caller, request: Request) -> Answer:
        """Answer the images named, or a page of all: digest, tags, size."""
        name = self.shelf.repository(caller, request).key.name
        if named := request.get("imageIds"):
            found = [self.shelf.image(caller, request, each) for each in named]
        else:
            found = list(_wanted(self.shelf.images.every(caller.region, name), request))
        details = [_detail(each, caller.account, name) for each in found]
        return page(details, request, "imageDetails")

    def list(self, caller: Caller, request: Request) -> Answer:
        """Answer a page of identifiers, one for each tag."""
        name = self.shelf.repository(caller, request).key.name
        found = _wanted(self.shelf.images.every(caller.region, name), request)
        return page([each for image in found for each in _identifiers(image)], request, "imageIds")

    def get(self, caller: Caller, request: Request) -> Answer:
        """Answer the manifests of images, and which are not there."""
        name = self.shelf.repository(caller, request).key.name
        failures: Failures = []
        images = [
            _image(found, caller.account, name, {**named, "imageDigest": found.digest})
            for named, found in self._named(caller, request, failures)
        ]
        return {"images": images, "failures": failures}

    def referrers(self, caller: Caller, request: Request) -> Answer:
        """Answer a page of what refers to an image, whether that is there or not (unverified)."""
        name = self.shelf.repository(caller, request).key.name
        wanted = request.get("filter", {})
        if wanted.get("artifactStatus", "ACTIVE") not in ("ACTIVE", "ANY"):
            return {"referrers": []}  # nothing is archived here
        images = self.shelf.images.every(caller.region, name)
        digest, kinds = request["subjectId"]["imageDigest"], wanted.get("artifactTypes", ())
        found = [_referrer(each) for each in referring(images, digest, kinds)]
        return page(found, {"maxResults": _REFERRERS_PAGE, **request}, "referrers")

    def put(self, caller: Caller, request: Request) -> Answer:
        """Give an image that is there another tag; another manifest comes by a push.

        Source: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-retag.html
        """
        name = self.shelf.repository(caller, request).key.name
        body, kind = request["imageManifest"].encode(), request.get("imageManifestMediaType")
        try:
            manifest = Manifest.read(body, kind)
        except NotAManifest as error:
            raise Refused(words.invalid_parameter("imageManifest", str(error))) from error
        wanted = request.get("imageDigest", manifest.digest)
        found = self.shelf.images.by_digest(caller.region, name, manifest.digest)
        if found is None or wanted != manifest.digest:
            raise Refused(words.layers_not_found(name, caller.account))
        tag = request.get("imageTag")
        if tag is None or tag in found.tags:
            raise Refused(
                words.image_already_there(name, caller.account, found.digest, tag or "null")
            )
        try:
            self.shelf.images.put(caller.region, name, found, tag)
        except TagIsImmutable as error:
            raise Refused(words.tag_exists(name, tag)) from error
        named = {"imageDigest": found.digest, "imageTag": tag}
        return {"image": _image(found, caller.account, name, named)}

    def delete(self, caller: Caller, request: Request) -> Answer:
        """Take tags from images, or delete them by digest: those without tags go."""
        name = self.shelf.repository(caller, request).key.name
        failures: Failures = []
        gone: Identifiers = []
        for named, found in self._named(caller, request, failures):
            gone += self._deleted(caller.region, name, found, named.get("imageTag"))
        return {"imageIds": gone, "failures": failures}

    def _named(
        self, caller: Caller, request: Request, failures: Failures
    ) -> Iterator[tuple[Request, Pushed]]:
        """Yield each identifier with its image, looked up only then; what is none is put into
        ``failures``.
        """
        for named in request["imageIds"]:
            if failure := _failure(named):
                failures.append(failure)
                continue
            try:
                found = self.shelf.image(caller, request, named)
            except Refused:
                failures.append(_not_found(named))
            else:
                yield named, found

    def _deleted(self, region: str, name: str, image: Pushed, tag: str | None) -> Identifiers:
        if tag is not None and image.tags != (tag,):
            self.shelf.images.untag(region, name, image.digest, tag)
            return [{"imageDigest": image.digest, "imageTag": tag}]
        self.shelf.images.delete(region, name, image.digest)
        self.shelf.process.forget(region, name, image.digest)
        return _identifiers(image)


def _wanted(images: "list[Pushed]", request: Request) -> Iterator[Pushed]:
    status = request.get("filter", {}).get("tagStatus", "ANY")
    for each in images:
        if status == "ANY" or (status == "TAGGED") == bool(each.tags):
            yield each


def _identifiers(image: Pushed) -> Identifiers:
    if not image.tags:
        return [{"imageDigest": image.digest}]
    return [{"imageDigest": image.digest, "imageTag": tag} for tag in image.tags]


def _detail(image: Pushed, account: str, repository: str) -> Answer:
    detail = {
        "registryId": account,
        "repositoryName": repository,
        "imageDigest": image.digest,
        "imageSizeInBytes": image.size,
        "imagePushedAt": epoch_s(image.pushed),
        "imageManifestMediaType": image.media_type,
    }
    if image.tags:
        detail["imageTags"] = [*image.tags]
    if kind := artifact_type(image):
        detail["artifactMediaType"] = kind  # of an artifact that says its type: unverified
    if image.subject:
        detail["subjectManifestDigest"] = image.subject
    return detail


def _referrer(artifact: Pushed) -> Answer:
    told, kind = annotations(artifact), artifact_type(artifact)
    return {
        "digest": artifact.digest,
        "mediaType": artifact.media_type,
        "size": artifact.size,
        "artifactStatus": "ACTIVE",
        **({"artifactType": kind} if kind else {}),
        **({"annotations": told} if told else {}),
    }


def _image(image: Pushed, account: str, repository: str, named: Request) -> Answer:
    return {
        "registryId": account,
        "repositoryName": repository,
        "imageId": dict(named),
        "imageManifest": image.manifest,
        "imageManifestMediaType": image.media_type,
    }


def _failure(named: Request) -> Answer | None:
    """Return the failure of an identifier that names nothing. Source: moto's tests."""
    if named.get("imageDigest") or named.get("imageTag"):
        return None
    return {
        "imageId": {},
        "failureCode": "MissingDigestAndTag",
        "failureReason": "Invalid request parameters: both tag and digest cannot be null",
    }


def _not_found(named: Request) -> Answer:
    """Return the failure of an image that is not there. Source: moto's tests."""
    return {
        "imageId": dict(named),
        "failureCode": "ImageNotFound",
        "failureReason": "Requested image not found",
    }
