"""Endpoint configuration and endpoint steps: what they create and update, and how they end."""

import json
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sagedock.testing import Call, FakeEngine, Reply, serving
from tests.conftest import IMAGE, ROLE
from tests.unit.local.hosting.conftest import started
from tests.unit.local.hosting.hosting_local import create_model, echo, invoke
from tests.unit.local.pipelines.pipeline_world import World, condition, fail, get

_CACHED = {"Enabled": True, "ExpireAfter": "30d"}
_TOKEN = "x" * 32


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with started(tmp_path / "home", endpoint_startup_s=2.0) as made:
        yield World(made)


def model(name: str = "Model", **environment: str) -> dict[str, Any]:
    container = {"Image": IMAGE, "Environment": environment}
    arguments = {"PrimaryContainer": container, "ExecutionRoleArn": ROLE}
    return {"Name": name, "Type": "Model", "Arguments": arguments}


def config(name: str = "served", **members: Any) -> dict[str, Any]:
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": get("Steps.Model.ModelName"),
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
    }
    arguments = {"EndpointConfigName": name, "ProductionVariants": [variant]}
    return {"Name": "Config", "Type": "EndpointConfig", "Arguments": arguments, **members}


def endpoint(name: Any = "endpoint-1", **members: Any) -> dict[str, Any]:
    arguments = {
        "EndpointName": name,
        "EndpointConfigName": get("Steps.Config.EndpointConfigName"),
    }
    return {"Name": "Endpoint", "Type": "Endpoint", "Arguments": arguments, **members}


def described(world: World, name: str = "endpoint-1") -> Any:
    return world.sagemaker.describe_endpoint(EndpointName=name)


def waits_in(world: World, arn: str) -> None:
    """Wait until the endpoint step of an execution has called what it is."""
    world.until(arn, lambda _: world.steps(arn).get("Endpoint", {}).get("Metadata"))


def test_an_endpoint_is_created_and_later_steps_know_it(world: World) -> None:
    """Source of the configuration's name, and the endpoint's: row 170."""
    status = get("Steps.Endpoint.EndpointStatus")
    right = {"Type": "Equals", "LeftValue": status, "RightValue": "InService"}
    told = {"Std:Join": {"On": " ", "Values": [get("Steps.Endpoint.EndpointName"), status]}}
    execution, steps = world.run(
        model(), config(), endpoint(), condition("Check", right, then=[fail("Tell", told)])
    )
    assert steps["Tell"]["FailureReason"] == "endpoint-1 InService"
    found = described(world)
    id_ = execution["PipelineExecutionArn"].rpartition("/")[2]
    assert re.fullmatch(rf"served-{id_}-\w{{10}}-0", found["EndpointConfigName"])
    assert steps["Endpoint"]["Metadata"] == {"Endpoint": {"Arn": found["EndpointArn"]}}
    configured = world.sagemaker.describe_endpoint_config(
        EndpointConfigName=found["EndpointConfigName"]
    )
    assert steps["Config"]["Metadata"] == {
        "EndpointConfig": {"Arn": configured["EndpointConfigArn"]}
    }
    assert invoke(world.local)["Body"] == b"hello"


def test_an_endpoint_that_is_there_is_updated(world: World) -> None:
    world.create(
        model(),
        config(),
        endpoint(get("Parameters.Name")),
        parameters=[{"Name": "Name", "Type": "String", "DefaultValue": "endpoint-1"}],
    )
    for _ in range(2):
        arn = world.start()
        assert world.ended(arn)["PipelineExecutionStatus"] == "Succeeded"
    found = described(world)
    assert arn.rpartition("/")[2] in found["EndpointConfigName"]
    assert found["EndpointStatus"] == "InService"
    third = world.start(PipelineParameters=[{"Name": "Name", "Value": "other"}])
    assert world.ended(third)["PipelineExecutionStatus"] == "Succeeded"
    assert third.rpartition("/")[2] in described(world, "other")["EndpointConfigName"]


def unwell(_: Call) -> Reply:
    """A model that is not well."""
    return Reply(status=500)


def test_an_endpoint_that_cannot_serve_fails_its_step(world: World) -> None:
    world.local.engine.program = serving(unwell)
    execution, steps = world.run(model(), config(), endpoint())
    assert execution["PipelineExecutionStatus"] == "Failed"
    found = described(world)
    assert found["EndpointStatus"] == "Failed"
    assert steps["Endpoint"]["FailureReason"] == f"ClientError: {found['FailureReason']}"


def test_an_update_that_is_taken_back_fails_its_step_and_is_retried(world: World) -> None:
    """What served goes on to serve, and RetryPipelineExecution updates again."""
    world.create(model(), config(), endpoint())
    world.ended(world.start())
    before = described(world)["EndpointConfigName"]
    world.local.engine.program = serving(unwell)
    arn = world.start()
    assert world.ended(arn)["PipelineExecutionStatus"] == "Failed"
    found = described(world)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", before)
    assert world.steps(arn)["Endpoint"]["FailureReason"].endswith(found["FailureReason"])
    world.local.engine.program = serving(echo)
    world.sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=_TOKEN)
    assert world.ended(arn)["PipelineExecutionStatus"] == "Succeeded"
    assert arn.rpartition("/")[2] in described(world)["EndpointConfigName"]


def test_what_is_refused_fails_the_step(world: World) -> None:
    step = endpoint()
    step["Arguments"]["EndpointConfigName"] = "none"
    _, steps = world.run(step)
    begins = "ClientError: Failed to invoke sagemaker:CreateEndpoint. Error Details: Could not find"
    assert steps["Endpoint"]["FailureReason"].startswith(begins)


class Gate:
    """Containers that are not well before they may be."""

    def __init__(self) -> None:
        self.open = threading.Event()

    def __call__(self, call: Call) -> Reply:
        return echo(call) if self.open.is_set() else Reply(status=503)


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[tuple[World, Gate]]:
    gate = Gate()
    with started(tmp_path / "home", engine=FakeEngine(serving(gate), images=[IMAGE])) as made:
        yield World(made), gate


def test_a_stop_waits_for_the_endpoint(slow: tuple[World, Gate]) -> None:
    world, gate = slow
    world.create(model(), config(), endpoint(), fail("Never", DependsOn=["Endpoint"]))
    arn = world.start()
    waits_in(world, arn)
    world.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=_TOKEN)
    assert world.steps(arn)["Endpoint"]["StepStatus"] == "Executing"
    gate.open.set()
    assert world.ended(arn)["PipelineExecutionStatus"] == "Stopped"
    steps = world.steps(arn)
    assert steps["Endpoint"]["StepStatus"] == "Succeeded"
    assert "Never" not in steps
    assert described(world)["EndpointStatus"] == "InService"


def test_two_executions_wait_for_one_endpoint(slow: tuple[World, Gate]) -> None:
    """The second finds it in progress, which its call says; the first goes on."""
    world, gate = slow
    world.create(model(), config(), endpoint())
    first = world.start()
    waits_in(world, first)
    second = world.start()
    assert world.ended(second)["PipelineExecutionStatus"] == "Failed"
    reason = world.steps(second)["Endpoint"]["FailureReason"]
    assert "Failed to invoke sagemaker:UpdateEndpoint" in reason
    gate.open.set()
    assert world.ended(first)["PipelineExecutionStatus"] == "Succeeded"


def forget_the_answer(home: Path) -> None:
    """Make of the execution what it was before the endpoint's call had answered."""
    with closing(sqlite3.connect(home / "state.sqlite")) as connection:
        kind = "pipeline-execution:p"
        found = connection.execute("SELECT document FROM resources WHERE kind = ?", (kind,))
        document = json.loads(found.fetchone()[0])
        document["_Steps"]["Endpoint"]["Metadata"] = {}
        text = json.dumps(document)
        connection.execute("UPDATE resources SET document = ? WHERE kind = ?", (text, kind))
        connection.commit()


def test_a_step_goes_on_where_the_server_was_killed(tmp_path: Path) -> None:
    """The endpoint was being created, and nobody had noted it: it is found, not updated."""
    home, gate = tmp_path / "home", Gate()
    engine = FakeEngine(serving(gate), images=[IMAGE])
    with started(home, engine=engine) as made:
        world = World(made)
        world.create(model(), config(), endpoint())
        arn = world.start()
        waits_in(world, arn)
    forget_the_answer(home)
    gate.open.set()
    with started(home, engine=engine, bucket=False) as made:
        world = World(made)
        assert world.ended(arn)["PipelineExecutionStatus"] == "Succeeded"
        found = described(world)
        assert world.steps(arn)["Endpoint"]["Metadata"]["Endpoint"]["Arn"] == found["EndpointArn"]
        configs = world.sagemaker.list_endpoint_configs()["EndpointConfigs"]
        assert [each["EndpointConfigName"] for each in configs] == [found["EndpointConfigName"]]


def test_an_update_goes_on_where_the_server_was_killed(tmp_path: Path) -> None:
    """The endpoint has another configuration: nobody had called yet, or nobody knows."""
    home, gate = tmp_path / "home", Gate()
    gate.open.set()
    engine = FakeEngine(serving(gate), images=[IMAGE])
    with started(home, engine=engine) as made:
        world = World(made)
        world.create(model(), config(), endpoint(), name="other")
        world.ended(world.start("other"))
        gate.open.clear()
        world.create(model(), config(), endpoint())
        arn = world.start()
        waits_in(world, arn)
    forget_the_answer(home)
    gate.open.set()
    with started(home, engine=engine, bucket=False) as made:
        world = World(made)
        assert world.ended(arn)["PipelineExecutionStatus"] == "Succeeded"
        assert arn.rpartition("/")[2] in described(world)["EndpointConfigName"]


def test_results_are_used_again(world: World) -> None:
    """The model has a name that is given: its steps' arguments are the same each time."""
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": create_model(world.local),
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
    }
    first = config(CacheConfig=_CACHED)
    first["Arguments"]["ProductionVariants"] = [variant]
    world.create(first, endpoint(CacheConfig=_CACHED))
    source = world.start()
    assert world.ended(source)["PipelineExecutionStatus"] == "Succeeded"
    before = described(world)
    arn = world.start()
    assert world.ended(arn)["PipelineExecutionStatus"] == "Succeeded"
    for step in world.steps(arn).values():
        assert step["CacheHitResult"] == {"SourcePipelineExecutionArn": source}
    assert described(world)["LastModifiedTime"] == before["LastModifiedTime"]


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (
            {"Name": "E", "Type": "Endpoint", "Arguments": {"EndpointConfigName": "c"}},
            "Step E: an Endpoint step needs EndpointName.",
        ),
        (endpoint(RetryPolicies=[]), "Cannot parse object, unknown property 'RetryPolicies'."),
    ],
)
def test_steps_that_cannot_run_are_refused(world: World, step: dict[str, Any], said: str) -> None:
    """Source of Endpoint steps not being retried: the SDK v3's ``EndpointStep``."""
    with pytest.raises(world.sagemaker.exceptions.ClientError) as caught:
        world.create(step)
    assert said in caught.value.response["Error"]["Message"]


def test_an_endpoint_that_is_gone_fails_its_step(tmp_path: Path) -> None:
    """Whoever took it away, the execution does not wait for it for ever."""
    home, gate = tmp_path / "home", Gate()
    engine = FakeEngine(serving(gate), images=[IMAGE])
    with started(home, engine=engine) as made:
        world = World(made)
        world.create(model(), config(), endpoint())
        arn = world.start()
        waits_in(world, arn)
    with closing(sqlite3.connect(home / "state.sqlite")) as connection:
        connection.execute("DELETE FROM resources WHERE kind = 'endpoint'")
        connection.commit()
    with started(home, engine=engine, bucket=False) as made:
        world = World(made)
        assert world.ended(arn)["PipelineExecutionStatus"] == "Failed"
        reason = world.steps(arn)["Endpoint"]["FailureReason"]
        assert reason.startswith("ClientError: Failed to invoke sagemaker:DescribeEndpoint.")
