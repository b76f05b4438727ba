"""Events, as the service sends them to EventBridge: to its rules here, and to a command.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html.
An event is stored in the transaction of the change that it tells of, and is there until it has been
delivered: of a server that is killed meanwhile the next one delivers it, perhaps once more.
"""

import json
import logging
import os
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from sagedock.local.caller import Caller
from sagedock.local.others import has_rules, put_event
from sagedock.local.resources import Key, Resource, Resources

__all__ = ["Events", "iso_time"]

_log = logging.getLogger(__name__)

#: What an event is stored as; no kind of ARN begins with a colon.
_KIND = ":event"
_SOURCE = "aws.sagemaker"
#: How long a command may take for one event.
_HOOK_S = 30.0

Event = Mapping[str, Any]


def iso_time(at: float) -> str:
    """Return a time (epoch seconds) as events write it."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"


class Events:
    """Delivers events, one after another, in a thread of its own. ``hook`` is a command that is
    given each as its standard input, and is run without a shell; empty for none. ``environment``
    is what it has beside this process's: the variables that point clients here.
    """

    def __init__(
        self,
        resources: Resources,
        hook: Sequence[str],
        environment: Callable[[], Mapping[str, str]] = dict,
        *,
        is_heard: Callable[[], bool] = has_rules,
        put: Callable[[Event], None] = put_event,
    ) -> None:
        self._resources = resources
        self._hook = tuple(hook)
        self._environment = environment
        self._is_heard = is_heard
        self._put = put
        self._news = threading.Condition()
        self._any = True  # a killed server may have left some
        self._ending = False
        self._running: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None

    @property
    def are_heard(self) -> bool:
        """Whether anybody listens."""
        return bool(self._hook) or self._is_heard()

    def tell(self, caller: Caller, what: str, about: Sequence[str], detail: Event) -> None:
        """Store an event of the detail-type ``what`` about ARNs, where anybody listens; call it in
        the transaction of the change. It is delivered once that is stored.
        """
        if not self.are_heard:
            return
        now, number = time.time(), str(uuid.uuid4())
        event = {
            "version": "0",
            "id": number,
            "detail-type": what,
            "source": _SOURCE,
            "account": caller.account,
            "time": iso_time(now),
            "region": caller.region,
            "resources": list(about),
            "detail": dict(detail),
        }
        key = Key(region=caller.region, kind=_KIND, name=number)
        self._resources.add(
            Resource(
                key=key, created=now, modified=now, status="waiting", document=event, request={}
            )
        )
        self._resources.afterwards(self._wake)

    def _wake(self) -> None:
        """Have what was stored delivered."""
        with self._news:
            self._any = True
            self._news.notify()

    def resume(self) -> None:
        """Begin to deliver: first what a killed server left."""
        self._thread = threading.Thread(target=self._deliver_all, name="events", daemon=True)
        self._thread.start()

    def shut_down(self, grace_s: float) -> None:
        """Stop. A command that runs has ``grace_s`` to end; its event is told again by the next
        server. Nothing is delivered any more.
        """
        with self._news:
            self._ending = True
            self._news.notify()
        if self._thread is None:
            return
        self._thread.join(grace_s)
        with self._news:
            if self._running is not None:
                _kill(self._running)
        self._thread.join()

    def _deliver_all(self) -> None:
        while self._await_news():
            waiting = sorted(self._resources.unfinished(_KIND, ()), key=lambda each: each.created)
            for each in waiting:
                if self._ending or not self._deliver(each):
                    return

    def _await_news(self) -> bool:
        """Wait until something may have been stored; False where the server ends."""
        with self._news:
            self._news.wait_for(lambda: self._any or self._ending)
            self._any = False
            return not self._ending

    def _deliver(self, stored: Resource) -> bool:
        """Deliver one event, and forget it; False where the server ended before it was told."""
        self._put(stored.document)
        if self._hook and not self._hooked(stored.document):
            return False
        self._resources.delete(stored.key)
        return True

    def _hooked(self, event: Event) -> bool:
        """Give an event to the command; False if that was killed because the server ends."""
        body = json.dumps(event, separators=(",", ":")).encode()
        try:
            done = self._started()
        except OSError as error:
            _log.warning("the event hook %s: %s", self._hook[0], error)
            return True
        if done is None:
            return False
        said = self._said(done, body)
        with self._news:
            self._running = None
        if done.returncode and not self._ending:
            _log.warning("%s ended with %d: %s", self._hook[0], done.returncode, said)
        return not (done.returncode and self._ending)

    def _started(self) -> "subprocess.Popen[bytes] | None":
        """Start the command, in a group of processes of its own; None where the server ends."""
        environment = {**os.environ, **self._environment()}
        with self._news:
            if self._ending:
                return None
            self._running = subprocess.Popen(
                self._hook,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=environment,
                start_new_session=True,
            )
            return self._running

    def _said(self, process: "subprocess.Popen[bytes]", body: bytes) -> str:
        """Wait for a command, and return the end of what it wrote to stderr."""
        try:
            _, errors = process.communicate(body, timeout=_HOOK_S)
        except subprocess.TimeoutExpired:
            _kill(process)
            _, errors = process.communicate()
            _log.warning("the event hook %s took more than %g s", self._hook[0], _HOOK_S)
        return errors.decode(errors="replace").strip()[-500:]


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill a command, and what it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
