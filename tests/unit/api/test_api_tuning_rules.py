"""What a CreateHyperParameterTuningJob must not say, rule by rule."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from sagedock.api import problems_in_request, rule_problems, tuning
from tests.golden.tuning_requests import TUNING

Request = dict[str, Any]


def right() -> Request:
    (request,) = TUNING["tuning"]
    return copy.deepcopy(dict(request.parameters))


def found(request: Request) -> list[str]:
    named = ("sagemaker", "CreateHyperParameterTuningJob", request)
    assert not problems_in_request(*named)
    return [each.message for each in rule_problems(*named)]


def config(request: Request) -> Request:
    made: Request = request["HyperParameterTuningJobConfig"]
    return made


def ranges(**kinds: Any) -> Callable[[Request], None]:
    def change(request: Request) -> None:
        config(request)["ParameterRanges"] = kinds

    return change


def numbers(low: str, high: str, **more: str) -> list[Request]:
    return [{"Name": "x", "MinValue": low, "MaxValue": high, **more}]


def several(*changes: Request) -> Callable[[Request], None]:
    def change(request: Request) -> None:
        one = request.pop("TrainingJobDefinition")
        settings = config(request)
        own = {
            "TuningObjective": settings.pop("HyperParameterTuningJobObjective"),
            "HyperParameterRanges": settings.pop("ParameterRanges"),
        }
        request["TrainingJobDefinitions"] = [{**one, **own, **each} for each in changes]

    return change


def with_config(**members: Any) -> Callable[[Request], None]:
    return lambda request: config(request).update(members)


def with_definition(**members: Any) -> Callable[[Request], None]:
    return lambda request: request["TrainingJobDefinition"].update(members)


HYPERBAND = {"HyperbandStrategyConfig": {"MinResource": 9, "MaxResource": 3}}
MAXIMIZE = {"TuningObjective": {"Type": "Maximize", "MetricName": "loss"}}
GRID = {"CategoricalParameterRanges": [{"Name": "c", "Values": ["a", "b"]}]}
LIMITS = {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda request: request.pop("TrainingJobDefinition"), "Exactly one of TrainingJobDef"),
        (several({"DefinitionName": "a"}, {}), "Each of several TrainingJobDefinitions needs"),
        (several(*[{"DefinitionName": "a"}] * 2), "DefinitionName must be unique"),
        (
            several({"DefinitionName": "a"}, {"DefinitionName": "b", **MAXIMIZE}),
            "The Type of every TuningObjective must be the same.",
        ),
        (
            lambda request: config(request).pop("HyperParameterTuningJobObjective"),
            "An objective is required for each",
        ),
        (ranges(ContinuousParameterRanges=numbers("a", "1")), "must each be a number"),
        (ranges(ContinuousParameterRanges=numbers("0", "inf")), "must each be a number"),
        (ranges(IntegerParameterRanges=numbers("0.5", "99")), "must each be an integer"),
        (ranges(ContinuousParameterRanges=numbers("2", "1")), "must not be greater than MaxValue"),
        (
            ranges(ContinuousParameterRanges=numbers("0", "1", ScalingType="Logarithmic")),
            "ScalingType Logarithmic needs values greater than 0",
        ),
        (
            ranges(ContinuousParameterRanges=numbers("0", "1", ScalingType="ReverseLogarithmic")),
            "ScalingType ReverseLogarithmic needs a continuous range within 0 <= x < 1",
        ),
        (
            ranges(
                ContinuousParameterRanges=numbers("0", "1"),
                CategoricalParameterRanges=[{"Name": "x", "Values": ["a"]}],
            ),
            "Hyperparameter names must be unique among ranges and StaticHyperParameters: [x]",
        ),
        (with_definition(StaticHyperParameters={"lr": "1"}), "Hyperparameter names must be unique"),
        (
            ranges(
                ContinuousParameterRanges=[
                    {**numbers("0", "1")[0], "Name": f"{n}"} for n in range(30)
                ],
                IntegerParameterRanges=numbers("0", "1"),
            ),
            "At most 30 hyperparameters can be tuned, and there are 31.",
        ),
        (
            ranges(AutoParameters=[{"Name": "x", "ValueHint": "1"}]),
            "AutoParameters need Autotune",
        ),
        (
            with_config(ResourceLimits={"MaxParallelTrainingJobs": 1}),
            "MaxNumberOfTrainingJobs, MaxRuntimeInSeconds or TuningJobCompletionCriteria must be",
        ),
        (with_config(Strategy="Grid"), "Grid search takes categorical hyperparameters only."),
        (
            with_config(Strategy="Grid", ParameterRanges=GRID, ResourceLimits=LIMITS),
            "MaxNumberOfTrainingJobs of a grid search must equal the number of combinations, which "
            "is 2, and it is 1",
        ),
        (
            with_config(Strategy="Hyperband", TrainingJobEarlyStoppingType="Auto"),
            "TrainingJobEarlyStoppingType must be Off to use Hyperband.",
        ),
        (
            with_config(Strategy="Hyperband", StrategyConfig=HYPERBAND),
            "MinResource 9 must not be greater than MaxResource 3.",
        ),
        (
            with_config(StrategyConfig=HYPERBAND),
            "HyperbandStrategyConfig is for Strategy Hyperband",
        ),
        (
            lambda request: request["TrainingJobDefinition"].pop("ResourceConfig"),
            "Exactly one of ResourceConfig and HyperParameterTuningResourceConfig",
        ),
        (
            with_definition(AlgorithmSpecification={"TrainingInputMode": "File"}),
            "Exactly one of TrainingImage and AlgorithmName",
        ),
    ],
)
def test_what_is_wrong_is_told(change: Callable[[Request], object], message: str) -> None:
    request = right()
    change(request)
    assert any(message in each for each in found(request)), found(request)


@pytest.mark.parametrize(
    "change",
    [
        lambda request: None,
        several({"DefinitionName": "a"}, {"DefinitionName": "b"}),
        with_config(
            Strategy="Grid",
            ParameterRanges=GRID,
            ResourceLimits={**LIMITS, "MaxNumberOfTrainingJobs": 2},
        ),
        with_config(Strategy="Hyperband"),  # MaxResource is the static hyperparameter epochs
        ranges(ContinuousParameterRanges=numbers("0", "0.999", ScalingType="ReverseLogarithmic")),
        with_config(ResourceLimits={"MaxParallelTrainingJobs": 1, "MaxRuntimeInSeconds": 120}),
    ],
)
def test_what_is_right_is_let_through(change: Callable[[Request], object]) -> None:
    request = right()
    change(request)
    assert found(request) == []


@pytest.mark.parametrize(
    ("static", "most"),
    [({"n_epochs": '"7"'}, 7), ({"epochs": "2.0"}, 2), ({"epochs": "many"}, None), ({}, None)],
)
def test_max_resource_is_inferred(static: dict[str, str], most: int | None) -> None:
    assert tuning.max_resource({}, {"StaticHyperParameters": static}) == most


def test_resources_of_one_kind_are_taken_as_they_are() -> None:
    flexible = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 9}
    definition = {"HyperParameterTuningResourceConfig": flexible}
    assert tuning.resource_config(definition) == flexible
