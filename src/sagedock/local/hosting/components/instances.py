"""ManagedInstanceScaling: a variant has as many instances as the copies on it need.

Source: the service's model, ProductionVariantManagedInstanceScaling. That instances come and go at
once, the last ones first, is unverified; here they are room only.
"""

import time

from sagedock.local.hosting import document as endpoints
from sagedock.local.hosting.components.tenants import as_needed
from sagedock.local.hosting.names import with_document
from sagedock.local.resources import Key, Resource, Resources

__all__ = ["let_instances_follow"]

_SERVES = "InService"


def let_instances_follow(resources: Resources, endpoint: Key) -> None:
    """Have each managed variant of an endpoint at rest have the instances that it needs."""

    def followed(found: Resource) -> Resource:
        plan = endpoints.plan_in(found.document)
        wanted = as_needed(resources, endpoint, plan)
        if wanted == plan or found.status != _SERVES:
            return found
        return with_document(found, endpoints.in_service(found.document, wanted, time.time()))

    resources.change(endpoint, followed)
