"""Model packages and their groups in the store, and the ARNs that name them.

A versioned package is stored as GROUP/VERSION, which is what its ARN ends with. ARNs are
lower-cased: names that differ in nothing but case are one. Source: ARNs of packages in the
developer guide's answers (``model-package/abalonemodelpackagegroupname/1``).
"""

import re
from dataclasses import dataclass

from sagedock.api import messages
from sagedock.api import registry_messages as words
from sagedock.local.caller import Caller
from sagedock.local.refusal import Refused
from sagedock.local.resources import Key, Resource, Resources

__all__ = ["GROUP", "PACKAGE", "Shelf", "group_of", "versioned_name"]

GROUP = "model-package-group"
PACKAGE = "model-package"

_ARN = re.compile(
    r"arn:[^:]+:sagemaker:(?P<region>[^:]*):(?P<account>\d{12}):(?P<kind>[^/]+)/(?P<name>.+)"
)


def versioned_name(group: str, version: int) -> str:
    """Return what a version of a group is stored as."""
    return f"{group}/{version}"


def group_of(name: str) -> str | None:
    """Return the group of a stored package's name; None for one without version."""
    group, slash, _ = name.partition("/")
    return group if slash else None


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """The packages, or the groups, that one caller sees."""

    resources: Resources
    caller: Caller

    def key(self, kind: str, name: str) -> Key:
        """Return what names a resource in the store."""
        return Key(region=self.caller.region, kind=kind, name=name)

    def arn(self, kind: str, name: str) -> str:
        """Return the ARN of a name."""
        return self.caller.arn(kind, name.lower())

    def group(self, named: str) -> Resource:
        """Return the group of a name or ARN, or refuse: there is none."""
        found, arn = self._found(GROUP, named)
        if found is None:
            raise Refused(words.group_not_found(arn))
        return found

    def package(self, named: str) -> Resource:
        """Return the package of a name or ARN, or refuse: there is none."""
        found, arn = self._found(PACKAGE, named)
        if found is None:
            raise Refused(words.package_not_found(arn))
        return found

    def _found(self, kind: str, named: str) -> tuple[Resource | None, str]:
        """Return what a name or ARN means, and its ARN."""
        parts = _ARN.fullmatch(named)
        if parts is None:
            return self.resources.alike(self.key(kind, named)), self.arn(kind, named)
        if parts["region"] != self.caller.region:
            raise Refused(messages.arn_of_other_region(self.caller.region))
        if (parts["kind"], parts["account"]) != (kind, self.caller.account):
            return None, named
        return self.resources.alike(self.key(kind, parts["name"])), named
