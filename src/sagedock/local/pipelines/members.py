"""The form of what steps have beside their arguments, and of expressions: checked once, at the
pipeline's creation. The words are unverified.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sagedock.local.pipelines.caching import age_limit_s
from sagedock.local.pipelines.definition import Step
from sagedock.local.pipelines.expressions import Reference

__all__ = ["expression_problems", "member_problems"]

_EXCEPTIONS = frozenset(
    {
        "Emr.RESOURCE_LIMIT",
        "SageMaker.CAPACITY_ERROR",
        "SageMaker.JOB_INTERNAL_ERROR",
        "SageMaker.RESOURCE_LIMIT",
        "Step.SERVICE_FAULT",
        "Step.THROTTLING",
    }
)
_FUNCTIONS = ("Std:Join", "Std:JsonGet")
_NUMBERS = ("IntervalSeconds", "BackoffRate", "MaxAttempts", "ExpireAfterMin")


def member_problems(step: Step) -> Iterator[str]:
    """Yield what is wrong with the members that only some kinds of steps have."""
    for name, value in step.members.items():
        yield from (f"Step {step.name}: {found}" for found in _CHECKS[name](value))


def expression_problems(value: Any) -> Iterator[str]:
    """Yield what is wrong with the expressions in a value, at any depth."""
    if isinstance(value, list):
        for each in value:
            yield from expression_problems(each)
    if not isinstance(value, dict):
        return
    name = next(iter(value)) if len(value) == 1 else ""
    if name.startswith("Std:") and name not in _FUNCTIONS:
        yield f"Unknown function '{name}': there are {' and '.join(_FUNCTIONS)}."
        return
    if set(value) == {"Std:Join"}:
        join = value["Std:Join"]
        if not isinstance(join, dict) or not isinstance(join.get("Values"), list):
            yield "Std:Join needs Values, a list."
            return
    if set(value) == {"Std:JsonGet"}:
        yield from _of_json_get(value["Std:JsonGet"])
    for each in value.values():
        yield from expression_problems(each)


def _of_json_get(arguments: Any) -> Iterator[str]:
    if not isinstance(arguments, dict) or "Path" not in arguments:
        yield "Std:JsonGet needs PropertyFile or S3Uri, and Path."
    elif "S3Uri" not in arguments:
        file = arguments.get("PropertyFile")
        named = file.get("Get") if isinstance(file, dict) else None
        try:
            is_file = Reference.of(named).property_file is not None
        except ValueError:
            is_file = False
        if not is_file:
            yield "Std:JsonGet needs PropertyFile, {'Get': 'Steps.NAME.PropertyFiles.FILE'}."


def _text(name: str) -> Callable[[Any], Iterator[str]]:
    def check(value: Any) -> Iterator[str]:
        if not isinstance(value, str | dict):
            yield f"{name} must be text."

    return check


def _cache(value: Any) -> Iterator[str]:
    if not isinstance(value, dict) or not isinstance(value.get("Enabled", False), bool):
        yield "CacheConfig needs Enabled, true or false."
        return
    expires = value.get("ExpireAfter")
    try:
        age_limit_s(expires if isinstance(expires, str | None) else str(expires))
    except ValueError as error:
        yield f"{error}."


def _rows(name: str, *members: str) -> Callable[[Any], Iterator[str]]:
    def check(value: Any) -> Iterator[str]:
        rows = value if isinstance(value, list) else [None]
        for row in rows:
            if not isinstance(row, dict) or not all(isinstance(row.get(m), str) for m in members):
                yield f"{name} needs a list of objects with {', '.join(members)}."
                return

    return check


def _retries(value: Any) -> Iterator[str]:
    for policy in value if isinstance(value, list) else [value]:
        if not isinstance(policy, dict):
            yield "RetryPolicies needs a list of objects."
            return
        kinds = policy.get("ExceptionType")
        for kind in kinds if isinstance(kinds, list) else [kinds]:
            if not isinstance(kind, str) or kind not in _EXCEPTIONS:
                yield f"ExceptionType {kind!r} is none of {', '.join(sorted(_EXCEPTIONS))}."
        for name in _NUMBERS:
            number = policy.get(name, 1)
            if isinstance(number, bool) or not isinstance(number, int | float) or number < 0:
                yield f"{name} must be a number from 0 up."


_CHECKS: Mapping[str, Callable[[Any], Iterator[str]]] = {
    "CacheConfig": _cache,
    "FunctionArn": _text("FunctionArn"),
    "OutputParameters": _rows("OutputParameters", "OutputName"),
    "PropertyFiles": _rows("PropertyFiles", "PropertyFileName", "OutputName", "FilePath"),
    "RetryPolicies": _retries,
    "SqsQueueUrl": _text("SqsQueueUrl"),
}
