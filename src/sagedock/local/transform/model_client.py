"""Invocations of one container: the request's headers, its timeout, and its retries."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sagedock.contract import routes
from sagedock.contract import transform as contract
from sagedock.local import agents
from sagedock.local.transform.connection import Answer, Broken, Connection, TimedOut
from sagedock.local.transform.failures import no_answer, refused
from sagedock.local.transform.payloads import Stream

__all__ = ["ModelClient", "Stopped", "get"]

_OK = 200
_SERVER_ERRORS = 500
#: Seconds before the first retry; each further one waits twice as long (unverified).
_PAUSE_S = 0.5
_ASKING_S = 10.0


class Stopped(Exception):
    """The job is to stop."""


@dataclass(frozen=True, kw_only=True)
class ModelClient:
    """How payloads are sent. ``pause`` waits so many seconds, and says whether the job is to stop.

    ``retries`` are for answers from 500 on, and for none; what the container refuses is refused.
    """

    content_type: str | None
    accept: str | None
    timeout_s: float
    retries: int
    pause: Callable[[float], bool]

    @classmethod
    def of(cls, request: Mapping[str, Any], pause: Callable[[float], bool]) -> "ModelClient":
        """Return the client that a request asks for."""
        asked = request.get("ModelClientConfig") or {}
        return cls(
            content_type=request["TransformInput"].get("ContentType"),
            accept=request["TransformOutput"].get("Accept"),
            timeout_s=asked.get("InvocationsTimeoutInSeconds", int(contract.INVOCATION_TIMEOUT_S)),
            retries=asked.get("InvocationsMaxRetries", int(contract.INVOCATIONS_MAX_RETRIES)),
            pause=pause,
        )

    def head(self, address: tuple[str, int]) -> bytes:
        """Return the beginning of every request to a container."""
        headers = {"Content-Type": self.content_type, "Accept": self.accept}
        return _head("POST", routes.INVOCATIONS.path, address, headers)

    def invoke(self, connection: Connection, head: bytes, body: bytes | Stream) -> bytes:
        """Return a container's answer to one payload. Raises ObjectFailed, Stopped."""
        tries = 0
        while True:
            try:
                answer = connection.ask(head, body, self.timeout_s)
            except (Broken, TimedOut) as error:
                failure = no_answer()
                failure.__cause__ = error
            else:
                if answer.status == _OK:
                    return answer.body
                failure = refused(answer.status, answer.body)
                if answer.status < _SERVER_ERRORS:
                    raise failure
            if tries == self.retries:
                raise failure
            if self.pause(_PAUSE_S * 2**tries):
                raise Stopped
            tries += 1


def get(address: tuple[str, int], path: str) -> Answer | None:
    """Return what a container answers to a GET; None if it does not answer."""
    connection = Connection(address)
    try:
        return connection.ask(_head("GET", path, address, {}), b"", _ASKING_S)
    except (Broken, TimedOut):
        return None
    finally:
        connection.close()


def _head(
    method: str, path: str, address: tuple[str, int], headers: Mapping[str, str | None]
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {address[0]}:{address[1]}"]
    lines.append(f"User-Agent: {agents.TRANSFORMS}")
    # A control character would end the line, and begin a header of its own.
    lines += [f"{name}: {re.sub(r'[^ -~]', '', value)}" for name, value in headers.items() if value]
    return "".join(f"{line}\r\n" for line in lines).encode()
