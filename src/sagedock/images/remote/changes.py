"""What is to be done to AWS, as data: shown first, sent afterwards."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sagedock.images.remote.aws import Call

__all__ = ["Change", "differences"]


@dataclass(frozen=True, kw_only=True)
class Change:
    """Calls that make ``what`` as it is to be; ``lines`` say how it differs from that now."""

    what: str
    verb: Literal["make", "change", "send", "start"]
    calls: tuple[Call, ...]
    lines: tuple[str, ...] = ()

    def text(self) -> str:
        """Return the change as people read it."""
        return "\n".join([f"{self.verb} {self.what}", *(f"    {line}" for line in self.lines)])

    def document(self) -> dict[str, Any]:
        """Return the change as JSON has it."""
        calls = [
            {
                "Service": each.service,
                "Operation": each.operation,
                "Parameters": dict(each.parameters),
            }
            for each in self.calls
        ]
        return {
            "What": self.what,
            "Verb": self.verb,
            "Differences": list(self.lines),
            "Calls": calls,
        }


def differences(now: Any, then: Any, path: str = "", *, exact: bool = False) -> Iterator[str]:
    """Yield a line for each value of ``then`` that ``now`` has otherwise.

    What ``now`` has besides, as the defaults that AWS fills in, counts for nothing in mappings,
    unless they are to be ``exact``: a policy with one key more allows something else.
    """
    if isinstance(now, Mapping) and isinstance(then, Mapping):
        more = [key for key in now if key not in then] if exact else []
        for key in (*then, *more):
            below = f"{path}.{key}" if path else str(key)
            yield from differences(now.get(key), then.get(key), below, exact=exact)
    elif _are_alike(now, then):
        for number, (before, after) in enumerate(zip(now, then, strict=True)):
            yield from differences(before, after, f"{path}[{number}]", exact=exact)
    elif now != then:
        yield f"{path}: {_shown(now)} -> {_shown(then)}"


def _are_alike(now: Any, then: Any) -> bool:
    """Say whether both are lists of as many members, so that these can be compared."""
    return isinstance(now, list) and isinstance(then, list) and len(now) == len(then)


def _shown(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value, default=str, sort_keys=True)
