"""Which models a container has, who uses them, and which was not used for longest."""

import asyncio
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

__all__ = ["Leases", "Loaded"]


@dataclass(eq=False, kw_only=True)
class Loaded:
    """One model: of which target, in which folder, and how many requests have it now.

    ``coming`` ends once it is loaded; ``leaving``, where it is being unloaded, once it is gone.
    One that ``starves`` waits for room.
    """

    target: str
    folder: Path
    coming: "asyncio.Future[None]" = field(default_factory=asyncio.Future)
    leaving: "asyncio.Future[None] | None" = None
    is_ready: bool = False
    starves: bool = False
    users: int = 0
    used: int = 0


class Leases:
    """The models of one container, by target. For the event loop only."""

    def __init__(self) -> None:
        self._models: dict[str, Loaded] = {}
        self._uses = count()
        self._changed = asyncio.Event()

    @property
    def ready(self) -> int:
        """How many are loaded."""
        return sum(1 for each in self._models.values() if each.is_ready)

    def find(self, target: str) -> Loaded | None:
        """Return the model of a target, also one that comes or goes."""
        return self._models.get(target)

    def add(self, target: str, folder: Path) -> Loaded:
        """Return a new model, that is yet to come."""
        model = self._models[target] = Loaded(target=target, folder=folder)
        return model

    def remove(self, model: Loaded) -> None:
        """Forget a model."""
        if self._models.get(model.target) is model:
            del self._models[model.target]
        self._changed.set()

    def arrived(self, model: Loaded) -> None:
        """Let a model be used."""
        model.is_ready = True
        self._changed.set()

    def give_back(self, model: Loaded) -> None:
        """Have one user less."""
        model.users -= 1
        model.used = next(self._uses)
        self._changed.set()

    def idle(self, but: Loaded) -> Loaded | None:
        """Return a model that leaves already, or else the one that was not used for longest and
        that nobody uses; another one than ``but``.
        """
        able = [
            each
            for each in self._models.values()
            if each is not but and (each.leaving is not None or (each.is_ready and each.users == 0))
        ]
        return min(able, key=lambda each: (each.leaving is None, each.used), default=None)

    async def next_to_go(self, but: Loaded) -> Loaded | None:
        """Return the same, and wait where every other one is in use or comes; None where there is
        no other that may ever go.
        """
        but.starves = True
        try:
            while (found := self.idle(but)) is None:
                if all(each is but or each.starves for each in self._models.values()):
                    break
                self._changed.clear()
                await self._changed.wait()
            return found
        finally:
            but.starves = False
            self._changed.set()
