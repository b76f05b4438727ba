"""Batch transform: what the platform asks of a serving container beyond an endpoint's."""

from typing import Final, Literal

from sagedock.contract import _sources as source
from sagedock.contract.limits import Limit

__all__ = [
    "BATCH_STRATEGY",
    "EXECUTION_PARAMETERS_PATH",
    "INVOCATIONS_MAX_RETRIES",
    "INVOCATION_TIMEOUT_S",
    "LARGEST_PAYLOAD_MB",
    "MAX_CONCURRENT_TRANSFORMS",
    "MAX_PAYLOAD_MB",
]

#: What a container may answer a GET on: a JSON object of MaxConcurrentTransforms, BatchStrategy and
#: MaxPayloadInMB (source: BATCH_CODE).
EXECUTION_PARAMETERS_PATH = "/execution-parameters"
#: As many records as fit, where neither request nor container says otherwise (source: BATCH_CODE).
BATCH_STRATEGY: Final[Literal["MULTI_RECORD"]] = "MULTI_RECORD"
MAX_CONCURRENT_TRANSFORMS = Limit(value=1, unit="requests", source=source.BATCH_CODE)
MAX_PAYLOAD_MB = Limit(value=6, unit="MB", source=source.BATCH_CODE)
#: Of one payload, and of all that are under way at once.
LARGEST_PAYLOAD_MB = Limit(value=100, unit="MB", source=source.CREATE_TRANSFORM_JOB)
INVOCATION_TIMEOUT_S = Limit(value=600, unit="seconds", source=source.MODEL_CLIENT_CONFIG)
INVOCATIONS_MAX_RETRIES = Limit(value=3, unit="retries", source=source.MODEL_CLIENT_CONFIG)
