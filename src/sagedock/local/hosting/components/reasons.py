"""FailureReason of a component. Nobody was seen to get one: the words are those of endpoints, or
ours.
"""

from sagedock.local.hosting import living
from sagedock.local.hosting.components.deployment import Needs

__all__ = ["no_room", "reason_of"]

_ENDPOINT, _COMPONENT = "for this endpoint", "for this inference component"


def no_room(variant: str, needs: Needs) -> str:
    """The copies do not fit on the instances, beside those of other components. Unverified."""
    return (
        f"The instances of variant {variant} do not have enough room for another copy, which needs "
        f"{needs.memory_mb} MB of memory, {needs.cpus:g} CPU cores and {needs.accelerators:g} "
        "accelerators: have more instances, or fewer or smaller copies."
    )


def reason_of(error: Exception) -> str:
    """Return FailureReason: as an endpoint's, but of this component's logs."""
    return living.reason_of(error).replace(_ENDPOINT, _COMPONENT)
