"""A search expression, against one record."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sagedock.api import search_messages as words
from sagedock.api.model import Shape
from sagedock.local.refusal import Refused
from sagedock.local.search.comparing import holds
from sagedock.local.search.properties import found_in, has_property, lists_in

__all__ = ["Expression", "refuse_wrong"]

Part = Mapping[str, Any]

#: Properties for which Contains may be used several times. Source: the model's words on Filter.
_OFTEN: Mapping[str, tuple[str, ...]] = {
    "Experiment": ("DisplayName", "ExperimentName", "Tags"),
    "ExperimentTrial": ("DisplayName", "TrialName", "Tags"),
    "ExperimentTrialComponent": (
        *("DisplayName", "TrialComponentName", "Tags", "InputArtifacts", "OutputArtifacts"),
    ),
}


@dataclass(frozen=True, kw_only=True)
class Expression:
    """What is looked for among records of one shape; nothing finds all."""

    shape: Shape
    wanted: Part | None

    def matches(self, record: Part) -> bool:
        """Say whether a record satisfies the expression."""
        return self.wanted is None or self._matches(self.wanted, record)

    def _matches(self, wanted: Part, record: Part) -> bool:
        combined: Callable[[Iterator[bool]], bool] = (
            any if wanted.get("Operator", "And") == "Or" else all
        )
        return combined(self._conditions(wanted, record))

    def _conditions(self, wanted: Part, record: Part) -> Iterator[bool]:
        for each in wanted.get("Filters") or ():
            yield holds(each, list(found_in(self.shape, record, each["Name"])))
        for each in wanted.get("NestedFilters") or ():
            yield self._nested(each, record)
        for each in wanted.get("SubExpressions") or ():
            yield self._matches(each, record)

    def _nested(self, wanted: Part, record: Part) -> bool:
        """Say whether one item of a list satisfies all filters; their names begin with its."""
        found = lists_in(self.shape, record, wanted["NestedPropertyName"])
        if found is None:
            return False
        shape, items = found
        return any(
            all(
                holds(each, list(found_in(shape, item, _below(wanted, each))))
                for each in wanted["Filters"]
            )
            for item in items
        )


def refuse_wrong(resource: str, shape: Shape, wanted: Part | None, sort_by: str | None) -> None:
    """Refuse an expression, or an order, by what a resource does not have."""
    names = [*_names(wanted or {}), *([sort_by] if sort_by else [])]
    for name in names:
        if not has_property(shape, name):
            raise Refused(words.unknown_property(name, resource))
    for each in _nested_in(wanted or {}):
        below = lists_in(shape, None, each["NestedPropertyName"])
        if below is None:
            raise Refused(words.no_list_property(each["NestedPropertyName"], resource))
        for inner in each["Filters"]:
            if not has_property(below[0], _below(each, inner)):
                raise Refused(words.no_list_property(inner["Name"], resource))
    often = _OFTEN.get(resource, ())
    contains = [each for each in _filters(wanted or {}) if each.get("Operator") == "Contains"]
    if len([each for each in contains if each["Name"].partition(".")[0] not in often]) > 1:
        raise Refused(words.contains_too_often())


def _below(nested: Part, inner: Part) -> str:
    prefix = f"{nested['NestedPropertyName']}."
    name: str = inner["Name"]
    return name.removeprefix(prefix)


def _names(wanted: Part) -> Iterator[str]:
    yield from (each["Name"] for each in wanted.get("Filters") or ())
    for each in wanted.get("SubExpressions") or ():
        yield from _names(each)


def _nested_in(wanted: Part) -> Iterator[Part]:
    yield from wanted.get("NestedFilters") or ()
    for each in wanted.get("SubExpressions") or ():
        yield from _nested_in(each)


def _filters(wanted: Part) -> Iterator[Part]:
    yield from wanted.get("Filters") or ()
    for nested in wanted.get("NestedFilters") or ():
        yield from nested["Filters"]
    for each in wanted.get("SubExpressions") or ():
        yield from _filters(each)
