"""What a tuning job's request says of the training jobs that it launches. Pure.

A request has one TrainingJobDefinition, whose objective and ranges lie in the job's configuration;
or several TrainingJobDefinitions, each with its own.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

__all__ = [
    "EPOCHS",
    "METRIC_HYPERPARAMETER",
    "RANGES",
    "combinations",
    "definitions",
    "max_resource",
    "number_of",
    "objective",
    "ranges",
    "resource_config",
    "training_job",
]

Request: TypeAlias = Mapping[str, Any]

#: The hyperparameter that tells a training job what it is tuned for. Sources: answers of 2019 and
#: later, and the SDK v2, which takes it out of what Describe answers.
METRIC_HYPERPARAMETER = "_tuning_objective_metric"
#: The kinds of ranges, each with what it is called in ParameterRanges.
RANGES: Mapping[str, str] = MappingProxyType(
    {
        "integer": "IntegerParameterRanges",
        "continuous": "ContinuousParameterRanges",
        "categorical": "CategoricalParameterRanges",
    }
)
#: Static hyperparameters that stand for Hyperband's MaxResource. Source: HyperbandStrategyConfig.
EPOCHS = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")

_NOTHING: Request = MappingProxyType({})
#: Members of a definition that are a training job's under the same name.
_SAME = (
    *("RoleArn", "InputDataConfig", "VpcConfig", "OutputDataConfig", "StoppingCondition"),
    *("EnableNetworkIsolation", "EnableInterContainerTrafficEncryption"),
    *("EnableManagedSpotTraining", "RetryStrategy", "Environment"),
)


def definitions(request: Request) -> Sequence[Request]:
    """Return the definitions of the training jobs, one or several."""
    one = request.get("TrainingJobDefinition")
    return [one] if one else list(request.get("TrainingJobDefinitions") or ())


def objective(request: Request, definition: Request) -> Request:
    """Return a definition's HyperParameterTuningJobObjective, empty where it has none."""
    config = request.get("HyperParameterTuningJobConfig") or _NOTHING
    own: Request | None = definition.get("TuningObjective")
    return own or config.get("HyperParameterTuningJobObjective") or _NOTHING


def ranges(request: Request, definition: Request) -> Request:
    """Return a definition's ParameterRanges, empty where it has none."""
    config = request.get("HyperParameterTuningJobConfig") or _NOTHING
    own: Request | None = definition.get("HyperParameterRanges")
    return own or config.get("ParameterRanges") or _NOTHING


def number_of(text: str) -> float | None:
    """Return the finite number that a range's end is, or None."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def combinations(parameter_ranges: Request) -> float:
    """Return how many combinations of values ranges have; infinite with a continuous one."""
    return math.prod(_counts(parameter_ranges))


def _counts(parameter_ranges: Request) -> Iterator[float]:
    if parameter_ranges.get("AutoParameters"):
        yield math.inf
    for each in parameter_ranges.get(RANGES["continuous"]) or ():
        yield 1.0 if number_of(each["MinValue"]) == number_of(each["MaxValue"]) else math.inf
    for each in parameter_ranges.get(RANGES["integer"]) or ():
        low, high = number_of(each["MinValue"]), number_of(each["MaxValue"])
        if low is not None and high is not None:
            yield max(0.0, high - low + 1)
    for each in parameter_ranges.get(RANGES["categorical"]) or ():
        yield float(len(set(each["Values"])))


def max_resource(request: Request, definition: Request) -> int | None:
    """Return Hyperband's MaxResource, said or inferred; None where it cannot be."""
    config = request.get("HyperParameterTuningJobConfig") or _NOTHING
    strategy = config.get("StrategyConfig") or _NOTHING
    said = (strategy.get("HyperbandStrategyConfig") or _NOTHING).get("MaxResource")
    if said is not None:
        return int(said)
    static = definition.get("StaticHyperParameters") or _NOTHING
    for name in EPOCHS:
        number = number_of(str(static.get(name, "")).strip('"'))
        if number is not None and number >= 1:
            return int(number)
    return None


def resource_config(definition: Request) -> Request:
    """Return the ResourceConfig of a definition's training jobs.

    Of several InstanceConfigs it is the first: AllocationStrategy Prioritized takes the next ones
    only where there is no capacity.
    """
    flexible = definition.get("HyperParameterTuningResourceConfig")
    if not flexible:
        return definition.get("ResourceConfig") or _NOTHING
    members = ("InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId")
    first = (flexible.get("InstanceConfigs") or [_NOTHING])[0]
    said = {**flexible, **first}
    return {name: said[name] for name in members if name in said}


def training_job(
    request: Request,
    definition: Request,
    *,
    name: str,
    values: Mapping[str, str],
    tags: Sequence[Request] = (),
) -> dict[str, Any]:
    """Return the CreateTrainingJob request of one training job with the tuned ``values``.

    Each has a folder of its own for checkpoints, called as the job is (unverified).
    """
    made = {
        "TrainingJobName": name,
        "AlgorithmSpecification": definition.get("AlgorithmSpecification") or {},
        "HyperParameters": {
            METRIC_HYPERPARAMETER: objective(request, definition).get("MetricName", ""),
            **(definition.get("StaticHyperParameters") or {}),
            **values,
        },
        "ResourceConfig": dict(resource_config(definition)),
        **{member: definition[member] for member in _SAME if definition.get(member) is not None},
    }
    if checkpoints := definition.get("CheckpointConfig"):
        uri = f"{str(checkpoints.get('S3Uri', '')).rstrip('/')}/{name}"
        made["CheckpointConfig"] = {**checkpoints, "S3Uri": uri}
    if tags:
        made["Tags"] = list(tags)
    return made
