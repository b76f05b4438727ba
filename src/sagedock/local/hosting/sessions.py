"""Stateful sessions: which instance has the context of which conversation.

The model makes sessions and ends them; its answers' headers say so. Sources:
https://docs.aws.amazon.com/sagemaker/latest/dg/stateful-sessions.html and the service's model
(SessionId, NewSessionId, ClosedSessionId).
"""

import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sagedock.local.hosting.connection import Answer
from sagedock.local.hosting.passing import CLOSED_SESSION, NEW_SESSION, Asked
from sagedock.local.hosting.routes import Backend

__all__ = ["Sessions"]

#: What a model answers: an ID, and until when it holds. Source: the service's model.
_MADE = re.compile(
    rb"(?P<id>[a-zA-Z0-9](?:-*[a-zA-Z0-9])*);\s"
    rb"Expires=(?P<until>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)"
)
_TIME = "%Y-%m-%dT%H:%M:%SZ"
#: So many are remembered; the oldest are forgotten first.
_MOST = 100_000

_Place = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class _Session:
    backend: Backend
    until_s: float


class Sessions:
    """The sessions of all endpoints. All of it is the event loop's."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._known: OrderedDict[_Place, _Session] = OrderedDict()

    def backend(self, asked: Asked) -> Backend | None:
        """Return the instance that has the session of a request. None where it has none, or one
        that is not known or is over: any instance gets it then, and tells (unverified).
        """
        session = asked.session
        if session is None:
            return None
        place = _place(asked, session)
        found = self._known.get(place)
        if found is not None and found.until_s <= self._clock():
            del self._known[place]
            return None
        return found.backend if found is not None else None

    def learn(self, asked: Asked, answer: Answer, backend: Backend) -> None:
        """Take note of a session that an answer begins or ends."""
        if "SessionId" not in asked.members:
            return
        if (closed := answer.header(CLOSED_SESSION)) is not None:
            self._known.pop(_place(asked, closed.decode("latin-1")), None)
        made = _MADE.fullmatch(answer.header(NEW_SESSION) or b"")
        if made is not None and (until_s := _seconds(made["until"])) is not None:
            place = _place(asked, made["id"].decode())
            self._known[place] = _Session(backend, until_s)
            while len(self._known) > _MOST:
                self._known.popitem(last=False)


def _place(asked: Asked, session: str) -> _Place:
    return asked.region, asked.component or asked.endpoint, session


def _seconds(text: bytes) -> float | None:
    """Return epoch seconds, or None for a time that no clock shows."""
    try:
        return datetime.strptime(text.decode(), _TIME).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None
