"""Carrying out one asynchronous invocation: input, container, result.

That a container's error is not tried again: "SageMaker AI simply returns the response from the
ModelContainer and does not retry" (the guide's async-inference-troubleshooting).
"""

import base64
import io
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from sagedock.api import runtime_messages as words
from sagedock.contract import limits
from sagedock.errors import StorageError
from sagedock.local.async_requests import AsyncRequest
from sagedock.local.hosting.asynchronous import reasons
from sagedock.local.hosting.asynchronous.exchange import (
    Broken,
    Reply,
    TimedOut,
    Unreachable,
    exchange,
)
from sagedock.local.hosting.asynchronous.outcome import Outcome
from sagedock.local.hosting.routes import Backend
from sagedock.local.s3 import ObjectStore, S3Error
from sagedock.local.uris import S3Uri

__all__ = ["TakenAway", "carry_out", "expire"]

_log = logging.getLogger(__name__)

_ERROR = 400
_MOST_INPUT_BYTES = int(limits.ASYNC_INPUT_MB) * 1024 * 1024
#: Of a container's error what its message quotes. Source of what a notice includes: API reference,
#: AsyncInferenceNotificationConfig ("less than or equal to 128 KB").
_QUOTED_BYTES = 4096
_INCLUDED_BYTES = 128 * 1024


class TakenAway(Exception):
    """The container was stopped under the request: it is another one's turn."""


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where one request is carried out."""

    objects: ObjectStore
    request: AsyncRequest
    backend: Backend
    invoked: words.Invoked
    answer: Path


def carry_out(
    objects: ObjectStore, request: AsyncRequest, backend: Backend, variant: str, account: str
) -> Outcome:
    """Invoke ``backend``, store the result, and return how it ended. Raises TakenAway."""
    begun = time.time()
    place = _Place(
        objects=objects,
        request=request,
        backend=backend,
        invoked=words.Invoked(region=request.region, account=account, endpoint=request.endpoint),
        answer=objects.temporary(),
    )
    start = Outcome(variant=variant, ended=begun, queued_s=max(0.0, begun - request.received))
    with ExitStack() as stack:
        stack.callback(lambda: place.answer.unlink(missing_ok=True))
        outcome = _invoked(place, start)
        stored = _stored(objects, request, place.answer, outcome)
        return replace(stored, ended=time.time())


def expire(objects: ObjectStore, request: AsyncRequest, variant: str) -> Outcome:
    """Store the failure of a request that waited too long, and return how it ended."""
    now, answer = time.time(), objects.temporary()
    outcome = Outcome(
        variant=variant,
        ended=now,
        reason=reasons.EXPIRED,
        expired=True,
        queued_s=now - request.received,
    )
    with ExitStack() as stack:
        stack.callback(lambda: answer.unlink(missing_ok=True))
        return _stored(objects, request, answer, outcome)


def _invoked(place: _Place, outcome: Outcome) -> Outcome:
    """Return the outcome with what the container answered, or why it did not."""
    begun = time.monotonic()
    try:
        with _input(place) as found:
            outcome = replace(outcome, download_s=time.monotonic() - begun)
            return _asked(place, outcome, found)
    except _InputUnusable as error:
        return replace(outcome, reason=str(error), download_failed=True)


def _asked(place: _Place, outcome: Outcome, found: "_Input") -> Outcome:
    request, begun = place.request, time.monotonic()
    try:
        reply = exchange(
            (place.backend.host, place.backend.port),
            _headers(request, found),
            found.body,
            found.size,
            place.answer,
            timeout_s=request.timeout_s,
        )
    except (Unreachable, Broken) as error:
        if place.backend.is_retired or isinstance(error, Unreachable):
            raise TakenAway from error
        return replace(outcome, reason=str(words.model_broke(place.invoked).message))
    except TimedOut:
        return replace(outcome, reason=str(words.model_timed_out(place.invoked).message))
    except OSError as error:  # this machine's disk
        reason = reasons.not_stored(str(request.output_location), str(error))
        return replace(outcome, reason=reason, upload_failed=True)
    outcome = replace(
        outcome,
        status=reply.status,
        content_type=reply.content_type,
        model_s=time.monotonic() - begun,
    )
    return replace(outcome, reason=_problem(place, reply), included=_small(place.answer))


def _problem(place: _Place, reply: Reply) -> str | None:
    """Return why an answer is a failure, or None."""
    if reply.status >= _ERROR:
        with place.answer.open("rb") as file:
            said = file.read(_QUOTED_BYTES).decode("utf-8", errors="replace")
        return str(words.model_error(place.invoked, reply.status, said).message)
    return None if reply.has_length else reasons.NO_LENGTH


def _stored(objects: ObjectStore, request: AsyncRequest, answer: Path, outcome: Outcome) -> Outcome:
    """Store the result, or the failure, and return the outcome with what that gave.

    A failure is what the container answered ("failure model responses in S3", the release note of
    2023-04-04), or else why there is no answer; that is unverified.
    """
    begun = time.monotonic()
    where = request.output_location if outcome.succeeded else request.failure_location
    if where is None:
        return outcome
    is_of_container = outcome.succeeded or outcome.status >= _ERROR
    content_type = outcome.content_type if is_of_container else reasons.CONTENT_TYPE
    uri = S3Uri.parse(where)
    try:
        if not is_of_container:
            answer.write_text(str(outcome.reason), encoding="utf-8")
        objects.put_file(uri.bucket, uri.key, answer, content_type)
    except (S3Error, StorageError, OSError) as error:
        _log.warning("endpoint %s: %s: %s", request.endpoint, where, error)
        reason = outcome.reason or reasons.not_stored(where, str(error))
        return replace(outcome, reason=reason, upload_failed=True)
    return replace(outcome, upload_s=time.monotonic() - begun)


class _InputUnusable(Exception):
    """There is no input, or it is too large."""


@dataclass(frozen=True, kw_only=True)
class _Input:
    """An input, opened, how many bytes it has, and the type that S3 knows of it."""

    body: BinaryIO
    size: int
    content_type: str | None = None


@contextmanager
def _input(place: _Place) -> Iterator[_Input]:
    """Lend the input."""
    request = place.request
    if request.input_location is None:
        body = request.body or b""
        yield _Input(body=io.BytesIO(body), size=len(body))
        return
    uri = S3Uri.parse(request.input_location)
    try:
        stored, file = place.objects.open(uri.bucket, uri.key)
    except (S3Error, OSError) as error:
        raise _InputUnusable(reasons.no_input(request.input_location, str(error))) from error
    with file:
        if stored.size > _MOST_INPUT_BYTES:
            raise _InputUnusable(reasons.large_input(request.input_location, stored.size))
        yield _Input(body=file, size=stored.size, content_type=stored.content_type)


def _headers(request: AsyncRequest, found: _Input) -> Mapping[str, str]:
    """Return what the container is told beside the input.

    Where the request has no ContentType it is the object's: SDK v2 stores it there, and sends none
    (its predictor_async.py); for others unverified.
    """
    told = {
        "Content-Type": request.content_type or found.content_type,
        "Accept": request.accept,
        "X-Amzn-SageMaker-Custom-Attributes": request.custom_attributes,
        "X-Amzn-SageMaker-Inference-Id": request.inference_id,
    }
    return {"Host": "model", **{name: value for name, value in told.items() if value is not None}}


def _small(answer: Path) -> str | None:
    if answer.stat().st_size > _INCLUDED_BYTES:
        return None
    return base64.b64encode(answer.read_bytes()).decode()
