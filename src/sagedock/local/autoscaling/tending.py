"""One look at one scalable target: what runs is followed to its end, what is due is done."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sagedock.local.autoscaling import activities
from sagedock.local.autoscaling.book import Book, owner
from sagedock.local.autoscaling.clock import Clock
from sagedock.local.autoscaling.decision import (
    Cooldown,
    NotScaled,
    Scale,
    Situation,
    Wish,
    decide,
)
from sagedock.local.autoscaling.fleets import CannotScale, Fleet, Fleets, ScalableResource
from sagedock.local.autoscaling.patience import Patience
from sagedock.local.autoscaling.schedules import Span, next_run, read
from sagedock.local.resources import Resource

__all__ = ["Tending"]

_log = logging.getLogger(__name__)

#: After so long a change that is not done is given up. Unverified: AWS times out somewhen.
_UNFULFILLED_S = 3600


@dataclass
class Tending:
    """Acts on targets. One thread uses it; all that must not be forgotten is in the book."""

    book: Book
    fleets: Fleets
    clock: Clock

    def __post_init__(self) -> None:
        self._said: dict[ScalableResource, str] = {}
        self._patience = Patience()

    def tend(
        self,
        target: Resource,
        fleet: Fleet | None,
        actions: Sequence[Resource],
        wishes: Sequence[Wish],
        *,
        all_low: bool,
        now_s: float,
    ) -> None:
        """Look after one target, whose resource is ``fleet`` now."""
        resource = owner(target)
        if fleet is None:
            _log.info("%s is gone: its scalable target goes with it", resource.resource_id)
            self._patience.taken(resource)
            self.book.deregister(target, now_s)
            return
        running = self._followed(resource, fleet, now_s)
        target = self._after_actions(target, actions, now_s)
        busy = running or fleet.busy
        if self.book.state(resource).get("enforce"):
            if not busy:
                self._enforce(target, fleet, now_s)
            return
        situation = self._situation(target, fleet, all_low=all_low, busy=busy, now_s=now_s)
        match decide(situation, wishes):
            case Scale(capacity=capacity, wish=wish):
                self._said.pop(resource, None)
                if not self._patience.waits(resource, capacity, self.clock.scaled(now_s)):
                    self._scale(resource, fleet, capacity, wish.cause, now_s, wish)
            case NotScaled() as left:
                self._say(resource, left, now_s)

    def _followed(self, resource: ScalableResource, fleet: Fleet, now_s: float) -> bool:
        """Follow the activity that runs, if one does; say whether it goes on."""
        name = self.book.state(resource).get("activity")
        activity = self.book.activity(resource.region, name) if name else None
        if activity is None:
            return False
        if activity.status == "Pending":  # the server was killed before it could ask
            return self._ask(resource, activity, now_s)
        wanted = activity.request["capacity"]
        if fleet.desired == wanted == fleet.current and not fleet.busy:
            self._end(resource, activities.ended(activity, resource, now_s), now_s)
        elif fleet.desired != wanted and not fleet.busy:
            why = f"the resource is to have {fleet.desired} by now, not {wanted}"
            self._end(resource, activities.failed(activity, resource, now_s, why), now_s)
        elif self.clock.scaled(now_s - activity.created) > _UNFULFILLED_S:
            why = f"it was not fulfilled within {_UNFULFILLED_S} seconds"
            late = activities.failed(activity, resource, now_s, why, "Unfulfilled")
            self._end(resource, late, now_s)
        else:
            return True
        return False

    def _end(self, resource: ScalableResource, activity: Resource, now_s: float) -> None:
        """Put the end of an activity on record; if it succeeded, its cooldown begins."""
        self.book.store(activity)
        plan = activity.request
        members: dict[str, Any] = {"activity": None}
        if activity.status == "Successful" and "way" in plan:
            members[plan["way"]] = {
                "begun": now_s,
                "lasts": plan["cooldown"],
                "before": plan["before"],
            }
            if plan["way"] == "out":  # it ends the cooldown of a scale-in
                members["in"] = None
        self.book.remember(resource, now_s, **members)

    def _after_actions(
        self, target: Resource, actions: Sequence[Resource], now_s: float
    ) -> Resource:
        """Carry out the scheduled actions that are due; return the target with its new bounds."""
        resource = owner(target)
        ran = self.book.state(resource).get("ran", {})
        for action in actions:
            name = action.document["ScheduledActionName"]
            last_s = max(ran.get(name, 0.0), action.modified)
            due_s = self._due(action, last_s)
            if due_s is None or due_s > now_s:
                continue
            ran = {**ran, name: now_s}
            suspended = target.document["SuspendedState"]["ScheduledScalingSuspended"]
            self.book.remember(resource, now_s, ran=ran)
            if not suspended:
                target = self._bound(target, action, now_s)
        return target

    def _due(self, action: Resource, after_s: float) -> float | None:
        document = action.document
        schedule = read(document["Schedule"], document.get("Timezone"))
        span = Span(
            made_s=action.modified,
            start_s=document.get("StartTime"),
            end_s=document.get("EndTime"),
        )
        return next_run(schedule, span, after_s, scale=self.clock.scale)

    def _bound(self, target: Resource, action: Resource, now_s: float) -> Resource:
        """Give a target the bounds of a scheduled action."""
        resource, bounds = owner(target), action.document["ScalableTargetAction"]
        name = action.document["ScheduledActionName"]
        with self.book.changing():
            changed = self.book.change(target.key, lambda one: _with_bounds(one, bounds))
            if changed is None:  # it was deregistered just now
                return target
            self.book.store(activities.bounds_set(resource, name, bounds, now_s))
            self.book.remember(resource, now_s, enforce=True)
        return changed

    def _enforce(self, target: Resource, fleet: Fleet, now_s: float) -> None:
        """Bring the capacity within bounds that are new."""
        resource = owner(target)
        low, high = target.document["MinCapacity"], target.document["MaxCapacity"]
        self.book.remember(resource, now_s, enforce=None)
        if fleet.desired < low:
            cause = f"minimum capacity was set to {low}"
            self._scale(resource, fleet, low, cause, now_s)
        elif fleet.desired > high:
            cause = f"maximum capacity was set to {high}"
            self._scale(resource, fleet, high, cause, now_s)

    def _scale(
        self,
        resource: ScalableResource,
        fleet: Fleet,
        capacity: int,
        cause: str,
        now_s: float,
        wish: Wish | None = None,
    ) -> None:
        plan: dict[str, Any] = {}
        if wish is not None:
            out = capacity > fleet.desired
            plan = {
                "way": "out" if out else "in",
                "cooldown": wish.out_cooldown_s if out else wish.in_cooldown_s,
                "before": fleet.desired,
            }
        activity = activities.pending(resource, capacity, cause, now_s, plan)
        with self.book.changing():
            if self.book.target(resource) is None:  # it was deregistered just now
                return
            self.book.store(activity)
            self.book.remember(resource, now_s, activity=activity.key.name)
        self._ask(resource, activity, now_s)

    def _ask(self, resource: ScalableResource, activity: Resource, now_s: float) -> bool:
        """Have the resource set to the activity's capacity; say whether it takes it."""
        try:
            self.fleets.set_desired(resource, activity.request["capacity"])
        except CannotScale as error:
            refused = activities.failed(activity, resource, now_s, str(error))
            self._end(resource, refused, now_s)
            capacity = activity.request["capacity"]
            self._patience.refused(resource, capacity, self.clock.scaled(now_s))
            return False
        self._patience.taken(resource)
        self.book.store(activities.begun(activity, resource))
        return True

    def _say(self, resource: ScalableResource, left: NotScaled, now_s: float) -> None:
        """Put on record why a wish is not followed; the same reason once until it changes."""
        reason = {"Code": left.code, **left.numbers}
        said = f"{left.wish.policy}: {reason}"
        if self._said.get(resource) != said:
            self._said[resource] = said
            self.book.store(activities.not_scaled(resource, left.wish.cause, reason, now_s))

    def _situation(
        self, target: Resource, fleet: Fleet, *, all_low: bool, busy: bool, now_s: float
    ) -> Situation:
        document, state = target.document, self.book.state(owner(target))
        suspended = document["SuspendedState"]
        return Situation(
            now_s=self.clock.scaled(now_s),
            current=fleet.desired,
            low=document["MinCapacity"],
            high=document["MaxCapacity"],
            scaling_out=self._cooldown(state.get("out")),
            scaling_in=self._cooldown(state.get("in")),
            out_suspended=suspended["DynamicScalingOutSuspended"],
            in_suspended=suspended["DynamicScalingInSuspended"],
            busy=busy,
            all_low=all_low,
        )

    def _cooldown(self, kept: Mapping[str, Any] | None) -> Cooldown | None:
        if kept is None:
            return None
        return Cooldown(
            begun_s=self.clock.scaled(kept["begun"]), lasts_s=kept["lasts"], before=kept["before"]
        )


def _with_bounds(target: Resource, bounds: Mapping[str, int]) -> Resource:
    """Return a target with new bounds. One that was given wins over one that was there before; that
    AWS moves the other is unverified.
    """
    document = {**target.document, **bounds}
    if document["MaxCapacity"] < document["MinCapacity"]:
        other = "MinCapacity" if "MaxCapacity" in bounds else "MaxCapacity"
        document[other] = next(iter(bounds.values()))
    return replace(target, document=document)
