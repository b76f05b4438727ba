"""Rules across the fields of a request, which no shape of the model can state."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sagedock.api.rule import Rule, RuleProblem
from sagedock.api.rules_training import CREATE_TRAINING_JOB

__all__ = ["RULES", "rule_problems"]

#: The rules of each operation, in the order in which they are reported.
RULES: Mapping[tuple[str, str], tuple[Rule, ...]] = MappingProxyType(
    {("sagemaker", "CreateTrainingJob"): CREATE_TRAINING_JOB}
)


def rule_problems(
    service: str, operation: str, request: Mapping[str, Any]
) -> tuple[RuleProblem, ...]:
    """Return every rule that ``request`` breaks. The service itself reports only the first.

    Expects a request in which ``problems_in_request`` found nothing.
    """
    return tuple(
        RuleProblem(rule=rule, message=rule.message.format_map(finding))
        for rule in RULES.get((service, operation), ())
        if (finding := rule.finding(request)) is not None
    )
