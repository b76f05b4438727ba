"""What is registered, in the store: targets, policies, scheduled actions, alarms, activities."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sagedock.api import scaling
from sagedock.local.autoscaling import activities
from sagedock.local.autoscaling.activities import ACTIVITY
from sagedock.local.autoscaling.fleets import ScalableResource
from sagedock.local.resources import Key, Resource, Resources
from sagedock.local.tags import Tags

__all__ = ["ACTION", "ALARM", "POLICY", "TARGET", "Book", "World", "alarm_state", "owner"]

TARGET = "scalable-target"
POLICY = "scaling-policy"
ACTION = "scheduled-action"
ALARM = "metric-alarm"
_STATE = "scaling-state"


@dataclass(frozen=True, kw_only=True)
class World:
    """Everything that can make a capacity change, of every region."""

    targets: tuple[Resource, ...]
    policies: tuple[Resource, ...]
    actions: tuple[Resource, ...]
    alarms: tuple[Resource, ...]


def alarm_state(resources: Resources, region: str, name: str) -> str | None:
    """Return the state of an alarm of ours, or None where there is none of that name."""
    found = resources.get(Key(region=region, kind=ALARM, name=name))
    return None if found is None else found.status


class Book:
    """The tables of autoscaling. ``changed`` is called after each change by a caller of the API."""

    def __init__(self, resources: Resources, tags: Tags) -> None:
        self._resources = resources
        self.tags = tags
        self._versions = itertools.count(1)
        self._version = 0
        self._read: tuple[int, World] | None = None
        self.changed: Callable[[], None] = lambda: None

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Make all changes of a block or none; then tell who waits for them."""
        with self._resources.together():
            yield
        self._version = next(self._versions)
        self.changed()

    def world(self) -> World:
        """Return what is registered, read anew if it changed."""
        version = self._version
        if self._read is None or self._read[0] != version:
            self._read = (version, World(**{name: self._all(kind) for name, kind in _KINDS}))
        return self._read[1]

    def target(self, resource: ScalableResource) -> Resource | None:
        """Return a target, if it is registered."""
        return self._resources.get(_key(TARGET, resource))

    def target_key(self, resource: ScalableResource) -> Key:
        """Return the key of a target."""
        return _key(TARGET, resource)

    def get(self, kind: str, resource: ScalableResource, name: str) -> Resource | None:
        """Return a policy or a scheduled action of a target."""
        return self._resources.get(_key(kind, resource, name))

    def put(self, kind: str, owned: ScalableResource, name: str, made: Resource) -> None:
        """Store a target (without ``name``), a policy or an action, new or in place of the old."""
        self.store(replace(made, key=_key(kind, owned, name)))

    def store(self, made: Resource) -> None:
        """Store anything under its own key, new or in place of the old."""
        with self._resources.together():
            self._resources.delete(made.key)
            self._resources.add(made)

    def of(self, kind: str, resource: ScalableResource) -> list[Resource]:
        """Return the policies or actions of a target, by name."""
        return [each for each in self.listed(kind, resource.region) if owner(each) == resource]

    def listed(self, kind: str, region: str, *, newest_first: bool = False) -> list[Resource]:
        """Return everything of a kind in a region, in the order in which it is listed."""
        found = [each for each in self._all(kind) if each.key.region == region]
        if newest_first:
            return sorted(found, key=lambda each: (-each.created, each.key.name))
        return sorted(found, key=lambda each: each.key.name)

    def delete(self, made: Resource) -> None:
        """Delete a policy or an action; a target tracking policy takes its alarms with it."""
        for alarm in made.document.get("Alarms", ()) if _is_tracking(made) else ():
            self._resources.delete(self.alarm_key(made.key.region, alarm["AlarmName"]))
        self._resources.delete(made.key)

    def deregister(self, target: Resource, now_s: float) -> None:
        """Delete a target with all that belongs to it; what it did stays on record."""
        resource = owner(target)
        with self.changing():
            running = self.activity(resource.region, self.state(resource).get("activity", ""))
            if running is not None:
                why = "the scalable target was deregistered"
                self.store(activities.failed(running, resource, now_s, why))
            for kind in (POLICY, ACTION):
                for each in self.of(kind, resource):
                    self.delete(each)
            self.tags.remove_all(target.document["ScalableTargetARN"])
            self._resources.delete(_key(_STATE, resource))
            self._resources.delete(target.key)

    def alarm_key(self, region: str, name: str) -> Key:
        """Return the key of an alarm."""
        return Key(region=region, kind=ALARM, name=name)

    def alarm(self, region: str, name: str) -> Resource | None:
        """Return an alarm of that name that is ours."""
        return self._resources.get(self.alarm_key(region, name))

    def change(self, key: Key, change: Callable[[Resource], Resource]) -> Resource | None:
        """Change anything, as one step; return it, or None where it is not there any more."""
        return self._resources.change(key, change)

    def activity(self, region: str, name: str) -> Resource | None:
        """Return an activity."""
        return self._resources.get(Key(region=region, kind=ACTIVITY, name=name))

    def forget_old(self, now_s: float) -> None:
        """Delete activities that are not answered any more."""
        for each in self._all(ACTIVITY):
            if each.created < now_s - scaling.KEPT_S:
                self._resources.delete(each.key)

    def state(self, resource: ScalableResource) -> Mapping[str, Any]:
        """Return what is remembered of a target: cooldowns, what runs, when actions ran last."""
        found = self._resources.get(_key(_STATE, resource))
        return found.document if found else {}

    def remember(self, resource: ScalableResource, now_s: float, **members: Any) -> None:
        """Replace members of that; None takes one out."""
        with self._resources.together():
            document = {**self.state(resource), **members}
            kept = {name: value for name, value in document.items() if value is not None}
            self.store(_made(_key(_STATE, resource), now_s, kept))

    def _all(self, kind: str) -> tuple[Resource, ...]:
        return tuple(self._resources.unfinished(kind, terminal=()))


_KINDS = (("targets", TARGET), ("policies", POLICY), ("actions", ACTION), ("alarms", ALARM))


def owner(made: Resource) -> ScalableResource:
    """Return the resource that a target, policy or action is about."""
    return ScalableResource(
        region=made.key.region,
        resource_id=made.document["ResourceId"],
        dimension=made.document["ScalableDimension"],
    )


def _is_tracking(made: Resource) -> bool:
    return made.document.get("PolicyType") == "TargetTrackingScaling"


def _key(kind: str, resource: ScalableResource, name: str = "") -> Key:
    """Return a key: neither a dimension nor a resource ID has a blank."""
    text = " ".join(filter(None, (resource.dimension, resource.resource_id, name)))
    return Key(region=resource.region, kind=kind, name=text)


def _made(key: Key, now_s: float, document: Mapping[str, Any]) -> Resource:
    return Resource(
        key=key, created=now_s, modified=now_s, status="", document=document, request={}
    )
