"""A hyperparameter tuning job, as data."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from sagedock.errors import InvalidRequest
from sagedock.jobs.hyperparameters import json_of
from sagedock.jobs.pipeline.references import Reference, text_of
from sagedock.jobs.request import Request, merged, present
from sagedock.jobs.tags import Tags, tag_list
from sagedock.jobs.training import TrainingJob

__all__ = [
    "CategoricalParameter",
    "ContinuousParameter",
    "HyperbandStrategyConfig",
    "IntegerParameter",
    "Parameter",
    "ScalingType",
    "Strategy",
    "TuningJob",
    "TuningJobCompletionCriteriaConfig",
    "WarmStartConfig",
]

ScalingType = Literal["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"]
Strategy = Literal["Bayesian", "Random", "Hyperband", "Grid"]

#: Members of a training job that are a definition's under the same name.
_SAME = (
    *("RoleArn", "InputDataConfig", "VpcConfig", "OutputDataConfig", "ResourceConfig"),
    *("StoppingCondition", "EnableNetworkIsolation", "EnableInterContainerTrafficEncryption"),
    *("EnableManagedSpotTraining", "CheckpointConfig", "RetryStrategy", "Environment"),
)
_ALGORITHM = ("TrainingImage", "TrainingInputMode", "MetricDefinitions", "AlgorithmName")


@dataclass(frozen=True)
class ContinuousParameter:
    """A number between two others. ReverseLogarithmic is for what nears 1, as momentum does."""

    min_value: float | Reference
    max_value: float | Reference
    scaling_type: ScalingType = "Auto"


@dataclass(frozen=True)
class IntegerParameter:
    """An integer between two others, both included."""

    min_value: int | Reference
    max_value: int | Reference
    scaling_type: ScalingType = "Auto"


@dataclass(frozen=True)
class CategoricalParameter:
    """One of several values."""

    values: Sequence[Any]


Parameter: TypeAlias = ContinuousParameter | IntegerParameter | CategoricalParameter


@dataclass(frozen=True, kw_only=True)
class HyperbandStrategyConfig:
    """How many values of the objective, epochs as a rule, a training job has at most, and before it
    may be stopped.
    """

    max_resource: int | None = None
    min_resource: int | None = None


@dataclass(frozen=True, kw_only=True)
class TuningJobCompletionCriteriaConfig:
    """What is enough: a value reached, no gain in so many training jobs, or no more gain at all."""

    target_objective_metric_value: float | None = None
    max_number_of_training_jobs_not_improving: int | None = None
    complete_on_convergence: bool | None = None


@dataclass(frozen=True, kw_only=True)
class WarmStartConfig:
    """Which earlier tuning jobs a new one learns from."""

    parents: Sequence[str]
    warm_start_type: Literal["IdenticalDataAndAlgorithm", "TransferLearning"] = (
        "IdenticalDataAndAlgorithm"
    )


@dataclass(frozen=True, kw_only=True)
class TuningJob:
    """What to tune, and by which training jobs. The fields are SageMaker SDK v2's, units in names.

    ``training`` is a training job as it would be without tuning; its own name is not used. With a
    script values are sent as JSON. ``extra`` is in API casing and is merged in last.
    """

    name: str
    training: TrainingJob
    ranges: Mapping[str, Parameter]
    objective_metric_name: str
    objective_type: Literal["Maximize", "Minimize"] = "Maximize"
    strategy: Strategy = "Bayesian"
    max_jobs: int | Reference | None = None
    max_parallel_jobs: int | Reference = 1
    max_runtime_s: int | Reference | None = None
    early_stopping_type: Literal["Off", "Auto"] = "Off"
    hyperband: HyperbandStrategyConfig | None = None
    completion_criteria: TuningJobCompletionCriteriaConfig | None = None
    warm_start: WarmStartConfig | None = None
    random_seed: int | None = None
    autotune: bool = False
    tags: Tags = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def requests(self) -> tuple[Request, ...]:
        """Return the one CreateHyperParameterTuningJob request.

        Raises InvalidRequest with what the training job has and a tuning job's cannot have, or
        where a value of a script cannot be written as JSON.
        """
        parameters = {
            "HyperParameterTuningJobName": self.name,
            "HyperParameterTuningJobConfig": self._config(),
            "TrainingJobDefinition": self._definition(),
            "WarmStartConfig": self._warm_start(),
            "Autotune": {"Mode": "Enabled"} if self.autotune else None,
            "Tags": tag_list(self.tags),
        }
        return (
            Request(
                service="sagemaker",
                operation="CreateHyperParameterTuningJob",
                parameters=merged(present(parameters), self.extra),
            ),
        )

    def _config(self) -> dict[str, Any]:
        return present(
            {
                "Strategy": self.strategy,
                "StrategyConfig": self._strategy_config(),
                "HyperParameterTuningJobObjective": {
                    "Type": self.objective_type,
                    "MetricName": self.objective_metric_name,
                },
                "ResourceLimits": present(
                    {
                        "MaxNumberOfTrainingJobs": self.max_jobs,
                        "MaxParallelTrainingJobs": self.max_parallel_jobs,
                        "MaxRuntimeInSeconds": self.max_runtime_s,
                    }
                ),
                "ParameterRanges": self._ranges(),
                "TrainingJobEarlyStoppingType": self.early_stopping_type,
                "TuningJobCompletionCriteria": self._criteria(),
                "RandomSeed": self.random_seed,
            }
        )

    def _ranges(self) -> dict[str, Any]:
        kinds: dict[str, list[dict[str, Any]]] = {
            "IntegerParameterRanges": [],
            "ContinuousParameterRanges": [],
            "CategoricalParameterRanges": [],
        }
        for name, each in self.ranges.items():
            if isinstance(each, CategoricalParameter):
                texts = [self._text(name, value) for value in each.values]
                kinds["CategoricalParameterRanges"].append({"Name": name, "Values": texts})
                continue
            whole = isinstance(each, IntegerParameter)
            kinds["IntegerParameterRanges" if whole else "ContinuousParameterRanges"].append(
                {
                    "Name": name,
                    "MinValue": _as_text(each.min_value),
                    "MaxValue": _as_text(each.max_value),
                    "ScalingType": each.scaling_type,
                }
            )
        return kinds

    def _text(self, name: str, value: Any) -> Any:
        if self.training.script is None:
            return _as_text(value)
        if isinstance(value, Reference):
            return json_of(value)
        try:
            return json.dumps(value)
        except (TypeError, ValueError) as error:
            raise InvalidRequest(
                [f"hyperparameter_ranges[{name!r}]: {error}: give strings, numbers or booleans"]
            ) from error

    def _strategy_config(self) -> dict[str, Any] | None:
        if self.hyperband is None:
            return None
        said = {
            "MaxResource": self.hyperband.max_resource,
            "MinResource": self.hyperband.min_resource,
        }
        return {"HyperbandStrategyConfig": present(said)}

    def _criteria(self) -> dict[str, Any] | None:
        said = self.completion_criteria
        if said is None:
            return None
        stale, converges = (
            said.max_number_of_training_jobs_not_improving,
            said.complete_on_convergence,
        )
        on = {True: "Enabled", False: "Disabled"}
        return present(
            {
                "TargetObjectiveMetricValue": said.target_objective_metric_value,
                "BestObjectiveNotImproving": present(
                    {"MaxNumberOfTrainingJobsNotImproving": stale}
                ),
                "ConvergenceDetected": present(
                    {"CompleteOnConvergence": None if converges is None else on[converges]}
                ),
            }
        )

    def _warm_start(self) -> dict[str, Any] | None:
        if self.warm_start is None:
            return None
        parents = [{"HyperParameterTuningJobName": name} for name in self.warm_start.parents]
        return {
            "ParentHyperParameterTuningJobs": parents,
            "WarmStartType": self.warm_start.warm_start_type,
        }

    def _definition(self) -> dict[str, Any]:
        (request,) = self.training.requests()
        said = request.parameters
        algorithm = said["AlgorithmSpecification"]
        lost = [
            *(f"AlgorithmSpecification.{name}" for name in algorithm if name not in _ALGORITHM),
            *(name for name in said if name not in (*_SAME, "AlgorithmSpecification", *_ELSEWHERE)),
        ]
        if lost:
            raise InvalidRequest(
                [
                    f"{name}: a tuning job's training jobs cannot have it: leave it out"
                    for name in lost
                ]
            )
        static = {
            name: value
            for name, value in said.get("HyperParameters", {}).items()
            if name not in self.ranges
        }
        return present(
            {
                "StaticHyperParameters": static,
                "AlgorithmSpecification": algorithm,
                **{name: said[name] for name in _SAME if name in said},
            }
        )


def _as_text(value: Any) -> Any:
    return text_of(value) if isinstance(value, Reference) else str(value)


#: What of a training job a tuning job says by itself.
_ELSEWHERE = ("TrainingJobName", "HyperParameters", "Tags")
