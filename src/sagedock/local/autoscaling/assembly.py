"""Autoscaling put together, for a server."""

from dataclasses import dataclass
from typing import Self

from sagedock.api.scaling import AUTOSCALING
from sagedock.local.autoscaling.alarm_operations import AlarmOperations
from sagedock.local.autoscaling.autoscaler import Autoscaler
from sagedock.local.autoscaling.book import Book
from sagedock.local.autoscaling.clock import Clock
from sagedock.local.autoscaling.fleets import Fleets
from sagedock.local.autoscaling.operations import TargetOperations
from sagedock.local.autoscaling.policy_operations import PolicyOperations
from sagedock.local.json_service import JsonService
from sagedock.local.platform import Platform

__all__ = ["Autoscaling"]


@dataclass(frozen=True, kw_only=True)
class Autoscaling:
    """The service, CloudWatch's operations on alarms, and the thread that scales."""

    service: JsonService
    alarms: AlarmOperations
    scaler: Autoscaler

    @classmethod
    def over(cls, platform: Platform, fleets: Fleets) -> Self:
        """Put it together over what ``fleets`` runs. Nothing is started."""
        book = Book(platform.resources, platform.tags)
        clock = Clock(scale=platform.settings.time_scale)
        targets = TargetOperations(book=book, fleets=fleets, clock=clock)
        policies = PolicyOperations(book=book, clock=clock)
        service = JsonService(
            service=AUTOSCALING,
            operations={**targets.table(), **policies.table()},
            check_answers=platform.settings.check_answers,
        )
        return cls(
            service=service,
            alarms=AlarmOperations(book=book, clock=clock),
            scaler=Autoscaler(book, platform.metrics, fleets, clock),
        )
