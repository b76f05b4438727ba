"""TargetModel: which object below a multi-model endpoint's prefix it names, if any may be."""

import hashlib

from sagedock.local.uris import S3Uri

__all__ = ["model_name", "object_of"]

_NAME_CHARACTERS = 32
_NO_PARTS = ("", ".", "..")


def object_of(prefix: S3Uri, target: str) -> S3Uri | None:
    """Return the object that ``target``, a relative path, names; None for one that is no path
    below ``prefix``: nobody's file can be named so, and no folder here is to be left.

    The two are put together as they are; a prefix without a slash at its end has one (unverified).
    """
    if not prefix.key.endswith("/"):
        target = target.removeprefix("/")
    if "\\" in target or any(part in _NO_PARTS for part in target.split("/")):
        return None
    return prefix / target


def model_name(target: str, salt: str) -> str:
    """Return what a container calls a model: opaque, and fit for the name of a folder. ``salt``
    tells it from what an earlier container called the same.

    Source: the contract's MULTI_MODEL page; that it is a hash is seen in
    aws/sagemaker-tensorflow-serving-container#109.
    """
    return hashlib.sha256(f"{salt}/{target}".encode()).hexdigest()[:_NAME_CHARACTERS]
