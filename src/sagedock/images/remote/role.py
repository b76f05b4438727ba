"""The role that builds have, and what it may do."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sagedock.errors import InvalidRequest
from sagedock.images.remote.aws import Aws, Call
from sagedock.images.remote.changes import Change, differences
from sagedock.images.remote.documents import document
from sagedock.images.remote.wanted import OUR_TAGS, Wanted

__all__ = ["read_role", "role_changes"]

_ABSENT = ("NoSuchEntity", "NoSuchEntityException")
_POLICY = "build"
#: Characters of a role's policies, without white space. Source:
#: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
_LARGEST = 10_240


def read_role(aws: Aws, wanted: Wanted) -> Mapping[str, Any] | None:
    """Return the role's ``trust`` and ``permissions``, each a document of IAM's; None where there
    is no such role. Raises InvalidRequest for a role that somebody else made.
    """
    name = {"RoleName": wanted.role_name}
    tags = aws.find("iam", "ListRoleTags", absent=_ABSENT, **name)
    if tags is None:
        return None
    if not all(tag in tags["Tags"] for tag in OUR_TAGS):
        raise InvalidRequest(
            [
                f"--project: the role {wanted.role_name} is there, and sagedock did not make it, "
                "so it is not changed: choose another --project, after which the role is named"
            ]
        )
    role = aws.call("iam", "GetRole", **name)["Role"]
    policy = aws.find("iam", "GetRolePolicy", absent=_ABSENT, PolicyName=_POLICY, **name)
    return {
        "trust": role["AssumeRolePolicyDocument"],
        "permissions": policy["PolicyDocument"] if policy else None,
    }


def role_changes(wanted: Wanted, now: Mapping[str, Any] | None) -> Iterator[Change]:
    """Yield what makes the role as it is to be; ``now`` is what ``read_role`` found. Raises
    InvalidRequest where IAM would not take what it is to be allowed.
    """
    trust = document("role-trust", wanted.placeholders())
    permissions = document("role-permissions", wanted.placeholders())
    _refuse_large(permissions)
    may = _put_policy(wanted, permissions)
    if now is None:
        made = _call(
            "CreateRole",
            wanted,
            AssumeRolePolicyDocument=json.dumps(trust),
            Description=f"builds of the CodeBuild project {wanted.project}",
            Tags=list(OUR_TAGS),
        )
        lines = tuple(_allowed(permissions))
        yield Change(what=f"role {wanted.role_name}", verb="make", lines=lines, calls=(made, may))
        return
    if lines := tuple(differences(now["trust"], trust, exact=True)):
        call = _call("UpdateAssumeRolePolicy", wanted, PolicyDocument=json.dumps(trust))
        what = f"trust of the role {wanted.role_name}"
        yield Change(what=what, verb="change", lines=lines, calls=(call,))
    if lines := tuple(_told(now["permissions"], permissions)):
        what = f"permissions of the role {wanted.role_name}"
        yield Change(what=what, verb="change", lines=lines, calls=(may,))


def _refuse_large(permissions: Mapping[str, Any]) -> None:
    size = len(json.dumps(permissions, separators=(",", ":")))
    if size > _LARGEST:
        raise InvalidRequest(
            [
                f"containers/images.toml: what builds may push and pull takes {size} characters of "
                f"the role's policy, and IAM takes {_LARGEST}: let images share repositories, each "
                "with a tag of its own"
            ]
        )


def _told(now: Mapping[str, Any] | None, then: Mapping[str, Any]) -> Iterator[str]:
    """Yield the differences of two policies, statement by statement."""
    yield from differences(_without_statements(now or {}), _without_statements(then), exact=True)
    found, after = (
        (now or {}).get("Statement", []),
        {each["Sid"]: each for each in then["Statement"]},
    )
    before = {each.get("Sid"): each for each in found if isinstance(each, Mapping)}
    if len(before) != len(found):  # some have the same name, or it is no list
        yield from differences(found, then["Statement"], "Statement", exact=True)
        return
    for name in before.keys() - after.keys():
        yield f"{name}: no more"
    for name, each in after.items():
        yield from differences(before.get(name, {}), each, name, exact=True)


def _without_statements(policy: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: value for key, value in policy.items() if key != "Statement"}


def _allowed(policy: Mapping[str, Any]) -> Iterator[str]:
    for each in policy["Statement"]:
        actions = [each["Action"]] if isinstance(each["Action"], str) else each["Action"]
        where = [each["Resource"]] if isinstance(each["Resource"], str) else each["Resource"]
        yield f"may {', '.join(actions)} on {', '.join(where)}"


def _put_policy(wanted: Wanted, permissions: Mapping[str, Any]) -> Call:
    text = json.dumps(permissions)
    return _call("PutRolePolicy", wanted, PolicyName=_POLICY, PolicyDocument=text)


def _call(operation: str, wanted: Wanted, **parameters: Any) -> Call:
    parameters = {"RoleName": wanted.role_name, **parameters}
    return Call(service="iam", operation=operation, parameters=parameters)
