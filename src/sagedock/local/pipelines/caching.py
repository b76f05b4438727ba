"""Results of earlier executions that a step may reuse.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-caching.html: same arguments, the
same step (name and kind) of the same pipeline, a run that succeeded and is not too old.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from sagedock.local.pipelines.definition import Step
from sagedock.local.pipelines.step_kinds import CALLED

__all__ = ["age_limit_s", "fingerprint", "is_cached"]

#: ISO 8601 as the page has it: "30d", "T16m", "30dT5h"; and with its P, as SDK examples have it.
_DURATION = re.compile(
    r"P?(?:(?P<y>\d+)Y)?(?:(?P<mo>\d+)M)?(?:(?P<w>\d+)W)?(?:(?P<d>\d+)D)?"
    r"(?:T(?:(?P<h>\d+)H)?(?:(?P<mi>\d+)M)?(?:(?P<s>\d+)S)?)?",
    re.IGNORECASE,
)
_DAY_S = 86_400
_SECONDS: Mapping[str, int] = {
    "y": 365 * _DAY_S,
    "mo": 30 * _DAY_S,
    "w": 7 * _DAY_S,
    "d": _DAY_S,
    "h": 3600,
    "mi": 60,
    "s": 1,
}


def is_cached(step: Step) -> bool:
    """Say whether a step wants earlier results."""
    return bool(step.members.get("CacheConfig", {}).get("Enabled", False))


def age_limit_s(text: str | None) -> float | None:
    """Return how old a result may be, in seconds, by ExpireAfter; None where it never is too old.

    Raises ValueError for what is no duration.
    """
    if text is None:
        return None
    found = _DURATION.fullmatch(text)
    if not text or found is None or not any(found.groups()):
        raise ValueError(f"ExpireAfter {text!r} is no ISO 8601 duration, as P30D or T16M")
    return sum(_SECONDS[unit] * int(count) for unit, count in found.groupdict("0").items())


def fingerprint(step: Step, arguments: Mapping[str, Any]) -> str:
    """Return what results are found by: the members that matter, of arguments without expressions.

    Of callback and Lambda steps that is everything.
    """
    called = CALLED.get(step.type)
    kept = (
        {name: arguments[name] for name in called.cached_by if name in arguments}
        if called
        else {**arguments, **step.members}
    )
    text = json.dumps([step.name, step.type, kept], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
