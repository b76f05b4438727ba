"""What the tests of autoscaling drive: a fake of the endpoints' side, and autoscaling over it whose
clock stands still until a test moves it.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sagedock.local.autoscaling import CannotScale, Fleet, ScalableResource
from sagedock.local.autoscaling.alarm_operations import AlarmOperations
from sagedock.local.autoscaling.autoscaler import Autoscaler
from sagedock.local.autoscaling.book import Book
from sagedock.local.autoscaling.clock import Clock
from sagedock.local.autoscaling.operations import TargetOperations
from sagedock.local.autoscaling.policy_operations import PolicyOperations
from sagedock.local.caller import Caller
from sagedock.local.database import Database
from sagedock.local.metrics import MetricStore, Point, Series
from sagedock.local.resources import Resources
from sagedock.local.tags import Tags
from tests.conftest import ACCOUNT, REGION

ENDPOINT, VARIANT = "churn", "AllTraffic"
RESOURCE = f"endpoint/{ENDPOINT}/variant/{VARIANT}"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": RESOURCE,
    "ScalableDimension": DIMENSION,
}
DIMENSIONS = {"EndpointName": ENDPOINT, "VariantName": VARIANT}
CALLER = Caller(region=REGION, service="application-autoscaling", account=ACCOUNT)
BEGIN_S = 1_800_000_000.0


def tracking(target: float = 100.0, **members: Any) -> dict[str, Any]:
    """Return a PutScalingPolicy request that tracks invocations per instance; None takes a member
    out.
    """
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    wanted = {"PredefinedMetricSpecification": metric, **members}
    return {
        **TARGET,
        "PolicyName": "track",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": target,
            **{name: value for name, value in wanted.items() if value is not None},
        },
    }


def stepping(*steps: Mapping[str, Any], **members: Any) -> dict[str, Any]:
    """Return a PutScalingPolicy request that scales by steps."""
    return {
        **TARGET,
        "PolicyName": "step",
        "PolicyType": "StepScaling",
        "StepScalingPolicyConfiguration": {
            "AdjustmentType": "ChangeInCapacity",
            "StepAdjustments": [dict(each) for each in steps],
            **members,
        },
    }


def alarm(policy_arn: str, **members: Any) -> dict[str, Any]:
    """Return a PutMetricAlarm request that acts by a policy."""
    return {
        "AlarmName": "busy",
        "AlarmActions": [policy_arn],
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocations",
        "Dimensions": [{"Name": name, "Value": value} for name, value in DIMENSIONS.items()],
        "Statistic": "Sum",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 50.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        **members,
    }


@dataclass
class FakeFleets:
    """One fleet for every resource; a change is fulfilled at once, or when a test says so."""

    desired: int = 1
    current: int = 1
    slow: bool = False
    exists: bool = True
    refuses: str | None = None
    busy: bool = False
    instance_type: str | None = "ml.m5.large"
    in_flight: int | None = None
    asked: list[int] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def find(self, resource: ScalableResource) -> Fleet | None:
        """Return the fleet."""
        assert resource.known
        if not self.exists:
            return None
        return Fleet(
            desired=self.desired,
            current=self.current,
            busy=self.busy or self.desired != self.current,
            instance_type=self.instance_type,
            in_flight=self.in_flight,
        )

    def set_desired(self, resource: ScalableResource, count: int) -> None:
        """Take the number."""
        assert resource.known
        if self.refuses:
            raise CannotScale(self.refuses)
        with self.changed:
            self.asked.append(count)
            self.desired = count
            if not self.slow:
                self.current = count
            self.changed.notify_all()

    def fulfil(self) -> None:
        """Let what was asked for be there."""
        self.current = self.desired


class Scaling:
    """Autoscaling without a server. ``look`` is one look of its thread."""

    def __init__(self, home: Path, fleets: FakeFleets | None = None, scale: float = 1.0) -> None:
        self.home = home
        self.scale = scale
        self.now_s = BEGIN_S
        self.fleets = fleets or FakeFleets()
        self.open()

    def open(self) -> None:
        """Begin, as a server does, on what the folder holds."""
        self.database = Database(self.home / "state.sqlite")
        clock = Clock(scale=self.scale, now_s=lambda: self.now_s)
        self.metrics = MetricStore(self.database)
        self.book = Book(Resources(self.database), Tags(self.database))
        self.scaler = Autoscaler(self.book, self.metrics, self.fleets, clock)
        targets = TargetOperations(book=self.book, fleets=self.fleets, clock=clock)
        policies = PolicyOperations(book=self.book, clock=clock)
        alarms = AlarmOperations(book=self.book, clock=clock)
        self.operations = {**targets.table(), **policies.table(), **alarms.table()}

    def killed_and_started(self) -> None:
        """Go on as the next server does after this one was killed."""
        self.database.close()
        self.open()

    def call(self, operation: str, **request: Any) -> Any:
        """Carry out one call, which is right."""
        return self.operations[operation](CALLER, request)

    def register(self, low: int = 1, high: int = 10, **members: Any) -> Any:
        """Register the target, and let its capacity come within bounds."""
        answer = self.call(
            "RegisterScalableTarget", **TARGET, MinCapacity=low, MaxCapacity=high, **members
        )
        self.look()
        return answer

    def look(self, *, after_s: float = 0.0) -> None:
        """Let time pass, and look once."""
        self.now_s += after_s
        self.scaler.look()

    def minute(self, value: float | None, name: str = "InvocationsPerInstance") -> None:
        """Let a minute pass in which a metric has a value, or none; then look."""
        if value is not None:
            self.measure(value, name)
        self.look(after_s=60.0 / self.scale)

    def measure(self, value: float, name: str = "InvocationsPerInstance", **where: Any) -> None:
        """Let a value be measured now."""
        series = Series(
            region=REGION,
            namespace=where.get("namespace", "AWS/SageMaker"),
            name=name,
            dimensions=where.get("dimensions", DIMENSIONS),
            unit="None",
        )
        self.metrics.add([(series, [Point(time_ms=round(self.now_s * 1000), value=value)])])

    def activities(self, **members: Any) -> list[dict[str, Any]]:
        """Return the activities, the earliest first."""
        listed = self.call("DescribeScalingActivities", ServiceNamespace="sagemaker", **members)
        found: list[dict[str, Any]] = listed["ScalingActivities"][::-1]
        return found

    def alarms(self) -> dict[str, str]:
        """Return the alarms' states, by the kind of alarm or by their names."""
        found = self.call("DescribeAlarms")["MetricAlarms"]
        return {_kind(each["AlarmName"]): each["StateValue"] for each in found}


def _kind(name: str) -> str:
    return next((kind for kind in ("AlarmHigh", "AlarmLow") if f"-{kind}-" in name), name)


def points(scaling: Scaling, name: str = "InvocationsPerInstance") -> list[Any]:
    return scaling.metrics.points("us-west-2", "AWS/SageMaker", name, DIMENSIONS)
