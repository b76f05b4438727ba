"""Who is told of asynchronous invocations: SNS topics, a command, CloudWatch."""

import base64
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sagedock import InvalidRequest
from sagedock.local.settings import Settings
from sagedock.testing import Call, Reply, serving
from tests.conftest import BUCKET, REGION, Local
from tests.unit.local.hosting.async_local import (
    awaited_object,
    deploy_async,
    invoke_async,
    put_input,
)
from tests.unit.local.hosting.conftest import started
from tests.unit.local.hosting.hosting_local import awaited, echo
from tests.unit.local.hosting.test_hosting_metrics import statistics

TOPIC = f"arn:aws:sns:{REGION}:123456789012:sagemaker-results"


def failing(call: Call) -> Reply:
    if call.path != "/ping" and call.body == b"bad":
        return Reply(status=500, body=b"broken")
    return echo(call)


def queue_of(local: Local) -> str:
    """Make the topic, and a queue that subscribes to it; return the queue's address."""
    sns, sqs = local.client("sns"), local.client("sqs")
    topic = sns.create_topic(Name="sagemaker-results")["TopicArn"]
    assert topic == TOPIC
    queue: str = sqs.create_queue(QueueName="results")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:123456789012:results"
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return queue


def received(local: Local, queue: str) -> dict[str, Any]:
    """Wait for a message of the topic, and return what it says."""
    found: list[Any] = []

    def come() -> bool:
        found.extend(local.client("sqs").receive_message(QueueUrl=queue).get("Messages", ()))
        return bool(found)

    awaited(come)
    local.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=found[0]["ReceiptHandle"])
    message: dict[str, Any] = json.loads(json.loads(found[0]["Body"])["Message"])
    return message


def test_topics_of_the_local_sns_are_told(local: Local) -> None:
    queue = queue_of(local)
    local.engine.program = serving(failing)
    deploy_async(
        local,
        notify={
            "SuccessTopic": TOPIC,
            "ErrorTopic": TOPIC,
            "IncludeInferenceResponseIn": ["SUCCESS_NOTIFICATION_TOPIC"],
        },
    )
    uri = put_input(local, b"good")
    answer = invoke_async(local, uri, InferenceId="one", Accept="text/html")
    message = received(local, queue)
    times = [message.pop(name) for name in ("eventTime", "receivedTime")]
    moments = [datetime.strptime(each, "%Y-%m-%dT%H:%M:%S.%fZ") for each in times]
    assert moments[0] >= moments[1]
    assert message == {
        "awsRegion": REGION,
        "invocationStatus": "Completed",
        "requestParameters": {
            "accept": "text/html",
            "contentType": "text/plain",
            "endpointName": "endpoint-1",
            "inputLocation": uri,
        },
        "responseParameters": {
            "contentType": "text/plain",
            "outputLocation": answer["OutputLocation"],
        },
        "responseBody": {
            "content": base64.b64encode(b"good").decode(),
            "encoding": "BASE64",
        },
        "inferenceId": "one",
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }
    answer = invoke_async(local, put_input(local, b"bad"), InferenceId="two")
    message = received(local, queue)
    assert message["invocationStatus"] == "Failed"
    assert message["failureReason"] == (
        "ClientError: Received server error (500) from model. See the SageMaker Endpoint logs in "
        "your account for more information."
    )
    assert message["responseParameters"] == {"outputLocation": answer["FailureLocation"]}
    assert "responseBody" not in message


def test_a_command_is_told(tmp_path: Path) -> None:
    told = tmp_path / "told with blanks"
    program = "import os,sys; open(sys.argv[1],'a').write(os.environ['SAGEDOCK_TOPIC_ARN'] + ' ' + "
    hook = (sys.executable, "-c", f"{program}sys.stdin.read() + chr(10))", str(told))
    with started(tmp_path / "home", notification_hook=hook) as local:
        deploy_async(local, notify={"SuccessTopic": TOPIC, "ErrorTopic": TOPIC})
        answer = invoke_async(local, put_input(local), InferenceId="one")
        awaited_object(local, answer["OutputLocation"])
        awaited(lambda: told.is_file() and told.read_text().endswith("\n"))
        topic, _, message = told.read_text().partition(" ")
        assert topic == TOPIC
        assert json.loads(message)["inferenceId"] == "one"
        awaited(lambda: value(local, "InvocationsProcessed") == 1)
        assert value(local, "NotificationFailures") is None


def value(local: Local, metric: str) -> float | None:
    found = statistics(local, metric)
    return None if found is None else found["Sum"]


def test_a_topic_that_is_not_there_is_a_failed_notification(local: Local) -> None:
    deploy_async(local, notify={"SuccessTopic": f"{TOPIC}-absent"})
    answer = invoke_async(local, put_input(local))
    assert awaited_object(local, answer["OutputLocation"])["Body"] == b"hello"
    awaited(lambda: value(local, "NotificationFailures") == 1)


@pytest.mark.parametrize("hook", [("false",), ("/absent/command",)])
def test_a_command_that_fails_is_a_failed_notification(
    tmp_path: Path, hook: tuple[str, ...]
) -> None:
    with started(tmp_path / "home", notification_hook=hook) as local:
        deploy_async(local, notify={"SuccessTopic": f"{TOPIC}-absent"})
        invoke_async(local, put_input(local))
        awaited(lambda: value(local, "NotificationFailures") == 1)


def test_the_command_comes_from_the_environment() -> None:
    settings = Settings.from_environment(
        {"SAGEDOCK_NOTIFICATION_HOOK": "tell 'two words' x", "SAGEDOCK_SERVERLESS_IDLE_S": "7"}
    )
    assert settings.notification_hook == ("tell", "two words", "x")
    assert settings.serverless_idle_s == 7
    with pytest.raises(InvalidRequest, match=r"SAGEDOCK_NOTIFICATION_HOOK: .*quotation"):
        Settings.from_environment({"SAGEDOCK_NOTIFICATION_HOOK": "tell 'x"})


def test_metrics_of_requests(local: Local) -> None:
    local.engine.program = serving(failing)
    deploy_async(local)
    for body in (b"good", b"bad"):
        invoke_async(local, put_input(local, body, f"inputs/{body.decode()}"))
    invoke_async(local, f"s3://{BUCKET}/absent")
    awaited(lambda: value(local, "InvocationsProcessed") == 3)
    assert value(local, "InvocationFailures") == 2
    assert value(local, "RequestDownloadFailures") == 1
    assert value(local, "Invocation5XXErrors") == 1
    assert value(local, "Invocation4XXErrors") == 0
    units = {
        "TimeInBacklog": "Microseconds",
        "TotalProcessingTime": "Milliseconds",
        "RequestDownloadLatency": "Microseconds",
        "ResponseUploadLatency": "Microseconds",
        "ModelLatency": "Microseconds",
    }
    for name, unit in units.items():
        assert statistics(local, name)["Unit"] == unit
    for name in ("Invocations", "InvocationsPerInstance", "OverheadLatency"):
        assert statistics(local, name) is None


def latest(local: Local, metric: str) -> float | None:
    """Return the last value of a metric of the endpoint."""
    now = datetime.now(UTC)
    found = local.client("cloudwatch").get_metric_data(
        MetricDataQueries=[
            {
                "Id": "m",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/SageMaker",
                        "MetricName": metric,
                        "Dimensions": [{"Name": "EndpointName", "Value": "endpoint-1"}],
                    },
                    "Period": 1,
                    "Stat": "Maximum",
                },
            }
        ],
        StartTime=now - timedelta(minutes=5),
        EndTime=now + timedelta(minutes=1),
    )["MetricDataResults"][0]["Values"]
    return found[0] if found else None


def test_a_backlog_without_capacity_scales_from_zero_and_back(tmp_path: Path) -> None:
    resource: dict[str, Any] = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/endpoint-1/variant/AllTraffic",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    with started(tmp_path / "home", time_scale=300.0) as local:
        deploy_async(local)
        scaling = local.client("application-autoscaling")
        scaling.register_scalable_target(**resource, MinCapacity=0, MaxCapacity=2)
        policy = scaling.put_scaling_policy(
            **resource,
            PolicyName="from-zero",
            PolicyType="StepScaling",
            StepScalingPolicyConfiguration={
                "AdjustmentType": "ChangeInCapacity",
                "MetricAggregationType": "Average",
                "Cooldown": 60,
                "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
            },
        )["PolicyARN"]
        local.client("cloudwatch").put_metric_alarm(
            AlarmName="backlog",
            MetricName="HasBacklogWithoutCapacity",
            Namespace="AWS/SageMaker",
            Statistic="Average",
            Period=60,
            EvaluationPeriods=1,
            DatapointsToAlarm=1,
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            TreatMissingData="missing",
            Dimensions=[{"Name": "EndpointName", "Value": "endpoint-1"}],
            AlarmActions=[policy],
        )
        scaling.put_scaling_policy(
            **resource,
            PolicyName="back",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": 5.0,
                "CustomizedMetricSpecification": {
                    "MetricName": "ApproximateBacklogSizePerInstance",
                    "Namespace": "AWS/SageMaker",
                    "Dimensions": [{"Name": "EndpointName", "Value": "endpoint-1"}],
                    "Statistic": "Average",
                },
                "ScaleInCooldown": 60,
                "ScaleOutCooldown": 60,
            },
        )
        awaited(lambda: count(local) == 0, 60)
        answer = invoke_async(local, put_input(local))
        awaited(lambda: (latest(local, "HasBacklogWithoutCapacity") or 0) >= 1, 60)
        awaited(lambda: count(local) >= 1, 60)
        assert awaited_object(local, answer["OutputLocation"])["Body"] == b"hello"
        awaited(lambda: latest(local, "ApproximateBacklogSize") == 0, 60)
        awaited(lambda: count(local) == 0, 60)


def count(local: Local) -> int:
    found = local.client("sagemaker").describe_endpoint(EndpointName="endpoint-1")
    number: int = found["ProductionVariants"][0]["CurrentInstanceCount"]
    return number


def test_invocations_of_a_backlog_are_not_counted_as_others_are(tmp_path: Path) -> None:
    with started(tmp_path / "home", time_scale=300.0) as local:
        deploy_async(local)
        local.client("application-autoscaling").register_scalable_target(
            ServiceNamespace="sagemaker",
            ResourceId="endpoint/endpoint-1/variant/AllTraffic",
            ScalableDimension="sagemaker:variant:DesiredInstanceCount",
            MinCapacity=1,
            MaxCapacity=2,
        )
        invoke_async(local, put_input(local))
        awaited(lambda: value(local, "InvocationsProcessed") == 1)
        awaited(lambda: latest(local, "ApproximateBacklogSize") == 0, 60)
        for name in ("InvocationsPerInstance", "ConcurrentRequestsPerModel"):
            assert statistics(local, name) is None
