"""The conditions of a condition step.

Source: https://sagemaker.readthedocs.io/en/stable/workflows/pipelines/sagemaker.workflow.pipelines.html
(conditions), and the schema of pipeline definitions. That Not has a Condition, as the SDKs write
it, and no Expression: row 141.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sagedock.local.pipelines.expressions import Scope, Unresolved, resolved

__all__ = ["condition_problems", "holds"]

_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "NotEquals": operator.ne,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
_TWO = frozenset({"Type", "LeftValue", "RightValue"})
#: The members of each kind of condition; the SDKs write In with QueryValue and Values, the schema
#: has Value and In.
_MEMBERS: Mapping[str, tuple[frozenset[str], ...]] = {
    **dict.fromkeys(_COMPARED, (_TWO,)),
    "In": (frozenset({"Type", "QueryValue", "Values"}), frozenset({"Type", "Value", "In"})),
    "NotIn": (frozenset({"Type", "QueryValue", "Values"}), frozenset({"Type", "Value", "In"})),
    "Not": (frozenset({"Type", "Condition"}),),
    "Or": (frozenset({"Type", "Conditions"}),),
    "And": (frozenset({"Type", "Conditions"}),),
}


def condition_problems(condition: Any) -> Iterator[str]:
    """Yield what is wrong with a condition's form.

    Source of the words on an unknown property: row 141; all others are unverified.
    """
    if not isinstance(condition, dict):
        yield "Expecting start of Json Object."
        return
    forms = _MEMBERS.get(str(condition.get("Type")))
    if forms is None:
        yield f"Condition type {condition.get('Type')!r} is none of {', '.join(_MEMBERS)}."
        return
    if set(condition) not in forms:
        for name in condition:
            if not any(name in form for form in forms):
                yield f"Cannot parse object, unknown property '{name}'."
                return
        yield f"Condition {condition['Type']} needs {', '.join(sorted(forms[0]))}."
        return
    for name in ("Conditions", "Values", "In"):
        if not isinstance(condition.get(name, []), list):
            yield "Expecting start of Json Array."
            return
    for each in _nested(condition):
        yield from condition_problems(each)


def _nested(condition: Mapping[str, Any]) -> list[Any]:
    if "Condition" in condition:
        return [condition["Condition"]]
    nested: list[Any] = condition.get("Conditions", [])
    return nested


def holds(condition: Mapping[str, Any], scope: Scope) -> bool:
    """Say whether a condition holds. Raises Unresolved, also where values cannot be compared."""
    kind = condition["Type"]
    if kind == "Not":
        return not holds(condition["Condition"], scope)
    if kind == "Or":
        return any(holds(each, scope) for each in condition["Conditions"])
    if kind == "And":
        return all(holds(each, scope) for each in condition["Conditions"])
    if kind in ("In", "NotIn"):
        wanted = resolved(condition.get("QueryValue", condition.get("Value")), scope)
        among = resolved(condition.get("Values", condition.get("In")), scope)
        return any(_alike(wanted, each) for each in among) is (kind == "In")
    left = resolved(condition["LeftValue"], scope)
    right = resolved(condition["RightValue"], scope)
    if kind in ("Equals", "NotEquals"):
        return _alike(left, right) is (kind == "Equals")
    if not _comparable(left, right):
        raise Unresolved(f"{left!r} and {right!r} cannot be compared: {kind} needs two numbers")
    return _COMPARED[kind](left, right)


def _alike(left: Any, right: Any) -> bool:
    return isinstance(left, bool) == isinstance(right, bool) and bool(left == right)


def _comparable(left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return False
    numbers = isinstance(left, int | float) and isinstance(right, int | float)
    return numbers or (isinstance(left, str) and isinstance(right, str))
