"""Which roles SageMaker may assume: all, but those that this server's IAM was told otherwise of."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sagedock.api import ServiceError, messages
from sagedock.local.refusal import Refused

__all__ = ["Trust"]

_SAGEMAKER = "sagemaker.amazonaws.com"
_ASSUME = ("sts:AssumeRole", "sts:*", "*")


class Trust:
    """What IAM was told of roles, by their names; safe to use from any thread. Conditions of a
    policy are taken for met.
    """

    def __init__(self) -> None:
        #: Those that cannot be assumed; True for one that is deleted.
        self._refused: dict[str, bool] = {}

    def told(self, name: str, policy: str) -> None:
        """Remember the trust policy (JSON) that a role has now."""
        if _trusts(policy):
            self._refused.pop(name, None)
        else:
            self._refused[name] = False

    def deleted(self, name: str) -> None:
        """Remember that a role was deleted."""
        self._refused[name] = True

    def is_deleted(self, name: str) -> bool:
        """Say whether a role was deleted, and not made again."""
        return self._refused.get(name, False)

    def refusal(self, arn: str | None, account: str) -> ServiceError | None:
        """Return the refusal of a role of ``account`` that cannot be assumed, or None. No ARN, and
        roles of other accounts, are not known here.
        """
        _, is_ours, name = (arn or "").partition(f":iam::{account}:role/")
        if not is_ours or name.rpartition("/")[2] not in self._refused:
            return None
        return messages.role_cannot_be_assumed(str(arn))

    def require(self, arn: str | None, account: str) -> None:
        """Raise Refused for a role that cannot be assumed."""
        if refusal := self.refusal(arn, account):
            raise Refused(refusal)


def _trusts(policy: str) -> bool:
    """Say whether a trust policy lets SageMaker assume its role: one statement does, none forbids
    it.
    """
    effects = {each.get("Effect") for each in _statements(policy) if _names_sagemaker(each)}
    return "Allow" in effects and "Deny" not in effects


def _statements(policy: str) -> Iterator[Mapping[str, Any]]:
    try:
        found: Any = json.loads(policy)
    except (ValueError, RecursionError):  # IAM refused it: nobody is told of it
        return
    statements = found.get("Statement") if isinstance(found, dict) else None
    yield from (each for each in _listed(statements) if isinstance(each, dict))


def _names_sagemaker(statement: Mapping[str, Any]) -> bool:
    """Say whether a statement is about SageMaker's assuming the role."""
    principal = statement.get("Principal")
    services = principal.get("Service") if isinstance(principal, dict) else principal
    is_about = any(each in (_SAGEMAKER, "*") for each in _listed(services))
    return is_about and any(each in _ASSUME for each in _listed(statement.get("Action")))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
