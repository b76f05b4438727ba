"""One endpoint that lives: what changes it."""

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from sagedock.local.faults import NoCapacity
from sagedock.local.hosting import document as life
from sagedock.local.hosting import reasons
from sagedock.local.hosting.alarms import Alarms
from sagedock.local.hosting.containers import endpoint_folder, endpoint_labels
from sagedock.local.hosting.deployment import Course, course_of
from sagedock.local.hosting.fleet import Fleet
from sagedock.local.hosting.hosted_container import Cancelled
from sagedock.local.hosting.ingredients import LINGERS_S, missing_ingredient
from sagedock.local.hosting.living import BROKEN, Living
from sagedock.local.hosting.plan import Plan
from sagedock.local.hosting.routes import Route
from sagedock.local.hosting.serverless_image import too_large_image
from sagedock.local.hosting.shifting import shared
from sagedock.local.hosting.update import Update

__all__ = ["Endpoint"]

_log = logging.getLogger(__name__)


class Endpoint(Living):
    """One endpoint."""

    words = "endpoint"
    #: The update that goes on.
    _shifts: Update | None = None

    def reweigh(self) -> None:
        """Follow the plan that is pending, other weights and counts; returns at once."""
        self._begin(self._reweigh)

    def _create(self) -> None:
        self._remove_leftovers()
        plan = life.plan_in(self._document)
        fleet = self._new_fleet(plan)
        reason = self._hindered(plan) or self._launched(fleet) or self._lingered(plan)
        if reason is None:
            self._serve(fleet)
            self._change(lambda document: life.in_service(document, plan, time.time()))
        elif not self._ending.is_set():
            self._abandon(fleet)
            self._remove_leftovers()
            self._change(lambda document: life.failed(document, reason, time.time()))

    def _update(self) -> None:
        begun_s, plan, old = time.monotonic(), life.pending_plan(self._document), self._serving
        if plan is None or old is None:
            raise LookupError(f"endpoint {self.key.name} has nothing to update, or nothing to")
        whole, course = old.plan, course_of(life.deployment_in(self._document), plan)
        fleet = self._new_fleet(course.started(plan))
        update = self._new_update(old, fleet, plan, course)
        reason = self._hindered(plan) or self._launched(fleet)
        if reason is None:
            reason = self._tried(lambda: update.carry_out(begun_s))
        if reason is None:
            self._leaving, self._shifts = (old,), None
            self._serve(fleet)
            self._change(lambda document: life.in_service(document, plan, time.time()))
            old.retire(self._grace_s)
            self._leaving = ()
        elif not self._ending.is_set():
            self._take_back(update, whole, reason)

    def _take_back(self, update: Update, whole: Plan, reason: str) -> None:
        """Have the old fleet serve all again; stop the new one."""
        self._change(lambda document: life.rolling_back(document, reason, time.time()))
        failure = self._tried(lambda: update.take_back(whole))
        if self._ending.is_set():
            return
        self._shifts = None
        self._tell()
        self._abandon(update.new)
        if failure is None:
            self._back_in_service()
        else:
            self._change(lambda document: life.rollback_failed(document, failure, time.time()))

    def _tried(self, work: Callable[[], str | None]) -> str | None:
        """Return what ``work`` returns, or why it broke."""
        try:
            return work()
        except Cancelled:
            return "cancelled"
        except BROKEN as error:
            _log.warning("endpoint %s: %s", self.key.name, error)
            return self._reason_of(error)

    def _reweigh(self) -> None:
        plan, fleet = life.pending_plan(self._document), self._serving
        if plan is None or fleet is None:
            raise LookupError(f"endpoint {self.key.name} has nothing to follow")
        try:
            surplus = fleet.scale(plan)
        except Cancelled:
            return
        except BROKEN as error:
            reason = self._reason_of(error)
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
        own = self._found(plan.fleet)
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

    def _new_update(self, old: Fleet, new: Fleet, plan: Plan, course: Course) -> Update:
        alarms = Alarms(platform=self._platform, region=self.key.region, names=course.alarms)
        update = self._shifts = Update(
            old=old,
            new=new,
            plan=plan,
            course=course,
            alarms=alarms,
            scale=self._platform.settings.time_scale,
            ending=self._ending,
            change=self._change,
            tell=self._tell,
            let_go=self._let_go,
        )
        return update

    def _hindered(self, plan: Plan) -> str | None:
        """Return why nothing of ``plan`` can be launched, or None."""
        return self._capacity_lacks() or too_large_image(plan, self._platform.engine)

    def _lingered(self, plan: Plan) -> str | None:
        """Return the reason to fail where what ``plan`` was made of is deleted, after as long as
        that takes; or None.
        """
        reason = missing_ingredient(self._platform.resources, self.key.region, plan.config)
        if reason is not None:
            self._ending.wait(LINGERS_S / self._platform.settings.time_scale)
        return reason

    def _capacity_lacks(self) -> str | None:
        """Wait as long as a fault says, and return the reason to fail where it does."""
        lack = self._platform.faults.take(NoCapacity, self.key.name)
        if lack is None:
            return None
        self._ending.wait(lack.wait_s)
        return reasons.NO_CAPACITY if lack.fails else None

    def _back_in_service(self) -> None:
        plan = life.plan_in(self._document)
        self._change(lambda document: life.in_service(document, plan, time.time()))

    def _route(self, fleet: Fleet) -> Route:
        serving, update = fleet.serving(), self._shifts
        if update is not None and update.step is not None and fleet is update.old:
            serving = shared(serving, update.new.serving(), update.step)
        return Route(
            region=self.key.region,
            account=self._platform.settings.account,
            endpoint=self.key.name,
            variants=tuple(each for each in serving if not each.is_shadow),
            shadows=tuple(each for each in serving if each.is_shadow),
            asynchronous=fleet.plan.asynchronous,
            hosts_components=fleet.plan.hosts_components,
        )

    @property
    def _labels(self) -> Mapping[str, str]:
        return endpoint_labels(self._platform, self.key)

    @property
    def _folder(self) -> Path:
        return endpoint_folder(self._platform, self.key)
