"""What the thread does, look by look: alarms, activities, cooldowns, bounds, and kills."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit.local.autoscaling.scaling_world import (
    DIMENSION,
    DIMENSIONS,
    RESOURCE,
    TARGET,
    FakeFleets,
    Scaling,
    alarm,
    stepping,
    tracking,
)

OUT = {"MetricIntervalLowerBound": 0, "ScalingAdjustment": 2}


@pytest.fixture
def scaling(tmp_path: Path) -> Scaling:
    return Scaling(tmp_path)


def test_target_tracking_scales_out_after_three_minutes(scaling: Scaling) -> None:
    scaling.register()
    scaling.call("PutScalingPolicy", **tracking())
    scaling.minute(250.0)
    scaling.minute(250.0)
    assert scaling.fleets.asked == []
    scaling.minute(250.0)
    assert scaling.fleets.asked == [3]
    assert scaling.alarms()["AlarmHigh"] == "ALARM"
    scaling.look(after_s=1)
    (activity,) = scaling.activities()
    name = next(
        each["AlarmName"]
        for each in scaling.call("DescribeAlarms")["MetricAlarms"]
        if "AlarmHigh" in each["AlarmName"]
    )
    assert name.startswith(f"TargetTracking-{RESOURCE}-AlarmHigh-")
    assert (
        activity.items()
        >= {
            "ServiceNamespace": "sagemaker",
            "ResourceId": RESOURCE,
            "ScalableDimension": DIMENSION,
            "Description": "Setting desired instance count to 3.",
            "Cause": f"monitor alarm {name} in state ALARM triggered policy track",
            "StatusCode": "Successful",
            "StatusMessage": "Successfully set desired instance count to 3. "
            "Change successfully fulfilled by sagemaker.",
        }.items()
    )
    assert activity["EndTime"] == pytest.approx(activity["StartTime"] + 1)


def test_an_idle_variant_is_scaled_in_though_nothing_is_published(scaling: Scaling) -> None:
    scaling.register(low=1, high=10)
    scaling.call("PutScalingPolicy", **tracking())
    scaling.fleets.desired = scaling.fleets.current = 4
    for _ in range(20):
        scaling.minute(None)
    assert scaling.fleets.asked == [1]
    assert scaling.alarms() == {"AlarmHigh": "OK", "AlarmLow": "ALARM"}


def test_no_zero_is_published_where_nothing_runs_or_something_was_measured(
    scaling: Scaling,
) -> None:
    scaling.fleets.desired = scaling.fleets.current = 0
    scaling.register(low=0)
    for _ in range(5):
        scaling.minute(None)
    assert points(scaling) == []
    scaling.fleets.desired = scaling.fleets.current = 1
    for _ in range(5):
        scaling.minute(7.0)
    assert {point.value for point in points(scaling)} == {7.0}


def points(scaling: Scaling, name: str = "InvocationsPerInstance") -> list[Any]:
    return scaling.metrics.points("us-west-2", "AWS/SageMaker", name, DIMENSIONS)


def test_requests_in_flight_scale_out_within_half_a_minute(scaling: Scaling) -> None:
    scaling.register()
    request = tracking(5.0)
    request["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"] = {
        "PredefinedMetricType": "SageMakerVariantConcurrentRequestsPerModelHighResolution"
    }
    scaling.call("PutScalingPolicy", **request)
    scaling.fleets.in_flight = 12
    for _ in range(4):
        scaling.look(after_s=10)
    assert scaling.fleets.asked == [3]
    assert len(points(scaling, "ConcurrentRequestsPerModel")) >= 3


def test_a_copy_of_a_component_is_scaled_and_called_so(scaling: Scaling) -> None:
    component = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "inference-component/llama",
        "ScalableDimension": "sagemaker:inference-component:DesiredCopyCount",
    }
    scaling.call("RegisterScalableTarget", **component, MinCapacity=1, MaxCapacity=3)
    metric = {"PredefinedMetricType": "SageMakerInferenceComponentInvocationsPerCopy"}
    configuration = {"TargetValue": 10.0, "PredefinedMetricSpecification": metric}
    scaling.call(
        "PutScalingPolicy",
        **component,
        PolicyName="copies",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration=configuration,
    )
    for _ in range(3):
        where = {"dimensions": {"InferenceComponentName": "llama"}}
        scaling.measure(20.0, "InvocationsPerCopy", **where)
        scaling.look(after_s=60)
    (activity,) = scaling.activities()
    assert activity["Description"] == "Setting desired copy count to 2."


def test_while_it_changes_nothing_else_is_asked(scaling: Scaling) -> None:
    scaling.fleets.slow = True
    scaling.register()
    scaling.call("PutScalingPolicy", **tracking())
    for _ in range(3):
        scaling.minute(250.0)
    for _ in range(3):
        scaling.minute(900.0)
    assert scaling.fleets.asked == [3]
    (activity,) = scaling.activities()
    assert activity["StatusCode"] == "InProgress"
    assert activity["StatusMessage"] == (
        "Successfully set desired instance count to 3. Waiting for change to be fulfilled by "
        "sagemaker."
    )
    assert "EndTime" not in activity
    every = scaling.activities(IncludeNotScaledActivities=True)
    assert [each["NotScaledReasons"] for each in every[1:]] == [
        [{"Code": "TargetServicePutResourceAsUnscalable"}]
    ]
    scaling.fleets.fulfil()
    scaling.look(after_s=1)
    assert scaling.activities()[0]["StatusCode"] == "Successful"


def test_the_cooldown_begins_when_the_change_is_fulfilled(scaling: Scaling) -> None:
    scaling.fleets.slow = True
    scaling.register(high=20)
    scaling.call("PutScalingPolicy", **tracking(ScaleOutCooldown=120))
    for _ in range(3):
        scaling.minute(200.0)
    for _ in range(5):
        scaling.minute(200.0)
    scaling.fleets.fulfil()
    scaling.minute(200.0)  # fulfilled now
    scaling.minute(200.0)
    assert scaling.fleets.asked == [2]
    scaling.fleets.slow = False
    scaling.minute(200.0)
    assert scaling.fleets.asked == [2, 4]


def test_a_larger_scale_out_does_not_wait(scaling: Scaling) -> None:
    scaling.register(high=20)
    scaling.call("PutScalingPolicy", **tracking())
    for _ in range(3):
        scaling.minute(200.0)
    scaling.minute(200.0)
    assert scaling.fleets.asked == [2]
    scaling.minute(600.0)
    assert scaling.fleets.asked == [2, 6]


def test_why_nothing_was_scaled_is_said_once_and_only_if_asked(scaling: Scaling) -> None:
    scaling.register(high=1)
    scaling.call("PutScalingPolicy", **tracking())
    for _ in range(6):
        scaling.minute(250.0)
    assert scaling.activities() == []
    (said,) = scaling.activities(IncludeNotScaledActivities=True)
    assert said["Description"] == "Attempting to scale due to alarm triggered"
    assert said["StatusCode"] == "Failed"
    assert said["NotScaledReasons"] == [{"Code": "AlreadyAtMaxCapacity", "MaxCapacity": 1}]


@pytest.mark.parametrize(
    ("begin", "low", "high", "asked", "cause"),
    [
        (1, 3, 9, [3], "minimum capacity was set to 3"),
        (9, 1, 4, [4], "maximum capacity was set to 4"),
        (2, 1, 4, [], None),
    ],
)
def test_registering_brings_the_capacity_within_bounds(
    scaling: Scaling, begin: int, low: int, high: int, asked: list[int], cause: str | None
) -> None:
    scaling.fleets.desired = scaling.fleets.current = begin
    scaling.register(low, high)
    scaling.look(after_s=1)
    assert scaling.fleets.asked == asked
    assert [each["Cause"] for each in scaling.activities()] == ([cause] if cause else [])


def test_bounds_are_enforced_when_they_are_set_and_not_again(scaling: Scaling) -> None:
    scaling.register(low=3)
    scaling.fleets.desired = scaling.fleets.current = 1  # somebody else's doing
    scaling.look(after_s=60)
    assert scaling.fleets.asked == [3]


def test_bounds_wait_until_the_resource_takes_a_number(scaling: Scaling) -> None:
    scaling.fleets.busy = True
    scaling.register(low=3)
    assert scaling.fleets.asked == []
    scaling.fleets.busy = False
    scaling.look()
    assert scaling.fleets.asked == [3]


def test_a_resource_that_refuses_fails_the_activity(scaling: Scaling) -> None:
    scaling.fleets.refuses = "no room for another instance"
    scaling.register(low=3)
    (activity,) = scaling.activities()
    assert activity["StatusCode"] == "Failed"
    assert activity["StatusMessage"] == (
        "Failed to set desired instance count to 3. Reason: no room for another instance"
    )
    assert "EndTime" in activity


def test_a_change_that_is_given_up_fails(scaling: Scaling) -> None:
    scaling.fleets.slow = True
    scaling.register(low=3)
    scaling.fleets.desired = 1
    scaling.look(after_s=60)
    (activity,) = scaling.activities()
    assert activity["StatusCode"] == "Failed"
    assert "the resource is to have 1 by now, not 3" in activity["StatusMessage"]


def test_a_change_that_takes_too_long_is_unfulfilled(scaling: Scaling) -> None:
    scaling.fleets.slow = True
    scaling.register(low=3)
    scaling.look(after_s=3599)
    assert scaling.activities()[0]["StatusCode"] == "InProgress"
    scaling.look(after_s=2)
    assert scaling.activities()[0]["StatusCode"] == "Unfulfilled"


def test_step_scaling_acts_by_an_alarm_that_anybody_puts(scaling: Scaling) -> None:
    scaling.register()
    arn = scaling.call("PutScalingPolicy", **stepping(OUT, Cooldown=60))["PolicyARN"]
    scaling.call("PutMetricAlarm", **alarm(arn))
    described = scaling.call("DescribeScalingPolicies", ServiceNamespace="sagemaker")
    assert [each["AlarmName"] for each in described["ScalingPolicies"][0]["Alarms"]] == ["busy"]
    scaling.minute(50.0, "Invocations")
    assert scaling.fleets.asked == [3]
    scaling.minute(60.0, "Invocations")  # cools down
    scaling.minute(60.0, "Invocations")
    assert scaling.fleets.asked == [3, 5]
    (first, *_) = scaling.activities()
    assert first["Cause"] == "monitor alarm busy in state ALARM triggered policy step"


def test_the_step_is_chosen_by_the_aggregate_of_the_datapoints(scaling: Scaling) -> None:
    scaling.register(high=20)
    steps = (
        {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 50, "ScalingAdjustment": 1},
        {"MetricIntervalLowerBound": 50, "ScalingAdjustment": 9},
    )
    policy = stepping(*steps, MetricAggregationType="Maximum")
    arn = scaling.call("PutScalingPolicy", **policy)["PolicyARN"]
    scaling.call("PutMetricAlarm", **alarm(arn, EvaluationPeriods=2))
    scaling.minute(120.0, "Invocations")
    scaling.minute(60.0, "Invocations")
    assert scaling.fleets.asked == [10]


def test_a_state_that_is_set_acts_at_once_and_until_the_next_evaluation(scaling: Scaling) -> None:
    scaling.register()
    arn = scaling.call("PutScalingPolicy", **stepping(OUT))["PolicyARN"]
    scaling.call("PutMetricAlarm", **alarm(arn, Threshold=5.0))
    scaling.minute(1.0, "Invocations")
    assert scaling.alarms() == {"busy": "OK"}
    state = {"AlarmName": "busy", "StateValue": "ALARM", "StateReason": "a rehearsal"}
    scaling.call("SetAlarmState", **state)
    scaling.look(after_s=1)
    assert scaling.fleets.asked == []  # the metric is below every step
    scaling.call("PutMetricAlarm", **alarm(arn, Threshold=0.5))
    scaling.call("SetAlarmState", **state)
    scaling.look(after_s=1)
    assert scaling.fleets.asked == [3]
    scaling.minute(0.0, "Invocations")
    assert scaling.alarms() == {"busy": "OK"}


def test_an_alarm_that_must_not_act_does_not(scaling: Scaling) -> None:
    scaling.register()
    arn = scaling.call("PutScalingPolicy", **stepping(OUT))["PolicyARN"]
    scaling.call("PutMetricAlarm", **alarm(arn, ActionsEnabled=False))
    scaling.minute(99.0, "Invocations")
    assert scaling.alarms() == {"busy": "ALARM"}
    assert scaling.fleets.asked == []
    scaling.call("EnableAlarmActions", AlarmNames=["busy"])
    scaling.minute(99.0, "Invocations")
    assert scaling.fleets.asked == [3]


@pytest.mark.parametrize("name", ["DynamicScalingOutSuspended", "ScheduledScalingSuspended"])
def test_what_is_suspended_does_not_scale(scaling: Scaling, name: str) -> None:
    scaling.register(SuspendedState={name: True})
    scaling.call("PutScalingPolicy", **tracking())
    action = {"MinCapacity": 5}
    scaling.call(
        "PutScheduledAction",
        **TARGET,
        ScheduledActionName="more",
        Schedule="rate(5 minutes)",
        ScalableTargetAction=action,
    )
    for _ in range(6):
        scaling.minute(250.0)
    assert scaling.fleets.asked == ([5] if name.startswith("Dynamic") else [3])


def test_scale_in_that_is_suspended_or_disabled_does_not_happen(scaling: Scaling) -> None:
    scaling.fleets.desired = scaling.fleets.current = 4
    scaling.register(SuspendedState={"DynamicScalingInSuspended": True})
    scaling.call("PutScalingPolicy", **tracking())
    for _ in range(20):
        scaling.minute(1.0)
    scaling.register(SuspendedState={"DynamicScalingInSuspended": False})
    scaling.call("PutScalingPolicy", **tracking(DisableScaleIn=True))
    for _ in range(20):
        scaling.minute(1.0)
    assert scaling.fleets.asked == []
    assert set(scaling.alarms()) == {"AlarmHigh"}


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
