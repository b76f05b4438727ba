"""One endpoint that lives: what changes it, one change after the other, each in a thread."""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sagedock.errors import EngineError, SagedockError
from sagedock.local.faults import NoCapacity
from sagedock.local.hosting import document as life
from sagedock.local.hosting import reasons
from sagedock.local.hosting.containers import (
    FLEET_LABEL,
    endpoint_folder,
    endpoint_labels,
)
from sagedock.local.hosting.fleet import Fleet, retire
from sagedock.local.hosting.hosted_container import Cancelled, NotServing
from sagedock.local.hosting.instance import Instance
from sagedock.local.hosting.model_data import DataUnusable
from sagedock.local.hosting.plan import Plan
from sagedock.local.hosting.routes import Route, Routes
from sagedock.local.platform import Platform
from sagedock.local.resources import Key, Resource

__all__ = ["Endpoint", "with_document"]

_log = logging.getLogger(__name__)


def with_document(resource: Resource, document: life.Document) -> Resource:
    """Return the resource with another document, and the status and time that it tells."""
    return replace(
        resource,
        document=document,
        status=document["EndpointStatus"],
        modified=document["LastModifiedTime"],
    )


class Endpoint:
    """One endpoint. ``gone`` is called, once, when nothing of it is left."""

    def __init__(
        self, platform: Platform, routes: Routes, key: Key, gone: Callable[["Endpoint"], None]
    ) -> None:
        self.key = key
        self._platform = platform
        self._routes = routes
        self._gone = gone
        self._lock = threading.Lock()
        #: What serves, and what is to serve once it does.
        self._serving: Fleet | None = None
        self._coming: Fleet | None = None
        #: What served, and has requests still.
        self._leaving: Sequence[Fleet | Instance] = ()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def create(self) -> None:
        """Bring it to service, as its document says; returns at once."""
        self._begin(self._create)

    def update(self) -> None:
        """Follow the plan that is pending, another deployment; returns at once."""
        self._begin(self._update)

    def reweigh(self) -> None:
        """Follow the plan that is pending, other weights and counts; returns at once."""
        self._begin(self._reweigh)

    def delete(self) -> None:
        """Remove it; returns at once. What is in flight is not awaited."""
        self._hurry()
        self._begin(self._delete)

    def resume(self) -> None:
        """Take it up where a killed server left it; returns at once."""
        self._begin(self._resume)

    def cancel(self) -> None:
        """Let no change go on, because the server ends; returns at once."""
        self._ending.set()
        self._routes.remove(self.key.region, self.key.name)
        for fleet in (self._coming, self._serving):
            if fleet is not None:
                fleet.cancel()

    def shut_down(self, grace_s: float) -> None:
        """Stop its containers, and return when there are none. The next server starts others."""
        self.cancel()
        self._hurry()
        if self._thread is not None:
            self._thread.join()
        for fleet in (self._coming, self._serving):
            if fleet is not None:
                fleet.retire(grace_s)
        self._remove_leftovers()

    @property
    def _document(self) -> life.Document:
        found = self._platform.resources.get(self.key)
        if found is None:
            raise LookupError(f"endpoint {self.key.name} vanished from the store")
        return found.document

    def _begin(self, work: Callable[[], None]) -> None:
        before = self._thread

        def run() -> None:
            if before is not None:
                before.join()
            if self._ending.is_set():
                return
            try:
                work()
            except Exception:  # noqa: BLE001 - nobody waits for this thread; the log says what broke
                _log.exception("endpoint %s broke", self.key.name)

        self._thread = threading.Thread(target=run, name=f"endpoint {self.key.name}", daemon=True)
        self._thread.start()

    def _create(self) -> None:
        self._remove_leftovers()
        plan = life.plan_in(self._document)
        fleet = self._new_fleet(plan)
        reason = self._capacity_lacks() or self._launched(fleet)
        if reason is None:
            self._serve(fleet)
            self._change(lambda document: life.in_service(document, plan, time.time()))
        elif not self._ending.is_set():
            self._abandon(fleet)
            self._remove_leftovers()
            self._change(lambda document: life.failed(document, reason, time.time()))

    def _update(self) -> None:
        plan = life.pending_plan(self._document)
        if plan is None:
            raise LookupError(f"endpoint {self.key.name} has no pending plan")
        fleet = self._new_fleet(plan)
        reason = self._capacity_lacks() or self._launched(fleet)
        old = self._serving
        if reason is None:
            self._leaving = () if old is None else (old,)
            self._serve(fleet)
            self._change(lambda document: life.in_service(document, plan, time.time()))
            if old is not None:
                old.retire(self._grace_s)
            self._leaving = ()
        elif not self._ending.is_set():
            self._change(lambda document: life.rolling_back(document, reason, time.time()))
            self._abandon(fleet)
            self._back_in_service()

    def _reweigh(self) -> None:
        plan, fleet = life.pending_plan(self._document), self._serving
        if plan is None or fleet is None:
            raise LookupError(f"endpoint {self.key.name} has nothing to follow")
        try:
            surplus = fleet.scale(plan)
        except Cancelled:
            return
        except (NotServing, SagedockError, OSError) as error:
            reason = _reason_of(error)
            self._change(lambda document: life.rolling_back(document, reason, time.time()))
            self._back_in_service()
            return
        self._tell()
        self._let_go(surplus)
        self._change(lambda document: life.in_service(document, plan, time.time()))

    def _delete(self) -> None:
        self._routes.remove(self.key.region, self.key.name)
        with self._lock:
            fleet, self._serving = self._serving, None
        if fleet is not None:
            fleet.retire(self._grace_s)
        self._remove_leftovers()
        self._platform.async_requests.remove_all(self.key.region, self.key.name)
        self._gone(self)  # before its name is free: another endpoint may have it at once
        with self._platform.resources.together():
            self._platform.tags.remove_all(self._document["EndpointArn"])
            self._platform.resources.delete(self.key)

    def _resume(self) -> None:
        document = self._document
        match document["EndpointStatus"]:
            case "Failed":
                return
            case "Creating":
                self._create()
                return
            case "Deleting":
                self._delete()
                return
        plan = life.plan_in(document)
        if not self._taken_up(plan):
            return
        pending = life.pending_plan(document)
        if document["EndpointStatus"] != "Updating" or pending is None:
            self._change(lambda now: life.in_service(now, plan, time.time()))
        elif pending.fleet == plan.fleet:
            self._reweigh()
        else:
            self._update()

    def _taken_up(self, plan: Plan) -> bool:
        """Take up the containers of what served, start those that lack, and say whether it serves
        again.
        """
        found = self._platform.engine.containers(endpoint_labels(self._platform, self.key))
        own = [each for each in found if each.labels[FLEET_LABEL] == plan.fleet]
        for each in found:
            if each not in own:
                self._platform.engine.remove(each.id)
        status = self._document["EndpointStatus"]
        running = sum(1 for each in own if each.state == "running")
        wanted = sum(each.count * len(each.containers) for each in plan.variants)
        if status == "InService" and running < wanted:
            self._change(life.system_updating)
        fleet = self._new_fleet(plan)
        reason = self._launched(fleet, own)
        if reason is None:
            self._let_go(fleet.scale(plan))  # of a change that was cut off
            self._serve(fleet)
        elif not self._ending.is_set():
            self._abandon(fleet)
            self._change(lambda document: life.failed(document, reason, time.time()))
        return reason is None

    def _new_fleet(self, plan: Plan) -> Fleet:
        fleet = self._coming = Fleet(self._platform, self.key, plan, self._tell)
        return fleet

    def _launched(self, fleet: Fleet, found: Any = ()) -> str | None:
        """Launch a fleet, and return None once it serves, or else why it does not."""
        try:
            fleet.launch(found)
        except Cancelled:
            return "cancelled"
        except (NotServing, DataUnusable, SagedockError, OSError) as error:
            _log.warning("endpoint %s: %s", self.key.name, error)
            return _reason_of(error)
        return "cancelled" if self._ending.is_set() else None

    def _capacity_lacks(self) -> str | None:
        """Wait as long as a fault says, and return the reason to fail where it does."""
        lack = self._platform.faults.take(NoCapacity, self.key.name)
        if lack is None:
            return None
        self._ending.wait(lack.wait_s)
        return reasons.NO_CAPACITY if lack.fails else None

    def _serve(self, fleet: Fleet) -> None:
        """Let requests go to ``fleet``."""
        with self._lock:
            self._serving, self._coming = fleet, None
        self._tell()

    def _abandon(self, fleet: Fleet) -> None:
        fleet.retire(self._grace_s)
        self._coming = None

    def _let_go(self, surplus: Sequence[Instance]) -> None:
        """Stop instances, once what they have is answered."""
        self._leaving = surplus
        if self._ending.is_set():  # whoever set it may not have found them
            self._hurry()
        retire(surplus, self._grace_s)
        self._leaving = ()

    def _hurry(self) -> None:
        serving = self._serving  # first: what it is replaced by finds it among those that leave
        for each in (*self._leaving, *(() if serving is None else (serving,))):
            each.hurry()

    def _back_in_service(self) -> None:
        plan = life.plan_in(self._document)
        self._change(lambda document: life.in_service(document, plan, time.time()))

    def _tell(self) -> None:
        """Tell the routes what serves now."""
        with self._lock:
            if self._serving is None or self._ending.is_set():
                return
            serving = self._serving.serving()
            self._routes.put(
                Route(
                    region=self.key.region,
                    account=self._platform.settings.account,
                    endpoint=self.key.name,
                    variants=tuple(each for each in serving if not each.is_shadow),
                    shadows=tuple(each for each in serving if each.is_shadow),
                    asynchronous=self._serving.plan.asynchronous,
                    hosts_components=self._serving.plan.hosts_components,
                )
            )

    def _change(self, change: Callable[[life.Document], life.Document]) -> None:
        self._platform.resources.change(
            self.key, lambda found: with_document(found, change(found.document))
        )

    @property
    def _grace_s(self) -> float:
        return self._platform.settings.endpoint_stop_grace_s

    def _remove_leftovers(self) -> None:
        """Remove what is in the engine and on disk of no fleet any more."""
        engine = self._platform.engine
        try:
            for each in engine.containers(endpoint_labels(self._platform, self.key)):
                engine.remove(each.id)
            for network in engine.networks(endpoint_labels(self._platform, self.key)):
                engine.remove_network(network)
        except EngineError as error:  # said, and retried when the server starts next
            _log.warning("endpoint %s: cleaning up: %s", self.key.name, error)
        shutil.rmtree(endpoint_folder(self._platform, self.key), ignore_errors=True)


def _reason_of(error: Exception) -> str:
    """Return FailureReason: the service's words, and for what it does not word so, ours."""
    match error:
        case NotServing():
            return error.reason
        case DataUnusable():
            return f"{error.reason} ({error})"
        case _:
            return f"{reasons.INTERNAL_ERROR} ({error})"
