"""Variants that are scalable targets: an update cannot take them, or their instance types, away."""

from sagedock.api import ServiceError
from sagedock.api import hosting_messages as words
from sagedock.api.scaling import VARIANT
from sagedock.local.autoscaling import ScalableResource
from sagedock.local.autoscaling.book import Book
from sagedock.local.hosting.plan import Plan
from sagedock.local.platform import Platform
from sagedock.local.resources import Key

__all__ = ["still_scaled"]


def still_scaled(platform: Platform, key: Key, before: Plan, after: Plan) -> ServiceError | None:
    """Return the refusal of an update of the endpoint ``key`` that removes a variant which is
    registered with autoscaling, or gives it other instances; or None.
    """
    book = Book(platform.resources, platform.tags)
    names = []
    for variant in before.variants:
        then = after.variant(variant.name)
        if then is not None and then.instance_type == variant.instance_type:
            continue
        resource = ScalableResource(
            region=key.region,
            resource_id=f"endpoint/{key.name}/variant/{variant.name}",
            dimension=VARIANT.name,
        )
        if book.target(resource) is not None:
            names.append(variant.name)
    return words.still_scaled(", ".join(names)) if names else None
