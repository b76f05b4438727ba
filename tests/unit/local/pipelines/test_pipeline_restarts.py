"""Executions whose server ends, or is killed, and starts again."""

from pathlib import Path

from sagedock import LocalSageMaker
from sagedock.testing import Container, FakeEngine
from tests.conftest import BUCKET, IMAGE, REGION, Local
from tests.unit.local.pipelines.pipeline_world import World, training


def started(home: Path, engine: FakeEngine) -> Local:
    return Local(
        server=LocalSageMaker(home=home, engine=engine, shutdown_grace_s=0.2).start(), engine=engine
    )


def until_terminated(container: Container) -> int:
    container.terminated.wait(30)
    return 0


def begun(world: World) -> str:
    """Start an execution whose first step runs; return its ARN."""
    steps = training("first"), training("second", DependsOn=["first"])
    world.create(*steps, experiment={})
    arn = world.start()
    world.until(
        arn, lambda _: "TrainingJob" in world.steps(arn).get("first", {}).get("Metadata", {})
    )
    return arn


def test_an_execution_goes_on_when_the_server_starts_again(tmp_path: Path) -> None:
    """Its job was stopped because the server ended: it is begun again, by another name."""
    engine = FakeEngine(until_terminated, images=[IMAGE])
    local = started(tmp_path, engine)
    place = {"LocationConstraint": REGION}
    local.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
    world = World(local)
    arn = begun(world)
    before = world.steps(arn)["first"]["Metadata"]
    local.server.stop()
    engine.program = lambda _: 0
    local = started(tmp_path, engine)
    try:
        world = World(local)
        assert world.ended(arn)["PipelineExecutionStatus"] == "Succeeded"
        steps = world.steps(arn)
        assert set(steps) == {"first", "second"}
        assert steps["first"]["Metadata"] != before
        trial = arn.rpartition("/")[2]
        tracked = world.sagemaker.list_trial_components(TrialName=trial)["TrialComponentSummaries"]
        made = {each["TrialComponentSource"]["SourceArn"] for each in tracked}
        jobs = [before, *(each["Metadata"] for each in steps.values())]
        assert made == {each["TrainingJob"]["Arn"] for each in jobs}
    finally:
        local.server.stop()
