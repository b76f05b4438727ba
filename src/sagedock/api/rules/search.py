"""Search: rules across the parts of an expression."""

from sagedock.api.rules.rule import BROKEN, Finding, Request, Rule
from sagedock.api.rules.sources import API

__all__ = ["SEARCH"]

_MOST_PARTS = 50


def _empty_expression(request: Request) -> Finding:
    expression = request.get("SearchExpression")
    return BROKEN if expression is not None and _lacks(expression) else None


def _lacks(expression: Request) -> bool:
    subs = expression.get("SubExpressions") or ()
    given = expression.get("Filters") or expression.get("NestedFilters") or subs
    return not given or any(_lacks(each) for each in subs)


def _too_many_parts(request: Request) -> Finding:
    expression = request.get("SearchExpression")
    return BROKEN if expression is not None and _parts(expression) > _MOST_PARTS else None


def _parts(expression: Request) -> int:
    nested = expression.get("NestedFilters") or ()
    subs = expression.get("SubExpressions") or ()
    own = len(expression.get("Filters") or ()) + len(nested) + len(subs)
    return own + sum(len(each["Filters"]) for each in nested) + sum(_parts(each) for each in subs)


_SOURCE = API + "API_SearchExpression.html"
SEARCH: tuple[Rule, ...] = (
    Rule(
        fields=("SearchExpression",),
        finding=_empty_expression,
        message="A SearchExpression must have at least one filter, nested filter or subexpression.",
        source=_SOURCE,
        verified=False,
    ),
    Rule(
        fields=("SearchExpression",),
        finding=_too_many_parts,
        message=(
            "A SearchExpression can have at most 50 filters, nested filters and subexpressions."
        ),
        source=API + "API_Search.html",
        verified=False,
    ),
)
