"""How many payloads at once, how large, and of how many records: who says so.

The request comes first, then the container's answer to GET /execution-parameters, then defaults.
Source: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-batch-code.html
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from sagedock.contract import limits
from sagedock.contract import transform as contract
from sagedock.local.transform.payloads import Strategy

__all__ = ["Parameters", "answered_parameters", "parameters_of", "strategy_asked"]

_STRATEGIES: Mapping[str, Strategy] = {
    "MultiRecord": "MULTI_RECORD",
    "SingleRecord": "SINGLE_RECORD",
}
_MIB = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """What holds for one container. ``max_payload_mb`` 0 sets no limit, and sends in chunks."""

    max_concurrent: int
    max_payload_mb: int
    strategy: Strategy

    @property
    def most_bytes(self) -> int | None:
        """The most bytes of a payload; None without a limit."""
        return self.max_payload_mb * _MIB or None

    @property
    def told(self) -> str:
        """The first line of the data log. Source: row 116 of the fidelity corpus."""
        return (
            f"MaxConcurrentTransforms={self.max_concurrent}, MaxPayloadInMB={self.max_payload_mb}, "
            f"BatchStrategy={self.strategy}"
        )


def strategy_asked(request: Mapping[str, Any]) -> Strategy | None:
    """Return the request's BatchStrategy as containers know it, None where it has none."""
    asked = request.get("BatchStrategy")
    return None if asked is None else _STRATEGIES[asked]


def parameters_of(request: Mapping[str, Any], answered: Mapping[str, Any]) -> Parameters:
    """Return what holds, by the request and by what the container answered.

    A MaxConcurrentTransforms of 0 in the request leaves it to the container (source:
    API_CreateTransformJob).
    """
    payload = request.get("MaxPayloadInMB")
    return Parameters(
        max_concurrent=request.get("MaxConcurrentTransforms")
        or answered.get("MaxConcurrentTransforms")
        or int(contract.MAX_CONCURRENT_TRANSFORMS),
        max_payload_mb=answered.get("MaxPayloadInMB", int(contract.MAX_PAYLOAD_MB))
        if payload is None
        else payload,
        strategy=strategy_asked(request)
        or answered.get("BatchStrategy")
        or contract.BATCH_STRATEGY,
    )


def answered_parameters(body: bytes) -> Mapping[str, Any]:
    """Return what of a container's answer is of use; whatever is none is left out (unverified)."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(answer, dict):
        return {}
    found: dict[str, Any] = {}
    concurrent, payload = answer.get("MaxConcurrentTransforms"), answer.get("MaxPayloadInMB")
    if _is_number(concurrent, 1):
        found["MaxConcurrentTransforms"] = concurrent
    if _is_number(payload, 0) and payload <= int(limits.BATCH_PAYLOAD_MB):
        found["MaxPayloadInMB"] = payload
    if answer.get("BatchStrategy") in _STRATEGIES.values():
        found["BatchStrategy"] = answer["BatchStrategy"]
    return found


def _is_number(value: object, least: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least
