"""Tuning jobs whose training jobs are Python functions."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from sagedock.testing import Container
from tests.conftest import Local

__all__ = [
    "LOSS",
    "begin",
    "children",
    "continuous",
    "describe",
    "ended",
    "request",
    "tuned",
    "until",
    "values_of",
]

NAME = "tune-1"
LOSS = {"Name": "loss", "Regex": "loss=([-0-9.e]+)"}
_TERMINAL = ("Completed", "Failed", "Stopped")


def continuous(name: str = "x", low: str = "0", high: str = "1", **more: str) -> dict[str, str]:
    return {"Name": name, "MinValue": low, "MaxValue": high, **more}


def request(
    local: Local,
    *,
    jobs: int | None = 3,
    parallel: int = 1,
    ranges: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
    definition: Mapping[str, Any] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """Return a right CreateHyperParameterTuningJob request, with changes laid over its parts."""
    limits = {"MaxNumberOfTrainingJobs": jobs, "MaxParallelTrainingJobs": parallel}
    job = local.job()
    algorithm = {**job["AlgorithmSpecification"], "MetricDefinitions": [LOSS]}
    members = ("RoleArn", "OutputDataConfig", "ResourceConfig", "StoppingCondition")
    made: dict[str, Any] = {
        "HyperParameterTuningJobName": NAME,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
            "ResourceLimits": {k: v for k, v in limits.items() if v is not None},
            "ParameterRanges": ranges or {"ContinuousParameterRanges": [continuous()]},
            **(config or {}),
        },
        "TrainingJobDefinition": _said(
            {
                "AlgorithmSpecification": algorithm,
                **{name: job[name] for name in members},
                **(definition or {}),
            }
        ),
        **changes,
    }
    return _said(made)


def _said(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def begin(local: Local, **changes: Any) -> str:
    """Create a tuning job; return its name."""
    made = request(local, **changes)
    local.client("sagemaker").create_hyper_parameter_tuning_job(**made)
    return str(made["HyperParameterTuningJobName"])


def tuned(local: Local, program: Callable[[Container], int] | None = None, **changes: Any) -> Any:
    """Run a tuning job to its end, and return what Describe answers."""
    if program is not None:
        local.engine.program = program
    return ended(local, begin(local, **changes))


def describe(local: Local, name: str = NAME) -> Any:
    return local.client("sagemaker").describe_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name
    )


def until(
    local: Local, true: Callable[[Any], bool], name: str = NAME, timeout_s: float = 60
) -> Any:
    """Wait until Describe answers what is awaited."""
    ends = time.monotonic() + timeout_s
    while not true(job := describe(local, name)):
        assert time.monotonic() < ends, job
        time.sleep(0.02)
    return job


def ended(local: Local, name: str = NAME) -> Any:
    return until(local, lambda job: job["HyperParameterTuningJobStatus"] in _TERMINAL, name)


def children(local: Local, name: str = NAME, **more: Any) -> list[Any]:
    """Return the summaries of a tuning job's training jobs, all of them."""
    pages = (
        local.client("sagemaker")
        .get_paginator("list_training_jobs_for_hyper_parameter_tuning_job")
        .paginate(HyperParameterTuningJobName=name, **more)
    )
    return [each for page in pages for each in page["TrainingJobSummaries"]]


def values_of(container: Container) -> dict[str, str]:
    """Return the hyperparameters that a container was given."""
    found: dict[str, str] = json.loads(container.files["/opt/ml/input/config/hyperparameters.json"])
    return found
