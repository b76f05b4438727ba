"""One AWS JSON service: a body comes in, is checked in full, carried out, and answered."""

import json
import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sagedock import api
from sagedock.errors import SagedockError
from sagedock.local.caller import Caller
from sagedock.local.refusal import Refused

__all__ = ["JsonService", "Reply"]

_log = logging.getLogger(__name__)

#: What is called many times a second may answer the body's JSON itself.
Handler = Callable[[Caller, Mapping[str, Any]], Mapping[str, Any] | bytes]
Refuses = Callable[[str, Mapping[str, Any], Caller], api.ServiceError | None]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class JsonService:
    """The operations of one service.

    ``quick`` are those that take a millisecond or so and wait for nothing: changing threads for
    them would take longer. ``allow`` is enum values newer than the installed model. ``refuses``
    returns a refusal for a call that is to be refused on request.
    """

    service: str
    operations: Mapping[str, Handler]
    quick: frozenset[str] = frozenset()
    allow: frozenset[str] = frozenset()
    check_answers: bool = False
    refuses: Refuses | None = None

    def answer(self, operation: str, body: bytes, caller: Caller) -> Reply:
        """Carry out one call. Whatever happens, the caller gets the service's JSON."""
        try:
            return self._reply(200, self._carried_out(operation, body, caller))
        except Refused as refused:
            return self._refusal(refused.error)
        except SagedockError as error:
            _log.error("%s: %s", operation, error)
            return self._refusal(
                api.ServiceError(code="InternalFailure", message=str(error), http_status=500)
            )
        except Exception:  # noqa: BLE001 - no caller may ever see a traceback or HTML
            _log.exception("%s broke", operation)
            return self._refusal(api.messages.internal_failure())

    def _carried_out(self, operation: str, body: bytes, caller: Caller) -> bytes:
        handler = self.operations.get(operation)
        if handler is None:
            raise Refused(api.messages.unknown_operation(operation))
        request = self._checked(operation, body)
        if self.refuses and (error := self.refuses(operation, request, caller)):
            raise Refused(error)
        answer = handler(caller, request)
        if self.check_answers:
            self._check(operation, answer)
        if isinstance(answer, bytes):
            return answer
        return api.encode(self.service, operation, answer)

    def _check(self, operation: str, answer: Mapping[str, Any] | bytes) -> None:
        """Raise AssertionError for an answer that the service's model forbids."""
        values = json.loads(answer) if isinstance(answer, bytes) else answer
        problems = api.problems_in_answer(self.service, operation, values, allow=self.allow)
        if problems:
            raise AssertionError(f"{operation} answers what its model forbids: {problems}")

    def _checked(self, operation: str, body: bytes) -> Mapping[str, Any]:
        try:
            raw = api.read_json(body)
        except api.MalformedBody as error:
            raise Refused(api.messages.malformed_body()) from error
        if wrong := api.type_problem(self.service, operation, raw):
            raise Refused(api.messages.wrong_json_type(wrong))
        request = api.decode(raw, self.service, operation)
        problems = api.problems_in_request(self.service, operation, request, allow=self.allow)
        if problems:
            raise Refused(api.validation_error(self.service, problems))
        for broken in api.rule_problems(self.service, operation, request):
            raise Refused(broken.error)
        return request

    def _reply(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Reply:
        return Reply(
            status=status,
            headers={
                "x-amzn-requestid": str(uuid.uuid4()),
                **(headers or {"content-type": api.CONTENT_TYPE}),
            },
            body=body,
        )

    def _refusal(self, error: api.ServiceError) -> Reply:
        return self._reply(
            error.http_status,
            api.error_body(error, self.service),
            api.error_headers(error, self.service),
        )
