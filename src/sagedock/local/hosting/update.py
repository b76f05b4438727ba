"""One update of an endpoint: from the fleet that serves to another, step by step."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from sagedock.api import deployment_messages as words
from sagedock.local.hosting import document as life
from sagedock.local.hosting.alarms import Alarms
from sagedock.local.hosting.deployment import Course, Step
from sagedock.local.hosting.fleet import Fleet
from sagedock.local.hosting.instance import Instance
from sagedock.local.hosting.plan import Plan

__all__ = ["Update"]

#: Between two looks at alarms: one that was set by hand holds a minute at most.
_LOOK_S = 0.1


@dataclass(kw_only=True)
class Update:
    """One that goes on: ``old`` serves, ``new`` is to, by ``plan``.

    ``change`` changes the endpoint's document, ``tell`` has requests go as ``step`` says, and
    ``let_go`` stops instances once what they have is answered. Waits are ``scale`` times as short
    as they are asked for; none goes on once ``ending`` is set.
    """

    old: Fleet
    new: Fleet
    plan: Plan
    course: Course
    alarms: Alarms
    scale: float
    ending: threading.Event
    change: Callable[[Callable[[life.Document], life.Document]], None]
    tell: Callable[[], None]
    let_go: Callable[[tuple[Instance, ...]], None]
    step: Step | None = None

    def carry_out(self, begun_s: float) -> str | None:
        """Turn on one step after the other, and return None once all of it is, or why it is to be
        taken back. Raises as ``Fleet.scale`` does. ``begun_s`` is when it began (time.monotonic).
        """
        longest_s = self.course.longest_s
        ends_s = None if longest_s is None else begun_s + longest_s / self.scale
        whole = self.old.plan
        for step in self.course.steps:
            if self.course.rolls:
                self.new.scale(self.course.grown(self.plan, step))
            self._turn_on(step)
            if (reason := self._watched(step, ends_s)) is not None:
                return reason
            if self.course.rolls:
                surplus = self.old.scale(self.course.shrunk(whole, self.plan, step))
                self.tell()
                self.let_go(surplus)
        return None

    def take_back(self, whole: Plan) -> None:
        """Have all requests go to the old fleet again, with as many instances as ``whole`` has.
        Raises as ``Fleet.scale`` does.
        """
        if self.course.rolls:
            self.old.scale(whole)
        self.step = None
        self.tell()

    def _turn_on(self, step: Step) -> None:
        self.step = step
        self.tell()
        self.change(lambda document: life.activating(document, step, time.time()))

    def _watched(self, step: Step, ends_s: float | None) -> str | None:
        """Watch the alarms as long as a step asks for; return why the update ends, or None."""
        if step.wait_s:
            self.change(lambda document: life.baking(document, step, time.time()))
        until_s = time.monotonic() + step.wait_s / self.scale
        while True:
            if gone_off := self.alarms.gone_off():
                return words.alarm_went_off(", ".join(gone_off))
            now_s = time.monotonic()
            if ends_s is not None and now_s >= ends_s:
                return words.took_too_long(str(self.course.longest_s))
            if now_s >= until_s:
                return None
            if self.ending.wait(min(_LOOK_S, until_s - now_s)):
                return "cancelled"
