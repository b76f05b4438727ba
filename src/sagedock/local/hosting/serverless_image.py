"""The image of a serverless variant: it may be so large."""

from collections.abc import Iterator

from sagedock.contract import limits
from sagedock.engine import Engine
from sagedock.errors import ImageNotFound
from sagedock.local.hosting import reasons
from sagedock.local.hosting.plan import ContainerPlan, Plan

__all__ = ["too_large_image"]


def too_large_image(plan: Plan, engine: Engine) -> str | None:
    """Return why a plan cannot be deployed: an image of a serverless variant is too large; or None.

    An image counts as it is unpacked here (unverified: AWS may count it packed). One that is gone
    is not judged.
    """
    most_bytes = int(limits.SERVERLESS_IMAGE_BYTES)
    sizes = (_size(engine, each) for each in _containers(plan))
    too_large = next((size for size in sizes if size > most_bytes), None)
    return None if too_large is None else reasons.image_too_large(too_large)


def _containers(plan: Plan) -> Iterator[ContainerPlan]:
    for variant in plan.variants:
        if variant.serverless is not None:
            yield from variant.containers


def _size(engine: Engine, container: ContainerPlan) -> int:
    try:
        return engine.image(container.image_id).size
    except ImageNotFound:
        return 0
