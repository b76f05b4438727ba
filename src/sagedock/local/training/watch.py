"""Containers that run: their output stored, their end awaited, a stop or a limit carried out."""

import math
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, assert_never

from sagedock.contract import signals
from sagedock.engine import Engine, Exit
from sagedock.local.training.events import (
    Broke,
    Ended,
    Event,
    Granted,
    HostLost,
    Interrupted,
    StopAsked,
)

__all__ = ["Cause", "Limit", "Watch", "Watched"]

Limit = Literal["max-runtime", "max-wait"]
Cause = Literal["ended", "stopped", "interrupted", "host-lost"] | Limit


@dataclass(frozen=True, kw_only=True)
class Watched:
    """How it went: each host's exit, the host that failed first, and why the job ended."""

    exits: Mapping[str, Exit]
    failed_first: str | None
    cause: Cause


@dataclass
class Watch:
    """Watches the containers of one attempt (host to container id) until all have ended.

    ``follow`` stores a container's output until it ends; ``on_stop`` is told why the containers are
    being stopped, before they are. When a host fails, the others are stopped. ``grace_s`` is what
    lies between SIGTERM and SIGKILL.
    """

    engine: Engine
    containers: Mapping[str, str]
    follow: Callable[[str, str], None]
    on_stop: Callable[[Cause], None]
    events: "queue.Queue[Event]"
    attempt: int
    grace_s: float
    _exits: dict[str, Exit] = field(default_factory=dict)
    _failed_first: str | None = None
    _cause: Cause = "ended"
    _stopping_s: float = math.inf

    def until(self, limits: Mapping[Limit, float]) -> Watched:
        """Return how the attempt ended; the first of ``limits`` (epoch seconds) stops it."""
        first = min(limits, key=lambda limit: limits[limit])
        for host, container in self.containers.items():
            self._in_thread(self._await_host, host, container)
        while len(self._exits) < len(self.containers):
            event = self._next(limits[first] if self._cause == "ended" else math.inf)
            if event is None:
                self._stop_all(first, self.grace_s)
            else:
                self._take(event)
        return Watched(exits=self._exits, failed_first=self._failed_first, cause=self._cause)

    def _next(self, deadline_s: float) -> Event | None:
        """Return what happens next, or None once ``deadline_s`` has passed."""
        late = deadline_s - time.time()
        if late <= 0:
            return None
        try:
            return self.events.get(timeout=min(late, threading.TIMEOUT_MAX))
        except queue.Empty:
            return None

    def _take(self, event: Event) -> None:
        match event:
            case Ended(attempt=attempt, host=host, exit=ended) if attempt == self.attempt:
                self._exits[host] = ended
                if ended.code != signals.EXIT_SUCCESS and self._failed_first is None:
                    self._failed_first = host
                    if self._cause == "ended":
                        self._stop_others(host)
            case StopAsked(grace_s=grace_s):
                self._stop_all("stopped", grace_s)
            case Interrupted(attempt=attempt):
                if attempt in (None, self.attempt) and self._cause == "ended":
                    self._stop_all("interrupted", self.grace_s)
            case HostLost(attempt=attempt, host=host):
                if attempt in (None, self.attempt) and self._cause == "ended":
                    self._lose(host or list(self.containers)[-1])
            case Broke(attempt=attempt, error=error) if attempt == self.attempt:
                raise error
            case Granted() | Ended() | Broke():  # the latter two are of an attempt before
                return
            case _:
                assert_never(event)

    def _stop_all(self, cause: Cause, grace_s: float) -> None:
        """Stop every host. While one stop lasts, another counts only if it is in more of a hurry:
        a second SIGTERM could end a script that is saving. A stop that is asked for while machines
        are taken away is the reason that stays.
        """
        if cause == "stopped" and self._cause in ("interrupted", "host-lost"):
            self._because(cause)
        if grace_s >= self._stopping_s:
            return
        self._stopping_s = grace_s
        if self._cause == "ended":
            self._because(cause)
        for host, container in self.containers.items():
            if host not in self._exits:
                self._in_thread(self._stop, container, grace_s)

    def _because(self, cause: Cause) -> None:
        self._cause = cause
        self.on_stop(cause)

    def _lose(self, host: str) -> None:
        self._because("host-lost")
        if host in self.containers and host not in self._exits:
            self.engine.kill(self.containers[host])
        self._stop_others(host)

    def _stop_others(self, host: str) -> None:
        for other, container in self.containers.items():
            if other != host and other not in self._exits:
                self._in_thread(self._stop, container, self.grace_s)

    def _stop(self, container: str, grace_s: float) -> None:
        try:
            self.engine.stop(container, grace_s)
        except Exception as error:  # noqa: BLE001 - raised again by the thread that watches
            self.events.put(Broke(attempt=self.attempt, error=error))

    def _await_host(self, host: str, container: str) -> None:
        try:
            self.follow(host, container)
            ended = self.engine.wait(container)
            self.events.put(Ended(attempt=self.attempt, host=host, exit=ended))
        except Exception as error:  # noqa: BLE001 - raised again by the thread that watches
            self.events.put(Broke(attempt=self.attempt, error=error))

    def _in_thread(self, work: Callable[..., None], *arguments: object) -> None:
        name = f"{work.__name__} {arguments[0]}"
        threading.Thread(target=work, args=arguments, name=name, daemon=True).start()
