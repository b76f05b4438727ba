"""The model registry: groups of model packages, their versions, and who approves them.

``group_operations`` and ``package_operations`` are the control plane; ``names`` knows ARNs,
``group_document`` and ``package_document`` what is stored. ``specifications`` records images by
their digests; ``sources`` makes packages of models and of other packages; ``deploying`` is how
models are made of packages; ``package_event`` what EventBridge is told.
"""

from sagedock.local.registry.deploying import deployable
from sagedock.local.registry.group_document import GROUP_SUMMARY
from sagedock.local.registry.group_operations import GroupOperations
from sagedock.local.registry.names import GROUP, PACKAGE
from sagedock.local.registry.package_document import PACKAGE_SUMMARY
from sagedock.local.registry.package_operations import PackageOperations

__all__ = [
    "GROUP",
    "PACKAGE",
    "SUMMARIES",
    "GroupOperations",
    "PackageOperations",
    "deployable",
]

#: The members that lists answer, by kind.
SUMMARIES = {GROUP: GROUP_SUMMARY, PACKAGE: PACKAGE_SUMMARY}
