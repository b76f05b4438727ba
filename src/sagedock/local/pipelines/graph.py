"""Which steps wait for which."""

from collections.abc import Iterator, Mapping

from sagedock.local.pipelines.definition import Definition, Step
from sagedock.local.pipelines.expressions import references

__all__ = ["Graph", "needs_of"]


def needs_of(step: Step) -> tuple[str, ...]:
    """Return the names of the steps that ``step`` waits for by itself, each once, in order: those
    that it depends on, and those that its arguments refer to. Raises ValueError.

    What a condition step's branches refer to is theirs, not its own.
    """
    arguments = step.arguments
    if step.type == "Condition":
        arguments = arguments.get("Conditions", [])
    found = [*step.depends_on]
    for value in (arguments, step.members):
        found += [each.name for each in references(value) if each.kind == "Steps"]
    return tuple(dict.fromkeys(found))


class Graph:
    """The steps of a definition, each with what it waits for.

    ``order`` has every step behind those that it waits for. Raises ValueError for a circle.
    """

    def __init__(self, definition: Definition) -> None:
        self.needs: Mapping[str, tuple[str, ...]] = {
            name: needs_of(step) for name, step in definition.steps.items()
        }
        self._definition = definition
        self.order = tuple(self._ordered())

    def waits_for(self, name: str) -> tuple[str, ...]:
        """Return what a step waits for, the condition step that it lies in among them."""
        within = self._definition.steps[name].within
        own = self.needs[name]
        return own if within is None else (within.condition, *own)

    def above(self, names: frozenset[str]) -> frozenset[str]:
        """Return all that the steps ``names`` wait for, directly or not."""
        found: set[str] = set()
        left = [each for name in names for each in self.waits_for(name)]
        while left:
            name = left.pop()
            if name not in found:
                found.add(name)
                left += self.waits_for(name)
        return frozenset(found)

    def _ordered(self) -> Iterator[str]:
        done: set[str] = set()
        left = dict.fromkeys(self._definition.steps)
        while left:
            ready = [name for name in left if done.issuperset(self.waits_for(name))]
            if not ready:
                raise ValueError(f"the steps {', '.join(left)} wait for each other in a circle")
            for name in ready:
                del left[name]
                done.add(name)
                yield name
