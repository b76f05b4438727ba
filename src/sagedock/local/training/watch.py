"""Containers that run: their output stored, their end awaited, a stop or a limit carried out."""

import math
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, assert_never

from sagedock.contract import limits, signals
from sagedock.engine import Engine, Exit

__all__ = ["Broke", "Cause", "Ended", "Event", "StopAsked", "Watch", "Watched"]

Cause = Literal["ended", "stopped", "max-runtime"]


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A host's container ended."""

    host: str
    exit: Exit


@dataclass(frozen=True, kw_only=True)
class Broke:
    """A host's container could not be followed any longer."""

    error: Exception


@dataclass(frozen=True, kw_only=True)
class StopAsked:
    """Somebody wants the job stopped; SIGKILL follows SIGTERM after ``grace_s`` seconds."""

    grace_s: float = float(limits.TRAINING_STOP_GRACE_S.value)


Event = Ended | Broke | StopAsked


@dataclass(frozen=True, kw_only=True)
class Watched:
    """How it went: each host's exit, the host that failed first, and why the job ended."""

    exits: Mapping[str, Exit]
    failed_first: str | None
    cause: Cause


@dataclass
class Watch:
    """Watches the containers of one job (host to container id) until all have ended.

    ``follow`` stores a container's output until it ends. When a host fails, the others are stopped.
    """

    engine: Engine
    containers: Mapping[str, str]
    follow: Callable[[str, str], None]
    on_stop: Callable[[], None]
    events: "queue.Queue[Event]"
    _exits: dict[str, Exit] = field(default_factory=dict)
    _failed_first: str | None = None
    _cause: Cause = "ended"
    _grace_s: float = math.inf

    def until(self, deadline_s: float) -> Watched:
        """Return how the job ended; it is stopped at ``deadline_s`` (epoch seconds)."""
        for host, container in self.containers.items():
            self._in_thread(self._await_host, host, container)
        while len(self._exits) < len(self.containers):
            late = deadline_s - time.time()
            try:
                event = self.events.get(timeout=late if self._cause == "ended" else None)
            except (queue.Empty, ValueError):  # a timeout below zero is a ValueError
                self._stop_all("max-runtime", StopAsked().grace_s)
            else:
                self._take(event)
        return Watched(exits=self._exits, failed_first=self._failed_first, cause=self._cause)

    def _take(self, event: Event) -> None:
        match event:
            case Ended(host=host, exit=ended):
                self._exits[host] = ended
                if ended.code != signals.EXIT_SUCCESS and self._failed_first is None:
                    self._failed_first = host
                    if self._cause == "ended":
                        self._stop_others()
            case StopAsked(grace_s=grace_s):
                self._stop_all("stopped", grace_s)
            case Broke(error=error):
                raise error
            case _:
                assert_never(event)

    def _stop_all(self, cause: Cause, grace_s: float) -> None:
        """Stop every host. While one stop lasts, another counts only if it is in more of a hurry:
        a second SIGTERM could end a script that is saving.
        """
        if grace_s >= self._grace_s:
            return
        self._grace_s = grace_s
        if self._cause == "ended":
            self._cause = cause
            self.on_stop()
        for host, container in self.containers.items():
            if host not in self._exits:
                self._in_thread(self._stop, container, grace_s)

    def _stop_others(self) -> None:
        for host, container in self.containers.items():
            if host not in self._exits:
                self._in_thread(self._stop, container, StopAsked().grace_s)

    def _stop(self, container: str, grace_s: float) -> None:
        try:
            self.engine.stop(container, grace_s)
        except Exception as error:  # noqa: BLE001 - raised again by the thread that watches
            self.events.put(Broke(error=error))

    def _await_host(self, host: str, container: str) -> None:
        try:
            self.follow(host, container)
            self.events.put(Ended(host=host, exit=self.engine.wait(container)))
        except Exception as error:  # noqa: BLE001 - raised again by the thread that watches
            self.events.put(Broke(error=error))

    def _in_thread(self, work: Callable[..., None], *arguments: object) -> None:
        name = f"{work.__name__} {arguments[0]}"
        threading.Thread(target=work, args=arguments, name=name, daemon=True).start()
