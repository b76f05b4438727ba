"""One component that lives: what changes it, one change after the other, each in a thread."""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from sagedock.engine import Found
from sagedock.errors import EngineError, SagedockError
from sagedock.local.hosting.components import document as life
from sagedock.local.hosting.components import reasons
from sagedock.local.hosting.components.deployment import Deployment
from sagedock.local.hosting.components.instances import let_instances_follow
from sagedock.local.hosting.components.site import CopySite, component_folder, component_labels
from sagedock.local.hosting.components.tenants import held_for
from sagedock.local.hosting.containers import FLEET_LABEL
from sagedock.local.hosting.fleet import Fleet, retire
from sagedock.local.hosting.hosted_container import Cancelled, NotServing
from sagedock.local.hosting.model_data import DataUnusable
from sagedock.local.hosting.names import ENDPOINT
from sagedock.local.hosting.routes import Route, Routes, Serving
from sagedock.local.platform import Platform
from sagedock.local.resources import Key, Resource

__all__ = ["Component", "with_document"]

_log = logging.getLogger(__name__)


def with_document(resource: Resource, document: life.Document) -> Resource:
    """Return the resource with another document, and the status and time that it tells."""
    return replace(
        resource,
        document=document,
        status=document["InferenceComponentStatus"],
        modified=document["LastModifiedTime"],
    )


class Component:
    """One component. ``gone`` is called, once, when nothing of it is left."""

    def __init__(
        self, platform: Platform, routes: Routes, key: Key, gone: Callable[["Component"], None]
    ) -> None:
        self.key = key
        self._platform = platform
        self._routes = routes
        self._gone = gone
        #: The endpoint that it is on.
        self._host = ""
        self._lock = threading.Lock()
        #: What serves, what is to serve once it does, and what served and has requests still.
        self._serving: Fleet | None = None
        self._coming: Fleet | None = None
        self._leaving: Fleet | None = None
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def create(self) -> None:
        """Bring it to service, as its document says; returns at once."""
        self._begin(self._create)

    def update(self) -> None:
        """Follow the deployment that is pending; returns at once."""
        self._begin(self._update)

    def delete(self) -> None:
        """Remove it; returns at once. What is in flight is not awaited."""
        for fleet in (self._leaving, self._serving):
            if fleet is not None:
                fleet.hurry()
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
        """Stop its copies, and return when there are none. The next server starts others."""
        self.cancel()
        for fleet in (self._leaving, self._serving):
            if fleet is not None:
                fleet.hurry()
        if self._thread is not None:
            self._thread.join()
        for fleet in (self._coming, self._serving):
            if fleet is not None:
                fleet.retire(grace_s)
        self._remove_leftovers()

    @property
    def _resource(self) -> Resource:
        found = self._platform.resources.get(self.key)
        if found is None:
            raise LookupError(f"inference component {self.key.name} vanished from the store")
        return found

    @property
    def _document(self) -> life.Document:
        return self._resource.document

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
                _log.exception("inference component %s broke", self.key.name)

        name = f"inference component {self.key.name}"
        self._thread = threading.Thread(target=run, name=name, daemon=True)
        self._thread.start()

    def _create(self) -> None:
        self._remove_leftovers()
        if self._brought_up():
            self._in_service(life.deployment_in(self._document))

    def _brought_up(self, found: Sequence[Found] = ()) -> bool:
        """Have its deployment serve, by the containers ``found`` where it can; say whether it does
        now.
        """
        self._announce()
        deployment = life.deployment_in(self._document)
        fleet = self._new_fleet(deployment)
        reason = self._room_lacks(deployment) or self._launched(fleet, found)
        if reason is None:
            retire(fleet.scale(deployment.plan), self._grace_s)  # of a change that was cut off
            self._serve(fleet)
            return True
        if not self._ending.is_set():
            self._abandon(fleet)
            self._remove_leftovers()
            self._change(lambda document: life.failed(document, reason, time.time()))
            self._let_instances_follow(self._host)
        return False

    def _update(self) -> None:
        document = self._document
        now, wanted = life.deployment_in(document), life.pending_in(document)
        if wanted is None:
            raise LookupError(f"inference component {self.key.name} has nothing to follow")
        held = life.held_in(document)
        is_same = now.plan.fleet == wanted.plan.fleet
        follow = self._scale if is_same else self._replace
        reason = self._room_lacks(wanted) or follow(wanted)
        if reason is None:
            self._in_service(wanted)
        elif not self._ending.is_set():
            self._change(
                lambda document: life.taken_back(life.holding(document, held), reason, time.time())
            )
        self._let_instances_follow(self._host)

    def _scale(self, wanted: Deployment) -> str | None:
        """Have as many copies as are wanted; return None, or why it has as many as before."""
        fleet = self._serving
        if fleet is None:
            raise LookupError(f"inference component {self.key.name} does not serve")
        try:
            surplus = fleet.scale(wanted.plan)
        except Cancelled:
            return "cancelled"
        except (NotServing, SagedockError) as error:
            return reasons.reason_of(error)
        self._tell()
        retire(surplus, self._grace_s)
        return None

    def _replace(self, wanted: Deployment) -> str | None:
        """Have other copies in the place of those that serve; return None, or why these stay."""
        fleet = self._new_fleet(wanted)
        reason = self._launched(fleet)
        if reason is not None:
            if not self._ending.is_set():
                self._abandon(fleet)
            return reason
        old = self._serving
        self._serve(fleet)
        if old is not None:
            self._leaving = old
            old.retire(self._grace_s)
            self._leaving = None
        return None

    def _delete(self) -> None:
        with self._lock:
            fleet, self._serving = self._serving, None
            self._routes.remove(self.key.region, self.key.name)
        if fleet is not None:
            fleet.retire(self._grace_s)
        self._remove_leftovers()
        host = self._document["EndpointName"]
        self._gone(self)  # before its name is free: another component may have it at once
        with self._platform.resources.together():
            self._platform.tags.remove_all(self._document["InferenceComponentArn"])
            self._platform.resources.delete(self.key)
            self._let_instances_follow(host)

    def _resume(self) -> None:
        document = self._document
        match document["InferenceComponentStatus"]:
            case "Failed":
                return
            case "Creating":
                self._create()
                return
            case "Deleting":
                self._delete()
                return
        deployment = life.deployment_in(document)
        found = self._containers_of(deployment)
        if sum(1 for each in found if each.state == "running") < deployment.copies:
            self._change(life.restarting)
        if not self._brought_up(found):
            return
        if life.pending_in(document) is not None:
            self._update()
        else:
            self._in_service(deployment)

    def _containers_of(self, deployment: Deployment) -> list[Found]:
        """Return the containers of a deployment that a killed server left; others are removed."""
        found = self._platform.engine.containers(component_labels(self._platform, self.key))
        own = [each for each in found if each.labels[FLEET_LABEL] == deployment.plan.fleet]
        for each in found:
            if each not in own:
                self._platform.engine.remove(each.id)
        return own

    def _room_lacks(self, wanted: Deployment) -> str | None:
        """Take room on the instances, and return None, or the reason to fail where it lacks."""

        with self._platform.resources.together():  # two components may want the same room
            held = held_for(self._platform.resources, self._resource, wanted)
            if held is None:
                return reasons.no_room(wanted.variant.name, wanted.needs)
            self._change(lambda document: life.holding(document, held))
            self._let_instances_follow(self._host)
        return None

    def _let_instances_follow(self, endpoint: str) -> None:
        key = Key(region=self.key.region, kind=ENDPOINT.name, name=endpoint)
        let_instances_follow(self._platform.resources, key)

    def _new_fleet(self, deployment: Deployment) -> Fleet:
        site = CopySite.of(self._platform, self.key, deployment)
        fleet = Fleet(self._platform, self.key, deployment.plan, self._tell, site)
        self._coming = fleet
        return fleet

    def _launched(self, fleet: Fleet, found: Sequence[Found] = ()) -> str | None:
        """Launch a fleet, and return None once it serves, or else why it does not."""
        try:
            fleet.launch(found)
        except Cancelled:
            return "cancelled"
        except (NotServing, DataUnusable, SagedockError) as error:
            _log.warning("inference component %s: %s", self.key.name, error)
            return reasons.reason_of(error)
        return "cancelled" if self._ending.is_set() else None

    def _serve(self, fleet: Fleet) -> None:
        """Let requests go to ``fleet``."""
        with self._lock:
            self._serving, self._coming = fleet, None
        self._tell()

    def _abandon(self, fleet: Fleet) -> None:
        fleet.retire(self._grace_s)
        self._coming = None

    def _in_service(self, deployment: Deployment) -> None:
        self._change(lambda document: life.in_service(document, deployment, time.time()))

    def _announce(self) -> None:
        """Let it be known to callers, before any of its copies serves."""
        self._host = self._document["EndpointName"]
        with self._lock:
            if not self._ending.is_set():
                self._routes.put(self._route(()))

    def _tell(self) -> None:
        """Tell the routes what serves now."""
        with self._lock:
            if self._serving is not None and not self._ending.is_set():
                self._routes.put(self._route(self._serving.serving()))

    def _route(self, variants: tuple[Serving, ...]) -> Route:
        return Route(
            region=self.key.region,
            account=self._platform.settings.account,
            endpoint=self.key.name,
            variants=variants,
            host=self._host,
        )

    def _change(self, change: Callable[[life.Document], life.Document]) -> None:
        self._platform.resources.change(
            self.key, lambda found: with_document(found, change(found.document))
        )

    @property
    def _grace_s(self) -> float:
        return self._platform.settings.endpoint_stop_grace_s

    def _remove_leftovers(self) -> None:
        """Remove what is in the engine and on disk of no copy any more."""
        engine, labels = self._platform.engine, component_labels(self._platform, self.key)
        try:
            for each in engine.containers(labels):
                engine.remove(each.id)
            for network in engine.networks(labels):
                engine.remove_network(network)
        except EngineError as error:  # said, and retried when the server starts next
            _log.warning("inference component %s: cleaning up: %s", self.key.name, error)
        shutil.rmtree(component_folder(self._platform, self.key), ignore_errors=True)
