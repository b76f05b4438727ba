"""Several policies, scheduled actions, resources that go, and servers that are killed."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.local.autoscaling.scaling_world import (
    DIMENSIONS,
    TARGET,
    FakeFleets,
    Scaling,
    points,
    tracking,
)

OUT = {"MetricIntervalLowerBound": 0, "ScalingAdjustment": 2}


@pytest.fixture
def scaling(tmp_path: Path) -> Scaling:
    return Scaling(tmp_path)


def test_target_tracking_policies_scale_in_only_together(scaling: Scaling) -> None:
    scaling.fleets.desired = scaling.fleets.current = 4
    scaling.register()
    scaling.call("PutScalingPolicy", **tracking())
    metric = {
        "MetricName": "Invocations",
        "Namespace": "AWS/SageMaker",
        "Dimensions": [{"Name": name, "Value": value} for name, value in DIMENSIONS.items()],
        "Statistic": "Sum",
    }
    configuration = {"TargetValue": 10.0, "CustomizedMetricSpecification": metric}
    other = {**tracking(), "PolicyName": "other"}
    other["TargetTrackingScalingPolicyConfiguration"] = configuration
    scaling.call("PutScalingPolicy", **other)
    for _ in range(20):
        scaling.measure(10.0, "Invocations")
        scaling.minute(1.0)
    assert scaling.fleets.asked == []
    for _ in range(18):
        scaling.measure(2.5, "Invocations")
        scaling.minute(1.0)
    assert scaling.fleets.asked == [1]


def test_a_scheduled_action_sets_bounds_and_then_the_capacity(scaling: Scaling) -> None:
    scaling.register()
    bounds = {"MinCapacity": 4, "MaxCapacity": 6}
    scaling.call(
        "PutScheduledAction",
        **TARGET,
        ScheduledActionName="morning",
        Schedule="rate(5 minutes)",
        ScalableTargetAction=bounds,
    )
    scaling.look(after_s=299)
    assert scaling.fleets.asked == []
    scaling.look(after_s=2)
    scaling.look(after_s=1)
    assert scaling.fleets.asked == [4]
    (target,) = scaling.call("DescribeScalableTargets", ServiceNamespace="sagemaker")[
        "ScalableTargets"
    ]
    assert target.items() >= bounds.items()
    told, scaled = sorted(scaling.activities(), key=lambda each: each["Description"])[::-1]
    assert told["Description"] == "Setting min capacity to 4 and max capacity to 6"
    assert told["Cause"] == "scheduled action name morning was triggered"
    assert told["StatusMessage"] == "Successfully set min capacity to 4 and max capacity to 6"
    assert scaled["Cause"] == "minimum capacity was set to 4"


def test_a_scheduled_action_does_not_wait_for_a_cooldown(scaling: Scaling) -> None:
    scaling.register()
    scaling.call("PutScalingPolicy", **tracking())
    scaling.call(
        "PutScheduledAction",
        **TARGET,
        ScheduledActionName="more",
        Schedule="rate(4 minutes)",
        ScalableTargetAction={"MinCapacity": 7},
    )
    for _ in range(4):
        scaling.minute(250.0)
    assert scaling.fleets.asked == [3, 7]


def test_one_bound_moves_the_other_out_of_its_way(scaling: Scaling) -> None:
    scaling.register(low=1, high=2)
    scaling.call(
        "PutScheduledAction",
        **TARGET,
        ScheduledActionName="more",
        Schedule="rate(1 minute)",
        ScalableTargetAction={"MinCapacity": 5},
    )
    scaling.look(after_s=61)
    assert scaling.fleets.asked == [5]


def test_a_resource_that_is_gone_takes_its_target_with_it(scaling: Scaling) -> None:
    scaling.register()
    scaling.call("PutScalingPolicy", **tracking())
    scaling.fleets.exists = False
    scaling.look(after_s=1)
    listed = scaling.call("DescribeScalableTargets", ServiceNamespace="sagemaker")
    assert listed == {"ScalableTargets": []}
    assert scaling.alarms() == {}
    assert not scaling.scaler.look()


def test_with_a_time_scale_minutes_are_seconds(tmp_path: Path) -> None:
    scaling = Scaling(tmp_path, scale=60.0)
    begun_s = scaling.now_s
    scaling.register(high=20)
    scaling.call("PutScalingPolicy", **tracking())
    for _ in range(3):
        scaling.minute(250.0)
    assert scaling.fleets.asked == [3]
    for _ in range(22):  # 15 until the alarm, and what its window still holds of the load
        scaling.minute(None)
    assert scaling.fleets.asked == [3, 1]
    assert scaling.now_s - begun_s < 30


def test_a_killed_server_goes_on_with_what_is_in_progress(scaling: Scaling) -> None:
    scaling.fleets.slow = True
    scaling.register(low=1)
    scaling.call("PutScalingPolicy", **tracking())
    for _ in range(3):
        scaling.minute(250.0)
    scaling.killed_and_started()
    scaling.look(after_s=1)
    assert scaling.activities()[0]["StatusCode"] == "InProgress"
    scaling.fleets.fulfil()
    scaling.look(after_s=1)
    assert scaling.activities()[0]["StatusCode"] == "Successful"
    assert scaling.fleets.asked == [3]


def test_a_server_killed_before_it_asked_asks(scaling: Scaling) -> None:
    class Killed(BaseException):
        pass

    class Fleets(FakeFleets):
        def set_desired(self, *_: Any) -> None:
            raise Killed

    scaling.fleets, fleets = Fleets(), scaling.fleets
    scaling.killed_and_started()
    with pytest.raises(Killed):
        scaling.register(low=3)
    scaling.fleets = fleets
    scaling.killed_and_started()
    scaling.look(after_s=1)
    assert fleets.asked == [3]
    scaling.look(after_s=1)
    assert [each["StatusCode"] for each in scaling.activities()] == ["Successful"]


def test_a_cooldown_outlives_the_server(scaling: Scaling) -> None:
    scaling.register(high=20)
    scaling.call("PutScalingPolicy", **tracking())
    for _ in range(4):
        scaling.minute(200.0)
    scaling.killed_and_started()
    for _ in range(4):
        scaling.minute(200.0)
    assert scaling.fleets.asked == [2]
    scaling.minute(200.0)
    assert scaling.fleets.asked == [2, 4]


def test_what_was_due_while_no_server_ran_is_done_once(scaling: Scaling) -> None:
    scaling.register()
    scaling.call(
        "PutScheduledAction",
        **TARGET,
        ScheduledActionName="more",
        Schedule="rate(5 minutes)",
        ScalableTargetAction={"MinCapacity": 2},
    )
    scaling.killed_and_started()
    scaling.look(after_s=1600)
    scaling.look(after_s=1)
    causes = [each["Cause"] for each in scaling.activities()]
    assert causes.count("scheduled action name more was triggered") == 1
    assert scaling.fleets.asked == [2]


def test_what_happened_while_no_server_ran_is_not_zero(scaling: Scaling) -> None:
    scaling.fleets.desired = scaling.fleets.current = 4
    scaling.register()
    scaling.call("PutScalingPolicy", **tracking())
    scaling.look(after_s=60)
    scaling.killed_and_started()
    scaling.look(after_s=3600)
    scaling.look(after_s=60)
    assert len(points(scaling)) <= 1
    assert scaling.fleets.asked == []


def test_one_target_that_breaks_does_not_hold_the_others_up(
    scaling: Scaling, caplog: pytest.LogCaptureFixture
) -> None:
    class Fleets(FakeFleets):
        def find(self, resource: Any) -> Any:
            if resource.variant == "broken" and broken:
                raise RuntimeError("a bug")
            return super().find(resource)

    broken: list[bool] = []
    scaling.fleets = Fleets()
    scaling.killed_and_started()
    other = {**TARGET, "ResourceId": "endpoint/a/variant/broken"}
    scaling.call("RegisterScalableTarget", **other, MinCapacity=1, MaxCapacity=2)
    scaling.call("RegisterScalableTarget", **TARGET, MinCapacity=3, MaxCapacity=4)
    broken.append(True)
    scaling.look()
    assert 3 in scaling.fleets.asked
    assert "a bug" in caplog.text


def test_old_activities_are_forgotten(scaling: Scaling) -> None:
    scaling.register(low=3)
    scaling.look(after_s=1)
    assert len(scaling.activities()) == 1
    scaling.now_s += 6 * 7 * 24 * 3600
    assert scaling.activities() == []
    scaling.book.forget_old(scaling.now_s)
    scaling.now_s -= 6 * 7 * 24 * 3600
    assert scaling.activities() == []


def test_the_thread_sleeps_where_nothing_is_registered_and_wakes(scaling: Scaling) -> None:
    scaling.scaler.start()
    try:
        with scaling.fleets.changed:
            scaling.call("RegisterScalableTarget", **TARGET, MinCapacity=3, MaxCapacity=4)
            assert scaling.fleets.changed.wait_for(lambda: scaling.fleets.asked == [3], 20)
    finally:
        scaling.scaler.stop()
