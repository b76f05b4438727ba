"""Calls of the service's own operations from within: by pipelines, by tuning jobs.

They go the way that a client's go, so that what is created within is what would be created without.
"""

import json
from collections.abc import Mapping
from typing import Any

from sagedock import api
from sagedock.errors import SagedockError
from sagedock.local.caller import Caller
from sagedock.local.json_service import JsonService
from sagedock.local.refusal import Refused

__all__ = ["Calls"]


class Calls:
    """Carries out operations of SageMaker. ``serve`` says by what, before the first call."""

    def __init__(self) -> None:
        self._service: JsonService | None = None

    def serve(self, service: JsonService) -> None:
        """Have calls carried out by ``service``."""
        self._service = service

    def __call__(
        self, caller: Caller, operation: str, request: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return what an operation answers, as JSON has it: times are epoch seconds.

        ``request`` is JSON, too. Raises Refused as a client would be refused.
        """
        if self._service is None:
            raise SagedockError("no service carries out calls from within yet")
        reply = self._service.answer(operation, json.dumps(request).encode(), caller)
        answer: dict[str, Any] = json.loads(reply.body or b"{}")
        if reply.status < 400:
            return answer
        raise Refused(
            api.ServiceError(
                code=str(answer.get("__type", "InternalFailure")),
                message=answer.get("message") or answer.get("Message") or "",
                http_status=reply.status,
            )
        )
