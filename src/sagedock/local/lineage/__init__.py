"""Lineage: artifacts, actions and contexts, and the associations between them and trial components.

``entities`` and ``associations`` are what is stored; ``entity_operations`` and
``association_operations`` the control plane.
"""

from sagedock.local.lineage.association_operations import AssociationOperations
from sagedock.local.lineage.entity_operations import EntityOperations

__all__ = ["AssociationOperations", "EntityOperations"]
