"""What the thread does, look by look: alarms, activities, cooldowns, bounds."""

from pathlib import Path

import pytest

from tests.unit.local.autoscaling.scaling_world import (
    DIMENSION,
    RESOURCE,
    TARGET,
    Scaling,
    alarm,
    points,
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


def test_a_number_that_is_refused_is_asked_for_again_ever_more_seldom(scaling: Scaling) -> None:
    scaling.fleets.refuses = "DesiredInstanceCount of variant AllTraffic must be at least 1."
    scaling.register()
    scaling.call("PutScalingPolicy", **tracking())
    for _ in range(40):
        scaling.minute(250.0)
    failed = scaling.activities()
    assert {each["StatusCode"] for each in failed} == {"Failed"}
    assert len(failed) == 6  # after 1, 2, 4, 8 and 16 minutes, of 37
    scaling.minute(900.0)  # another number is asked for at once
    assert len(scaling.activities()) == 7
    scaling.fleets.refuses = None
    for _ in range(2):
        scaling.minute(900.0)
    assert scaling.fleets.asked == [9]


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
