"""Which instance each copy is on. An instance here is room only: numbers, by its type.

What the service keeps of an instance for itself, and how it chooses among instances, is unverified:
here a copy goes where most memory is left.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sagedock.contract.instances import INSTANCES
from sagedock.local.hosting.components.deployment import Needs

__all__ = ["Held", "placed"]

_MB_PER_GIB = 1024


@dataclass(frozen=True, kw_only=True)
class Held:
    """The instances, by number, on which copies are that have the same needs."""

    needs: Needs
    places: Sequence[int]


@dataclass(kw_only=True)
class _Room:
    """What is left of one instance."""

    memory_mb: float
    cpus: float
    accelerators: float

    def fits(self, needs: Needs) -> bool:
        return (
            needs.memory_mb <= self.memory_mb
            and needs.cpus <= self.cpus
            and needs.accelerators <= self.accelerators
        )

    def take(self, needs: Needs) -> None:
        self.memory_mb -= needs.memory_mb
        self.cpus -= needs.cpus
        self.accelerators -= needs.accelerators


def placed(
    instance_type: str, instances: int, held: Iterable[Held], needs: Needs, copies: int
) -> list[int] | None:
    """Return the instances of ``copies`` more, beside what is ``held``; None where they do not fit.

    An instance of a type that is not known has room for any number.
    """
    rooms = [_room(instance_type) for _ in range(instances)]
    for each in held:
        for place in each.places:
            if place < instances:
                rooms[place].take(each.needs)
    found: list[int] = []
    for _ in range(copies):
        able = [at for at, room in enumerate(rooms) if room.fits(needs)]
        if not able:
            return None
        # Of an unknown type all have infinite room: the one with fewest of these copies.
        place = max(able, key=lambda at: (rooms[at].memory_mb, -found.count(at)))
        rooms[place].take(needs)
        found.append(place)
    return found


def _room(instance_type: str) -> _Room:
    known = INSTANCES.get(instance_type)
    if known is None:
        everything = float("inf")
        return _Room(memory_mb=everything, cpus=everything, accelerators=everything)
    return _Room(
        memory_mb=known.memory_gib * _MB_PER_GIB,
        cpus=known.cpus,
        accelerators=max(known.gpus, known.neuron_devices),
    )
