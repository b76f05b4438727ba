"""Lineage: artifacts, actions and contexts, and the associations between them and trial components.

``entities`` and ``associations`` are what is stored; ``entity_operations`` and
``association_operations`` the control plane; ``packages`` makes what belongs to a model package.
"""

from sagedock.local.lineage.association_operations import AssociationOperations
from sagedock.local.lineage.entity_operations import EntityOperations
from sagedock.local.lineage.packages import record_package

__all__ = ["AssociationOperations", "EntityOperations", "record_package"]
