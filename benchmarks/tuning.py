"""Tuning: how near the search comes to the optimum, and what a training job costs to schedule.

Regret is how far the best of 40 tries is from the optimum of a function that is known. Ours is held
against search by chance, and against Optuna as it comes.
"""

import math
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import boto3

from benchmarks.table import Row
from sagedock import LocalSageMaker
from sagedock.search import Numbers, Space, Tried, search_of
from sagedock.testing import Container, FakeEngine

__all__ = ["rows"]

_TRIES, _SEEDS = 40, 20
_REGION = "us-west-2"
_ACCOUNT = "123456789012"
_IMAGE = f"{_ACCOUNT}.dkr.ecr.{_REGION}.amazonaws.com/tuned:1"
_CHILDREN, _PARALLEL, _MOST_MS = 200, 10, 20.0
_LOOK_S = 0.1

Function = Callable[[Sequence[float]], float]


def rows() -> list[Row]:
    """Measure both."""
    return [
        *_regrets("Branin", branin, [(-5.0, 10.0), (0.0, 15.0)], 0.397887),
        *_regrets("Hartmann6", hartmann6, [(0.0, 1.0)] * 6, -3.322368),
        *(_scheduling(strategy) for strategy in ("Random", "Bayesian")),
    ]


def branin(at: Sequence[float]) -> float:
    x, y = at
    valley = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
    return valley**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


_WEIGHTS = (1.0, 1.2, 3.0, 3.2)
_STEEPNESS = (
    (10.0, 3.0, 17.0, 3.5, 1.7, 8.0),
    (0.05, 10.0, 17.0, 0.1, 8.0, 14.0),
    (3.0, 3.5, 1.7, 10.0, 17.0, 8.0),
    (17.0, 8.0, 0.05, 10.0, 0.1, 14.0),
)
_CENTRES = (
    (0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886),
    (0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991),
    (0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650),
    (0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381),
)


def hartmann6(at: Sequence[float]) -> float:
    return -sum(
        weight * math.exp(-sum(a * (x - p) ** 2 for a, x, p in zip(steep, at, centre, strict=True)))
        for weight, steep, centre in zip(_WEIGHTS, _STEEPNESS, _CENTRES, strict=True)
    )


def _regrets(
    name: str, function: Function, ends: Sequence[tuple[float, float]], optimum: float
) -> list[Row]:
    space = Space(
        ranges=[
            Numbers(name=f"x{number}", low=low, high=high)
            for number, (low, high) in enumerate(ends)
        ]
    )
    seeds = range(_SEEDS)
    ours = [_ours("Bayesian", space, function, seed) - optimum for seed in seeds]
    chance = [_ours("Random", space, function, seed) - optimum for seed in seeds]
    optuna = [_optunas(function, ends, seed) - optimum for seed in seeds]
    return [
        _row(name, ours, "by chance", chance),
        _row(name, ours, "Optuna's default", optuna),
    ]


def _ours(strategy: Any, space: Space, function: Function, seed: int) -> float:
    search = search_of(strategy, space, seed)
    tried: list[Tried] = []
    for number in range(1, _TRIES + 1):
        values = search.propose(number, tried)
        assert values is not None
        loss = function([float(value) for value in values.values()])
        tried.append(Tried(values=values, loss=loss))
    return min(each.loss for each in tried if each.loss is not None)


def _optunas(function: Function, ends: Sequence[tuple[float, float]], seed: int) -> float:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))

    def objective(trial: Any) -> float:
        found = [trial.suggest_float(f"x{number}", *each) for number, each in enumerate(ends)]
        return function(found)

    study.optimize(objective, n_trials=_TRIES)
    return float(study.best_value)


def _row(name: str, ours: Sequence[float], against: str, theirs: Sequence[float]) -> Row:
    ratio = statistics.median(ours) / statistics.median(theirs)
    return Row(
        what=f"regret on {name} after {_TRIES} tries, {_SEEDS} seeds",
        ours=_spread(ours),
        against=f"{against}: {_spread(theirs)}",
        ratio=f"{ratio:.3f}x",
        goal="less",
        met=ratio < 1,
    )


def _spread(found: Sequence[float]) -> str:
    low, middle, high = statistics.quantiles(found, n=4)
    return f"{middle:.3g} ({low:.2g} to {high:.2g})"


def _scheduling(strategy: str) -> Row:
    """Run a tuning job whose training jobs take no time, and as many training jobs alone, and tell
    what CPU time each takes more, in this process and in those that it started.
    """
    with tempfile.TemporaryDirectory() as folder:
        engine = FakeEngine(_train, images=[_IMAGE])
        with LocalSageMaker(home=Path(folder) / "home", engine=engine) as local:
            began = _cpu_s()
            _training_jobs(local.endpoint_url)
            alone_s = _cpu_s() - began
            began = _cpu_s()
            _tuning_job(local.endpoint_url, strategy)
            tuned_s = _cpu_s() - began
    each_ms = (tuned_s - alone_s) / _CHILDREN * 1000
    return Row(
        what=f"scheduling of {_CHILDREN} training jobs, {strategy}, {_PARALLEL} at once",
        ours=f"{each_ms:.1f} ms of CPU each",
        against=f"the training jobs alone: {alone_s / _CHILDREN * 1000:.1f} ms",
        ratio=f"{each_ms / _MOST_MS:.2f}x",
        goal=f"{_MOST_MS:.0f} ms",
        met=each_ms <= _MOST_MS,
    )


def _cpu_s() -> float:
    """Return the CPU time of this process, and of those it started that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def _train(container: Container) -> int:
    container.print("loss=0.5")
    return 0


def _tuning_job(url: str, strategy: str) -> None:
    sagemaker = _client(url, "sagemaker")
    ends = {"MinValue": "0.001", "MaxValue": "1.0"}
    ranges = [{"Name": name, **ends} for name in ("a", "b", "c")]
    definition = {name: value for name, value in _job("").items() if name != "TrainingJobName"}
    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="bench",
        HyperParameterTuningJobConfig={
            "Strategy": strategy,
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
            "ResourceLimits": {
                "MaxNumberOfTrainingJobs": _CHILDREN,
                "MaxParallelTrainingJobs": _PARALLEL,
            },
            "ParameterRanges": {"ContinuousParameterRanges": ranges},
        },
        TrainingJobDefinition=definition,
    )
    asked = {"HyperParameterTuningJobName": "bench"}
    while "HyperParameterTuningEndTime" not in (
        job := sagemaker.describe_hyper_parameter_tuning_job(**asked)
    ):
        time.sleep(_LOOK_S)
    if job["ObjectiveStatusCounters"]["Succeeded"] != _CHILDREN:
        raise RuntimeError(job)


def _training_jobs(url: str) -> None:
    """Run as many training jobs, which the queue lets run as there is room."""
    sagemaker = _client(url, "sagemaker")
    names = [f"alone-{number}" for number in range(_CHILDREN)]
    for name in names:
        sagemaker.create_training_job(**_job(name))
    for name in names:
        while "TrainingEndTime" not in sagemaker.describe_training_job(TrainingJobName=name):
            time.sleep(_LOOK_S)


def _job(name: str) -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": _IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
        },
        "RoleArn": f"arn:aws:iam::{_ACCOUNT}:role/sagedock",
        "OutputDataConfig": {"S3OutputPath": "s3://bench/out"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 10,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }


def _client(url: str, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=_REGION,
        aws_access_key_id="x",
        aws_secret_access_key="y",
    )
