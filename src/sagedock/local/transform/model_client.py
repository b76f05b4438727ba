"""Invocations of an instance: their timeout, and their retries."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sagedock.contract import transform as contract
from sagedock.local.transform.connection import Answer, Broken, Connection, TimedOut
from sagedock.local.transform.failures import no_answer, refused
from sagedock.local.transform.heads import head
from sagedock.local.transform.payloads import Stream
from sagedock.local.transform.way import OK, Way

__all__ = ["ModelClient", "Stopped", "get"]

_SERVER_ERRORS = 500
#: Seconds before the first retry; each further one waits twice as long (unverified).
_PAUSE_S = 0.5
_ASKING_S = 10.0


class Stopped(Exception):
    """The job is to stop."""


@dataclass(frozen=True, kw_only=True)
class ModelClient:
    """How payloads are sent. ``pause`` waits so many seconds, and says whether the job is to stop.

    ``retries`` are for answers from 500 on, and for none; what a container refuses is refused. Of
    several, the first one is asked again, too (unverified).
    """

    timeout_s: float
    retries: int
    pause: Callable[[float], bool]

    @classmethod
    def of(cls, request: Mapping[str, Any], pause: Callable[[float], bool]) -> "ModelClient":
        """Return the client that a request asks for."""
        asked = request.get("ModelClientConfig") or {}
        return cls(
            timeout_s=asked.get("InvocationsTimeoutInSeconds", int(contract.INVOCATION_TIMEOUT_S)),
            retries=asked.get("InvocationsMaxRetries", int(contract.INVOCATIONS_MAX_RETRIES)),
            pause=pause,
        )

    def invoke(self, way: Way, body: bytes | Stream) -> bytes:
        """Return an instance's answer to one payload. Raises ObjectFailed, Stopped."""
        tries = 0
        while True:
            try:
                answer = way.ask(body, self.timeout_s)
            except (Broken, TimedOut) as error:
                failure = no_answer(way.at)
                failure.__cause__ = error
            else:
                if answer.status == OK:
                    return answer.body
                failure = refused(answer.status, answer.body, way.at)
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
        return connection.ask(head("GET", path, address, {}), b"", _ASKING_S)
    except (Broken, TimedOut):
        return None
    finally:
        connection.close()
