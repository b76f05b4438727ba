"""How much a training job of a tuning job costs: calls and writes, not time."""

import json
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sagedock.local.caller import Caller
from sagedock.local.calls import Calls
from sagedock.local.json_service import Reply
from sagedock.local.platform import Platform
from sagedock.local.resources import Key, Resource
from sagedock.local.tuning import KIND, TuningJobs
from sagedock.local.tuning.document import PARENTS, SEED, new_document
from tests.amount import amount
from tests.unit.local.transform_world import Model, opened_world

COUNT = amount(200, quick=40)
REGION = "us-west-2"


class Instant:
    """Answers for training jobs that end in the moment in which they are created."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.calls: Counter[str] = Counter()

    def answer(self, operation: str, body: bytes, caller: Caller) -> Reply:
        self.calls[operation] += 1
        request = json.loads(body)
        key = Key(region=caller.region, kind="training-job", name=request["TrainingJobName"])
        if operation == "CreateTrainingJob":
            self._run(key)
            return _reply({"TrainingJobArn": "arn"})
        found = self.platform.resources.get(key)
        if found is None:
            return _reply({"__type": "ValidationException", "message": "not found"}, 400)
        return _reply(found.document)

    def _run(self, key: Key) -> None:
        document = {
            "TrainingJobName": key.name,
            "TrainingJobStatus": "InProgress",
            "CreationTime": 1.0,
            "LastModifiedTime": 1.0,
        }
        self.platform.resources.add(
            Resource(
                key=key,
                created=1.0,
                modified=1.0,
                status="InProgress",
                document=document,
                request={},
            )
        )
        self._end(key, document)

    def _end(self, key: Key, document: Mapping[str, Any]) -> None:
        ended = {
            **document,
            "TrainingJobStatus": "Completed",
            "TrainingEndTime": 2.0,
            "FinalMetricDataList": [{"MetricName": "loss", "Value": 0.5, "Timestamp": 2.0}],
        }
        self.platform.resources.change(
            key, lambda job: replace(job, status="Completed", document=ended)
        )


def _reply(answer: Mapping[str, Any], status: int = 200) -> Reply:
    return Reply(status=status, headers={}, body=json.dumps(answer).encode())


def request(strategy: str) -> dict[str, Any]:
    ends = {"Name": "x", "MinValue": "0", "MaxValue": "1"}
    return {
        "HyperParameterTuningJobName": "tune",
        "HyperParameterTuningJobConfig": {
            "Strategy": strategy,
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": COUNT, "MaxParallelTrainingJobs": 10},
            "ParameterRanges": {"ContinuousParameterRanges": [ends]},
        },
        "TrainingJobDefinition": {
            "AlgorithmSpecification": {"TrainingImage": "i", "TrainingInputMode": "File"},
            "RoleArn": "role",
        },
        SEED: 1,
        PARENTS: [],
    }


def run(platform: Platform, service: Instant, strategy: str) -> Resource:
    """Run a tuning job to its end."""
    calls = Calls()
    calls.serve(service)  # type: ignore[arg-type]
    sent = request(strategy)
    key = Key(region=REGION, kind=KIND, name="tune")
    job = Resource(
        key=key,
        created=time.time(),
        modified=1.0,
        status="InProgress",
        document=new_document(sent, "arn", 1.0),
        request=sent,
    )
    platform.resources.add(job)
    jobs = TuningJobs(platform, calls)
    assert jobs.start(job)
    jobs.wait_until_gone(key)
    found = platform.resources.get(key)
    assert found is not None
    return found


@pytest.mark.parametrize("strategy", ["Random", "Bayesian"])
def test_many_training_jobs_are_each_created_once_and_described_twice(
    tmp_path: Path, strategy: str
) -> None:
    with opened_world(tmp_path / "home", Model()) as world:
        service = Instant(world.platform)
        found = run(world.platform, service, strategy)
    assert found.status == "Completed"
    assert found.document["TrainingJobStatusCounters"]["Completed"] == COUNT
    assert service.calls["CreateTrainingJob"] == COUNT
    assert service.calls["DescribeTrainingJob"] <= 2 * COUNT
    assert service.calls["StopTrainingJob"] == 0


class Breaking(Instant):
    """Breaks at the third training job; the first two never end."""

    def answer(self, operation: str, body: bytes, caller: Caller) -> Reply:
        if operation == "CreateTrainingJob" and self.calls[operation] == 2:
            raise RuntimeError("broken on purpose")
        if operation == "StopTrainingJob":
            self.calls[operation] += 1
            return _reply({})
        return super().answer(operation, body, caller)

    def _end(self, key: Key, document: Mapping[str, Any]) -> None:
        return


def test_a_tuning_job_that_breaks_fails_and_stops_what_runs(tmp_path: Path) -> None:
    with opened_world(tmp_path / "home", Model()) as world:
        service = Breaking(world.platform)
        found = run(world.platform, service, "Random")
    assert found.status == "Failed"
    assert found.document["FailureReason"].startswith("InternalServerError: ")
    assert service.calls["StopTrainingJob"] == 2
