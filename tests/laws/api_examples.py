"""Values that a service's model accepts, made from its shapes alone."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st

from sagedock.api.constraints import constraints
from sagedock.api.model import Shape
from sagedock.api.patterns import compiled, matches

# Most patterns take one of these; the rest are asked of hypothesis.
_ACCOUNT = "us-east-1:123456789012:"
_TEXTS = (
    "a",
    "1",
    "1.1",
    "1.1.1",
    "aaaaaaaaaaaa",
    "a" * 40,
    "123456789012",
    "s3://bucket/key",
    "https://host.example/path",
    "https://s3.us-east-1.amazonaws.com/bucket/key",
    "fs-0123456789abcdef0",
    "arn:aws:iam::123456789012:role/name",
    f"arn:aws:lambda:{_ACCOUNT}function:name",
    f"arn:aws:sns:{_ACCOUNT}name",
    f"arn:aws:kms:{_ACCOUNT}key/name",
    f"arn:aws:logs:{_ACCOUNT}log-group:/name",
    f"arn:aws:cloudformation:{_ACCOUNT}stack/name/id",
    *(
        f"arn:aws:sagemaker:{_ACCOUNT}{kind}/name"
        for kind in ("model-package", "model-package-group", "training-job", "pipeline", "x")
    ),
)
_QUICK = settings(
    database=None,
    derandomize=True,
    max_examples=2000,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


def smallest(shape: Shape) -> Any:
    """Return the smallest value that ``shape`` accepts: required members only."""
    match shape.type_name:
        case "structure":
            return {name: smallest(shape.members[name]) for name in _needed(shape)}
        case "list":
            return [smallest(shape.member) for _ in range(shape.metadata.get("min", 0))]
        case "map":
            return _map(shape, shape.metadata.get("min", 0))
        case _:
            return scalar(shape)


def fullest(shape: Shape, depth: int = 5) -> Any:
    """Return a value of ``shape`` with every member there, down to ``depth`` levels."""
    if depth == 0:
        return smallest(shape)
    match shape.type_name:
        case "structure" if not shape.metadata.get("union"):
            return {name: fullest(member, depth - 1) for name, member in shape.members.items()}
        case "list":
            return [fullest(shape.member, depth - 1)] * max(1, shape.metadata.get("min", 1))
        case "map":
            count = max(1, shape.metadata.get("min", 1))
            return {key: fullest(shape.value, depth - 1) for key in _map(shape, count)}
        case _:
            return smallest(shape)


def scalar(shape: Shape) -> Any:
    """Return one value that a scalar ``shape`` accepts."""
    match shape.type_name:
        case "string" | "character":
            return text(shape)
        case "boolean":
            return True
        case "timestamp":
            return datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
        case "blob":
            return base64.b64encode(b"bytes")
        case "float" | "double":
            return float(shape.metadata.get("min", 1))
        case _:
            return max(shape.metadata.get("min", 1), 1)


def text(shape: Shape) -> str:
    """Return one text that satisfies every demand of ``shape``."""
    limits = (shape.metadata.get("min", 0), shape.metadata.get("max"))
    return _text(*limits, shape.metadata.get("pattern"), tuple(shape.metadata.get("enum", ())))


@cache
def _text(least: int, most: int | None, pattern: str | None, choices: tuple[str, ...]) -> str:
    def fits(candidate: str) -> bool:
        long_enough = least <= len(candidate) and (most is None or len(candidate) <= most)
        return long_enough and (pattern is None or matches(pattern, candidate))

    if choices:
        return choices[0]
    for candidate in (*_TEXTS, "a" * least):
        if fits(candidate):
            return candidate
    strategy = st.from_regex(compiled(str(pattern)), fullmatch=True)
    return find(strategy, fits, settings=_QUICK)


def _needed(shape: Shape) -> Iterator[str]:
    if shape.metadata.get("union"):
        yield next(iter(shape.members))
    else:
        yield from shape.required_members


def _map(shape: Shape, count: int) -> dict[str, Any]:
    demands = constraints(shape.key)
    keys = [key for key in _TEXTS if all(demand.holds(key) for demand in demands)]
    return {key: smallest(shape.value) for key in keys[:count]}
