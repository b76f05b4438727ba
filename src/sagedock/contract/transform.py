"""Batch transform: what the platform asks of a serving container beyond an endpoint's."""

from typing import Final, Literal

from sagedock.contract import _sources as source
from sagedock.contract.limits import Limit

__all__ = [
    "BATCH_STRATEGY",
    "INVOCATIONS_MAX_RETRIES",
    "INVOCATION_TIMEOUT_S",
    "MAX_CONCURRENT_TRANSFORMS",
    "MAX_PAYLOAD_MB",
]

#: As many records as fit, where neither request nor container says otherwise (source: BATCH).
BATCH_STRATEGY: Final[Literal["MULTI_RECORD"]] = "MULTI_RECORD"
MAX_CONCURRENT_TRANSFORMS = Limit(value=1, unit="requests", source=source.BATCH)
MAX_PAYLOAD_MB = Limit(value=6, unit="MB", source=source.BATCH)
INVOCATION_TIMEOUT_S = Limit(value=600, unit="seconds", source=source.MODEL_CLIENT_CONFIG)
INVOCATIONS_MAX_RETRIES = Limit(value=3, unit="retries", source=source.MODEL_CLIENT_CONFIG)
