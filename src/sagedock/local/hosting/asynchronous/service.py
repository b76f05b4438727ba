"""Asynchronous inference: requests wait in the store until containers are free."""

import logging
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

from sagedock.api import log_groups
from sagedock.errors import StorageError
from sagedock.local.async_requests import AsyncRequest, Backlog
from sagedock.local.hosting.asynchronous.carrying import TakenAway, carry_out, expire
from sagedock.local.hosting.asynchronous.delivery import Courier
from sagedock.local.hosting.asynchronous.desk import Desk
from sagedock.local.hosting.asynchronous.measures import (
    backlog_points,
    notification_failed,
    outcome_points,
)
from sagedock.local.hosting.asynchronous.notices import Notice, notice_of
from sagedock.local.hosting.asynchronous.outcome import Outcome
from sagedock.local.hosting.asynchronous.telling import say
from sagedock.local.hosting.routes import Backend, Route
from sagedock.local.platform import Platform

__all__ = ["AsyncInference"]

_log = logging.getLogger(__name__)

#: Between two looks at what waits, when nothing happens; and how often a backlog is published, and
#: an empty one (by the clock of autoscaling, which the time scale makes faster).
_LOOK_S, _SHORTEST_LOOK_S = 1.0, 0.05
_OFTEN_S, _SELDOM_S = 10.0, 60.0
#: How many expired requests are told of at the same time: a whole backlog may expire at once.
_MOST_EXPIRING = 8
#: How long requests that end while the server does are waited for.
_LAST_S = 10.0

_Place = tuple[str, str]


class AsyncInference:
    """The backlogs of every asynchronous endpoint. ``routed`` is told what serves now."""

    def __init__(self, platform: Platform, courier: Courier) -> None:
        self._platform = platform
        self._requests = platform.async_requests
        self._courier = courier
        self._desks: dict[_Place, Desk] = {}
        self._published: dict[_Place, tuple[float, int]] = {}
        self._workers: set[threading.Thread] = set()
        #: Held for a moment: desks, workers, and how much containers have in flight.
        self._lock = threading.Lock()
        self._awake = threading.Event()
        self._ending = threading.Event()
        self._expiring = threading.Semaphore(_MOST_EXPIRING)
        self._scale = platform.settings.time_scale
        self._thread = threading.Thread(
            target=self._run, name="asynchronous inference", daemon=True
        )

    def start(self) -> None:
        """Take up what a killed server left, and begin."""
        for ended in self._requests.take_up():
            kept = ended.outcome["notice"]
            notice = Notice(**kept) if kept else None
            self._start(self._tell_and_forget, ended.request, notice, ended.outcome["variant"])
        self._thread.start()

    def routed(self, region: str, endpoint: str, route: Route | None) -> None:
        """Take note of what serves an endpoint from now on; returns at once."""
        desk = Desk.of(route) if route else None
        with self._lock:
            self._desks.pop((region, endpoint), None)
            if desk is not None:
                self._desks[region, endpoint] = desk
        self._awake.set()

    def accept(self, request: AsyncRequest) -> None:
        """Keep a request. Raises StorageError."""
        self._requests.add(request)
        self._awake.set()

    def close(self) -> None:
        """Begin nothing any more, and return when nothing is under way. The containers were
        stopped: what they had waits for the next server.
        """
        self._ending.set()
        self._awake.set()
        if self._thread.is_alive():
            self._thread.join()
        ends = time.monotonic() + _LAST_S
        for each in self._under_way():
            each.join(max(0.0, ends - time.monotonic()))

    def _under_way(self) -> list[threading.Thread]:
        with self._lock:
            return list(self._workers)

    def _run(self) -> None:
        look_s = max(_SHORTEST_LOOK_S, min(_LOOK_S, _OFTEN_S / 2 / self._scale))
        while not self._ending.is_set():
            self._awake.wait(look_s)
            self._awake.clear()
            with self._lock:
                desks = list(self._desks.values())
            for desk in desks:
                try:
                    self._look_at(desk)
                except StorageError as error:
                    _log.warning("endpoint %s: %s", desk.endpoint, error)

    def _look_at(self, desk: Desk) -> None:
        backlog = self._requests.backlog(desk.region, desk.endpoint)
        if backlog.waiting:
            self._drop_expired(desk)
            self._dispatch(desk)
        self._publish(desk, backlog)

    def _drop_expired(self, desk: Desk) -> None:
        """Fail what waited too long, a few at the same time: the end of one has the next found."""
        while self._expiring.acquire(blocking=False):
            with ExitStack() as undo:
                undo.callback(self._expiring.release)
                now = time.time()
                found = self._requests.claim(desk.region, desk.endpoint, expired_at=now)
                if found is None:
                    return
                self._start(self._expire, desk, found)
                undo.pop_all()

    def _dispatch(self, desk: Desk) -> None:
        """Give containers that are free what waits longest."""
        while not self._ending.is_set():
            with self._lock:
                backend = desk.free()
                if backend is None or self._desks.get((desk.region, desk.endpoint)) is not desk:
                    return
                backend.in_flight += 1
            with ExitStack() as undo:
                undo.callback(self._leave, backend)
                request = self._requests.claim(desk.region, desk.endpoint)
                if request is None:
                    return
                self._start(self._work, desk, request, backend)
                undo.pop_all()

    def _start(self, work: Any, *given: Any) -> None:
        """Do ``work`` in a thread."""

        def run() -> None:
            try:
                work(*given)
            except StorageError as error:  # the server ends, or the disk is full
                _log.warning("asynchronous inference: %s", error)
            finally:
                with self._lock:
                    self._workers.discard(thread)
                self._awake.set()

        thread = threading.Thread(target=run, name="asynchronous invocation", daemon=True)
        with self._lock:
            self._workers.add(thread)
        thread.start()

    def _work(self, desk: Desk, request: AsyncRequest, backend: Backend) -> None:
        objects, account = self._platform.objects, self._platform.settings.account
        is_late = request.expires <= time.time()  # with more others than are told of at a time
        try:
            if is_late:
                outcome = expire(objects, request, desk.variant)
            else:
                outcome = carry_out(objects, request, backend, desk.variant, account)
        except TakenAway:
            backend.broke()
            self._requests.release(request)
            return
        finally:
            self._leave(backend)
        self._conclude(desk, request, outcome, "" if is_late else backend.name)

    def _expire(self, desk: Desk, request: AsyncRequest) -> None:
        try:
            outcome = expire(self._platform.objects, request, desk.variant)
            self._conclude(desk, request, outcome, "")
        finally:
            self._expiring.release()

    def _leave(self, backend: Backend) -> None:
        with self._lock:
            backend.leave()

    def _conclude(self, desk: Desk, request: AsyncRequest, outcome: Outcome, instance: str) -> None:
        notice = notice_of(request, outcome, desk.config)
        kept: Mapping[str, Any] = {
            "variant": outcome.variant,
            "notice": asdict(notice) if notice else None,
        }
        if not self._requests.end(request, kept):
            return  # the endpoint was deleted
        if outcome.reason is not None:
            group = log_groups.endpoint(request.endpoint)
            say(self._platform.logs, group, request, outcome, instance)
        self._platform.metrics.add(outcome_points(request, outcome))
        self._tell_and_forget(request, notice, outcome.variant)

    def _tell_and_forget(self, request: AsyncRequest, notice: Notice | None, variant: str) -> None:
        if notice is not None and not self._courier.deliver(notice):
            self._platform.metrics.add([notification_failed(request, variant)])
        self._requests.remove(request)

    def _publish(self, desk: Desk, backlog: Backlog) -> None:
        """Publish a backlog when it is due: at once when there begins to be one."""
        place, now = (desk.region, desk.endpoint), time.time()
        last, size = self._published.get(place, (0.0, 0))
        every_s = (_OFTEN_S if backlog.size or size else _SELDOM_S) / self._scale
        began = backlog.size > 0 and size == 0
        if not began and now - last < every_s:
            return
        self._published[place] = (now, backlog.size)
        self._platform.metrics.add(
            backlog_points(desk.region, desk.endpoint, backlog, len(desk.backends), now)
        )
