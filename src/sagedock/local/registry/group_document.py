"""What DescribeModelPackageGroup answers, and what is kept beside it."""

from collections.abc import Mapping
from typing import Any

__all__ = [
    "GROUP_SUMMARY",
    "described_group",
    "new_group",
    "policy_in",
    "token_version",
    "with_policy",
    "with_version",
]

Document = Mapping[str, Any]

#: The members of a group's document that ListModelPackageGroups answers.
GROUP_SUMMARY = (
    "ModelPackageGroupName",
    "ModelPackageGroupArn",
    "ModelPackageGroupDescription",
    "CreationTime",
    "ModelPackageGroupStatus",
)
#: The number of the last version that was ever made: none is used again.
_LAST = "_LastVersion"
#: The versions that recent client tokens made.
_TOKENS = "_Tokens"
_POLICY = "_Policy"
_KEPT = (_LAST, _TOKENS, _POLICY)
_MOST_TOKENS = 100


def new_group(request: Document, arn: str, at: float) -> dict[str, Any]:
    """Return the document of a group created ``at`` (epoch seconds). That it is Completed at once
    is unverified.
    """
    echoed = {name: request[name] for name in ("ModelPackageGroupDescription",) if name in request}
    return {
        "ModelPackageGroupName": request["ModelPackageGroupName"],
        "ModelPackageGroupArn": arn,
        "CreationTime": at,
        "CreatedBy": {},
        "ModelPackageGroupStatus": "Completed",
        **echoed,
        _LAST: 0,
    }


def described_group(document: Document) -> dict[str, Any]:
    """Return what Describe answers of a document."""
    return {name: value for name, value in document.items() if name not in _KEPT}


def with_version(document: Document, token: str | None) -> tuple[dict[str, Any], int]:
    """Return ``document`` with one version more, made by a client's ``token``, and its number."""
    number = document[_LAST] + 1
    tokens = dict(document.get(_TOKENS, {}))
    if token:
        tokens[token] = number
    recent = dict(list(tokens.items())[-_MOST_TOKENS:])
    return {**document, _LAST: number, _TOKENS: recent}, number


def token_version(document: Document, token: str | None) -> int | None:
    """Return the version that a client's ``token`` made already, or None."""
    found: int | None = document.get(_TOKENS, {}).get(token)
    return found


def policy_in(document: Document) -> str | None:
    """Return a group's resource policy, as it was put; None where it has none."""
    found: str | None = document.get(_POLICY)
    return found


def with_policy(document: Document, policy: str | None) -> dict[str, Any]:
    """Return ``document`` with another resource policy, or without one."""
    rest = {name: value for name, value in document.items() if name != _POLICY}
    return rest if policy is None else {**rest, _POLICY: policy}
