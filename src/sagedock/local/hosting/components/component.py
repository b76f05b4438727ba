"""One component that lives: what changes it."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from sagedock.engine import Found
from sagedock.local.hosting.components import document as life
from sagedock.local.hosting.components import reasons
from sagedock.local.hosting.components.deployment import Deployment
from sagedock.local.hosting.components.instances import let_instances_follow
from sagedock.local.hosting.components.site import CopySite, component_folder, component_labels
from sagedock.local.hosting.components.tenants import held_for
from sagedock.local.hosting.fleet import Fleet
from sagedock.local.hosting.hosted_container import Cancelled
from sagedock.local.hosting.living import BROKEN, Living
from sagedock.local.hosting.names import ENDPOINT
from sagedock.local.hosting.routes import Route, Serving
from sagedock.local.resources import Key

__all__ = ["Component"]


class Component(Living):
    """One component."""

    words = "inference component"
    #: The endpoint that it is on.
    _host = ""

    def resume(self) -> None:
        """Take it up where a killed server left it; returns once callers find it."""
        self._announce()
        super().resume()

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
            self._let_go(fleet.scale(deployment.plan))  # of a change that was cut off
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
        except BROKEN as error:
            return self._reason_of(error)
        self._tell()
        self._let_go(surplus)
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
        self._leaving = () if old is None else (old,)
        self._serve(fleet)
        if old is not None:
            old.retire(self._grace_s)
        self._leaving = ()
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
        found = self._found(deployment.plan.fleet)
        if sum(1 for each in found if each.state == "running") < deployment.copies:
            self._change(life.restarting)
        if not self._brought_up(found):
            return
        if life.pending_in(document) is not None:
            self._update()
        else:
            self._in_service(deployment)

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

    def _in_service(self, deployment: Deployment) -> None:
        self._change(lambda document: life.in_service(document, deployment, time.time()))

    def _announce(self) -> None:
        """Let it be known to callers, before any of its copies serves."""
        self._host = self._document["EndpointName"]
        with self._lock:
            if not self._ending.is_set():
                self._routes.put(self._routed(()))

    def _route(self, fleet: Fleet) -> Route:
        return self._routed(fleet.serving())

    def _routed(self, variants: tuple[Serving, ...]) -> Route:
        return Route(
            region=self.key.region,
            account=self._platform.settings.account,
            endpoint=self.key.name,
            variants=variants,
            host=self._host,
        )

    def _reason_of(self, error: Exception) -> str:
        return reasons.reason_of(error)

    @property
    def _labels(self) -> Mapping[str, str]:
        return component_labels(self._platform, self.key)

    @property
    def _folder(self) -> Path:
        return component_folder(self._platform, self.key)
