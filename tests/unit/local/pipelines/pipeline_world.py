"""Pipelines on a local SageMaker whose containers are Python functions."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sagedock.contract import paths
from sagedock.testing import Container
from tests.conftest import BUCKET, IMAGE, ROLE, Local

__all__ = ["World", "condition", "fail", "get", "step_of", "training"]

_LONGEST_PAUSE_S = 0.05
_TOKEN = "token-token-token-token-token-token"


def get(path: str) -> dict[str, str]:
    """Return a reference."""
    return {"Get": path}


def training(name: str, *, hyperparameters: Any = None, **members: Any) -> dict[str, Any]:
    """Return a training step."""
    return {
        "Name": name,
        "Type": "Training",
        "Arguments": {
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/out"},
            "ResourceConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 10,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
            "HyperParameters": {"step": name, **(hyperparameters or {})},
        },
        **members,
    }


def condition(
    name: str, *conditions: Any, then: Any = (), otherwise: Any = (), **members: Any
) -> dict[str, Any]:
    """Return a condition step."""
    arguments = {
        "Conditions": list(conditions),
        "IfSteps": list(then),
        "ElseSteps": list(otherwise),
    }
    return {"Name": name, "Type": "Condition", "Arguments": arguments, **members}


def fail(name: str, message: Any = None, **members: Any) -> dict[str, Any]:
    """Return a fail step."""
    arguments = {} if message is None else {"ErrorMessage": message}
    return {"Name": name, "Type": "Fail", "Arguments": arguments, **members}


def step_of(container: Container) -> str:
    """Return the name of the training step that a container is of."""
    name: str = json.loads(container.files[paths.HYPERPARAMETERS.path])["step"]
    return name


@dataclass(frozen=True)
class World:
    """A local SageMaker, and what one asks of its pipelines."""

    local: Local

    @property
    def sagemaker(self) -> Any:
        """The client."""
        return self.local.client("sagemaker")

    def create(
        self,
        *steps: Any,
        name: str = "p",
        parameters: Any = (),
        experiment: Any = None,
        **request: Any,
    ) -> str:
        """Create a pipeline; return its ARN."""
        definition = {
            "Version": "2020-12-01",
            "Metadata": {},
            "Parameters": list(parameters),
            "PipelineExperimentConfig": experiment,
            "Steps": list(steps),
        }
        arn: str = self.sagemaker.create_pipeline(
            PipelineName=name,
            PipelineDefinition=json.dumps(definition),
            ClientRequestToken=_TOKEN,
            RoleArn=ROLE,
            **request,
        )["PipelineArn"]
        return arn

    def start(self, name: str = "p", **request: Any) -> str:
        """Start an execution; return its ARN."""
        token = f"{_TOKEN}-{time.monotonic_ns()}"
        asked = {"PipelineName": name, "ClientRequestToken": token, **request}
        arn: str = self.sagemaker.start_pipeline_execution(**asked)["PipelineExecutionArn"]
        return arn

    def ended(self, arn: str) -> Any:
        """Wait until an execution has ended, and return what Describe answers."""
        ends = ("Succeeded", "Failed", "Stopped")
        return self.until(arn, lambda found: found["PipelineExecutionStatus"] in ends)

    def until(self, arn: str, true: Callable[[Any], bool], timeout_s: float = 60) -> Any:
        """Wait until Describe answers what is awaited."""
        ends, pause_s = time.monotonic() + timeout_s, 0.005
        while not true(
            found := self.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        ):
            assert time.monotonic() < ends, (found, self.steps(arn))
            time.sleep(pause_s)
            pause_s = min(1.5 * pause_s, _LONGEST_PAUSE_S)
        return found

    def steps(self, arn: str) -> dict[str, Any]:
        """Return the records of the steps that have begun, by name, in their order."""
        found = self.sagemaker.list_pipeline_execution_steps(
            PipelineExecutionArn=arn, SortOrder="Ascending", MaxResults=100
        )["PipelineExecutionSteps"]
        return {each["StepName"]: each for each in found}

    def run(self, *steps: Any, parameters: Any = (), **request: Any) -> tuple[Any, dict[str, Any]]:
        """Create and start a pipeline; return what its execution and its steps came to."""
        self.create(*steps, parameters=parameters)
        arn = self.start(**request)
        return self.ended(arn), self.steps(arn)

    def job_of(self, step: Any) -> Any:
        """Return what the training job of a step is described with."""
        name = step["Metadata"]["TrainingJob"]["Arn"].rpartition("/")[2]
        return self.sagemaker.describe_training_job(TrainingJobName=name)
