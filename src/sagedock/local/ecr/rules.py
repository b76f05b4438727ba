"""Which tags of a repository may move."""

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["may_move"]


def may_move(repository: Mapping[str, Any], tag: str) -> bool:
    """Say whether ``tag`` of a repository (as Describe answers it) may come to mean another image.

    The filters' only sign is ``*``. Source:
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
    """
    kind = repository.get("imageTagMutability", "MUTABLE")
    filters = repository.get("imageTagMutabilityExclusionFilters") or ()
    excluded = any(_matches(each["filter"], tag) for each in filters)
    match kind:
        case "MUTABLE_WITH_EXCLUSION":
            return not excluded
        case "IMMUTABLE_WITH_EXCLUSION":
            return excluded
    return bool(kind == "MUTABLE")


def _matches(glob: str, tag: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, glob.split("*"))), tag) is not None
