"""CreateHyperParameterTuningJob: objective, limits, strategies, and the jobs that are launched."""

from collections.abc import Iterator

from sagedock.api import tuning
from sagedock.api.rules import training_algorithm, training_compute, training_data
from sagedock.api.rules.rule import BROKEN, Finding, Request, Rule, part, repeated
from sagedock.api.rules.sources import API, GITHUB, GUIDE

__all__ = ["CREATE_TUNING"]

_CONFIG = "HyperParameterTuningJobConfig"
_LIMITS = f"{_CONFIG}.ResourceLimits"


def _config(request: Request) -> Request:
    return part(request, _CONFIG)


def _limits(request: Request) -> Request:
    return part(_config(request), "ResourceLimits")


def _is(request: Request, strategy: str) -> bool:
    return bool(_config(request).get("Strategy") == strategy)


def _not_one_kind_of_definitions(request: Request) -> Finding:
    given = [
        name for name in ("TrainingJobDefinition", "TrainingJobDefinitions") if request.get(name)
    ]
    return BROKEN if len(given) != 1 else None


def _definitions_without_names(request: Request) -> Finding:
    several = request.get("TrainingJobDefinitions") or ()
    unnamed = [each for each in several if not each.get("DefinitionName")]
    return BROKEN if len(several) > 1 and unnamed else None


def _repeated_definitions(request: Request) -> Finding:
    several = request.get("TrainingJobDefinitions") or ()
    return repeated(each["DefinitionName"] for each in several if each.get("DefinitionName"))


def _missing_objective(request: Request) -> Finding:
    found = [tuning.objective(request, each) for each in tuning.definitions(request)]
    return BROKEN if not all(found) else None


def _mixed_objectives(request: Request) -> Finding:
    types = {
        tuning.objective(request, each).get("Type") for each in tuning.definitions(request)
    } - {None}
    return BROKEN if len(types) > 1 else None


def _undefined_objective(request: Request) -> Finding:
    for each in tuning.definitions(request):
        algorithm = part(each, "AlgorithmSpecification")
        defined = [metric["Name"] for metric in algorithm.get("MetricDefinitions") or ()]
        wanted = tuning.objective(request, each).get("MetricName")
        if wanted and algorithm.get("TrainingImage") and wanted not in defined:
            return BROKEN
    return None


def _too_few_combinations(request: Request) -> Finding:
    most = _limits(request).get("MaxNumberOfTrainingJobs")
    found = tuning.definitions(request)
    if most is None or not found:
        return None
    count = sum(tuning.combinations(tuning.ranges(request, each)) for each in found)
    return {"count": f"{float(count)}", "most": f"{most}"} if count < most else None


def _no_limit(request: Request) -> Finding:
    limits, config = _limits(request), _config(request)
    bounded = (
        limits.get("MaxNumberOfTrainingJobs") is not None
        or limits.get("MaxRuntimeInSeconds") is not None
        or part(config, "TuningJobCompletionCriteria")
        or request.get("Autotune")
    )
    return BROKEN if limits and not bounded and not _is(request, "Grid") else None


def _grid_of_numbers(request: Request) -> Finding:
    kinds = (tuning.RANGES["integer"], tuning.RANGES["continuous"], "AutoParameters")
    found = [tuning.ranges(request, each) for each in tuning.definitions(request)]
    numbers = any(each.get(kind) for each in found for kind in kinds)
    return BROKEN if _is(request, "Grid") and numbers else None


def _part_of_grid(request: Request) -> Finding:
    most = _limits(request).get("MaxNumberOfTrainingJobs")
    if most is None or not _is(request, "Grid") or _grid_of_numbers(request) is not None:
        return None
    found = tuning.definitions(request)
    count = sum(tuning.combinations(tuning.ranges(request, each)) for each in found)
    return {"count": f"{count:.0f}", "most": f"{most}"} if count > most else None


def _hyperband_stops_early(request: Request) -> Finding:
    stopping = _config(request).get("TrainingJobEarlyStoppingType")
    return BROKEN if _is(request, "Hyperband") and stopping == "Auto" else None


def _hyperband_without_resource(request: Request) -> Finding:
    unknown = [
        each for each in tuning.definitions(request) if tuning.max_resource(request, each) is None
    ]
    return BROKEN if _is(request, "Hyperband") and unknown else None


def _hyperband_resources_crossed(request: Request) -> Finding:
    if not _is(request, "Hyperband"):
        return None
    said = part(part(_config(request), "StrategyConfig"), "HyperbandStrategyConfig")
    least = said.get("MinResource", 1)
    for each in tuning.definitions(request):
        most = tuning.max_resource(request, each)
        if most is not None and least > most:
            return {"least": f"{least}", "most": f"{most}"}
    return None


def _config_of_other_strategy(request: Request) -> Finding:
    given = part(_config(request), "StrategyConfig").get("HyperbandStrategyConfig")
    strategy = _config(request).get("Strategy")
    return {"strategy": f"{strategy}"} if given and not _is(request, "Hyperband") else None


def _bad_range(request: Request) -> Finding:
    for each in tuning.definitions(request):
        for problem in _range_problems(tuning.ranges(request, each)):
            return {"problem": problem}
    return None


def _range_problems(found: Request) -> Iterator[str]:
    for kind in ("integer", "continuous"):
        for each in found.get(tuning.RANGES[kind]) or ():
            yield from _number_problems(each, whole=kind == "integer")


def _number_problems(each: Request, *, whole: bool) -> Iterator[str]:
    name, low, high = each["Name"], each["MinValue"], each["MaxValue"]
    least, most = tuning.number_of(low), tuning.number_of(high)
    if least is None or most is None or (whole and not (least % 1 == most % 1 == 0)):
        kind = "an integer" if whole else "a number"
        yield f"{name}: MinValue {low} and MaxValue {high} must each be {kind}"
    elif least > most:
        yield f"{name}: MinValue {low} must not be greater than MaxValue {high}"
    elif each.get("ScalingType") == "Logarithmic" and least <= 0:
        yield f"{name}: ScalingType Logarithmic needs values greater than 0, not {low}"
    elif each.get("ScalingType") == "ReverseLogarithmic" and (whole or not 0 <= least <= most < 1):
        yield (
            f"{name}: ScalingType ReverseLogarithmic needs a continuous range within 0 <= x < 1, "
            f"not {low} to {high}"
        )


def _repeated_hyperparameters(request: Request) -> Finding:
    for each in tuning.definitions(request):
        found = tuning.ranges(request, each)
        names = [
            one["Name"]
            for kind in (*tuning.RANGES.values(), "AutoParameters")
            for one in found.get(kind) or ()
        ]
        static = each.get("StaticHyperParameters") or {}
        if twice := repeated([*names, *(name for name in static if name in names)]):
            return twice
    return None


def _too_many_hyperparameters(request: Request) -> Finding:
    for each in tuning.definitions(request):
        found = tuning.ranges(request, each)
        count = sum(len(found.get(kind) or ()) for kind in tuning.RANGES.values())
        if count > _MOST_TUNED:
            return {"count": f"{count}"}
    return None


_MOST_TUNED = 30


def _auto_parameters_without_autotune(request: Request) -> Finding:
    found = [tuning.ranges(request, each) for each in tuning.definitions(request)]
    automatic = any(each.get("AutoParameters") for each in found)
    return BROKEN if automatic and not request.get("Autotune") else None


def _not_one_resource_config(request: Request) -> Finding:
    names = ("ResourceConfig", "HyperParameterTuningResourceConfig")
    for each in tuning.definitions(request):
        if len([name for name in names if each.get(name)]) != 1:
            return BROKEN
    return None


def _bad_training_job(request: Request) -> Finding:
    """Find what CreateTrainingJob would refuse of a job that is launched: row 93 is such a case."""
    for each in tuning.definitions(request):
        job = tuning.training_job(request, each, name="probe", values={})
        for rule in (*training_compute.RULES, *training_algorithm.RULES, *training_data.RULES):
            if (finding := rule.finding(job)) is not None:
                return {"text": rule.message.format_map(finding)}
    return None


CREATE_TUNING: tuple[Rule, ...] = (
    Rule(
        fields=("TrainingJobDefinition", "TrainingJobDefinitions"),
        finding=_not_one_kind_of_definitions,
        message=(
            "Exactly one of TrainingJobDefinition and TrainingJobDefinitions must be specified."
        ),
        source=API + "API_CreateHyperParameterTuningJob.html",
        verified=False,
    ),
    Rule(
        fields=("TrainingJobDefinitions",),
        finding=_definitions_without_names,
        message="Each of several TrainingJobDefinitions needs a DefinitionName.",
        source=API + "API_HyperParameterTrainingJobDefinition.html",
        verified=False,
    ),
    Rule(
        fields=("TrainingJobDefinitions",),
        finding=_repeated_definitions,
        message="DefinitionName must be unique among TrainingJobDefinitions: [{names}]",
        source=API + "API_HyperParameterTrainingJobDefinition.html",
        verified=False,
    ),
    Rule(
        fields=(f"{_CONFIG}.HyperParameterTuningJobObjective",),
        finding=_missing_objective,
        message=(
            "An objective is required for each training job definition: "
            "HyperParameterTuningJobObjective for a TrainingJobDefinition, TuningObjective in "
            "each of several TrainingJobDefinitions."
        ),
        source=API + "API_HyperParameterTuningJobObjective.html",
        verified=False,
    ),
    Rule(
        fields=("TrainingJobDefinitions",),
        finding=_mixed_objectives,
        message="The Type of every TuningObjective must be the same.",
        source=GUIDE + "multiple-algorithm-hpo.html",
        verified=False,
    ),
    Rule(
        fields=(f"{_CONFIG}.HyperParameterTuningJobObjective",),
        finding=_undefined_objective,
        message=(
            "A metric is required for this hyperparameter tuning job objective. Provide a metric "
            "in the metric definitions."
        ),
        source=GITHUB + "aws/amazon-sagemaker-examples/issues/1207",  # row 89
        verified=True,
    ),
    Rule(
        fields=(f"{_CONFIG}.ParameterRanges",),
        finding=_bad_range,
        message="Invalid hyperparameter range. {problem}.",
        source=API + "API_ContinuousParameterRange.html",
        verified=False,
    ),
    Rule(
        fields=(f"{_CONFIG}.ParameterRanges",),
        finding=_repeated_hyperparameters,
        message=(
            "Hyperparameter names must be unique among ranges and StaticHyperParameters: [{names}]"
        ),
        source=API + "API_ParameterRanges.html",
        verified=False,
    ),
    Rule(
        fields=(f"{_CONFIG}.ParameterRanges",),
        finding=_too_many_hyperparameters,
        message="At most 30 hyperparameters can be tuned, and there are {count}.",
        source=API + "API_ParameterRanges.html",
        verified=False,
    ),
    Rule(
        fields=(f"{_CONFIG}.ParameterRanges.AutoParameters", "Autotune"),
        finding=_auto_parameters_without_autotune,
        message="AutoParameters need Autotune with Mode Enabled.",
        source=API + "API_AutoParameter.html",
        verified=False,
    ),
    Rule(
        fields=(f"{_CONFIG}.ParameterRanges", f"{_LIMITS}.MaxNumberOfTrainingJobs"),
        finding=_too_few_combinations,
        message=(
            "You don't have enough combinations of hyperparameter ranges. The total number of "
            "hyperparameter combinations for the provided ranges [{count}] must be equal or "
            "greater than the value of MaxNumberOfJobs, [{most}]. Provide additional ranges."
        ),
        source=GITHUB + "aws/amazon-sagemaker-operator-for-k8s/issues/123",  # row 90
        verified=True,
    ),
    Rule(
        fields=(f"{_LIMITS}.MaxNumberOfTrainingJobs",),
        finding=_no_limit,
        message=(
            "MaxNumberOfTrainingJobs, MaxRuntimeInSeconds or TuningJobCompletionCriteria must be "
            "specified."
        ),
        source=GUIDE + "automatic-model-tuning-progress.html",
        verified=False,
    ),
    Rule(
        fields=(f"{_CONFIG}.ParameterRanges",),
        finding=_grid_of_numbers,
        message="Grid search takes categorical hyperparameters only.",
        source=GUIDE + "automatic-model-tuning-how-it-works.html",
        verified=False,
    ),
    Rule(
        fields=(f"{_LIMITS}.MaxNumberOfTrainingJobs",),
        finding=_part_of_grid,
        message=(
            "MaxNumberOfTrainingJobs of a grid search must equal the number of combinations, which "
            "is {count}, and it is {most}: leave it out, or correct it."
        ),
        source=GUIDE + "automatic-model-tuning-how-it-works.html",
        verified=False,
    ),
    Rule(
        fields=(f"{_CONFIG}.TrainingJobEarlyStoppingType",),
        finding=_hyperband_stops_early,
        message="TrainingJobEarlyStoppingType must be Off to use Hyperband.",
        source=API + "API_HyperParameterTuningJobConfig.html",
        verified=False,
    ),
    Rule(
        fields=(f"{_CONFIG}.StrategyConfig.HyperbandStrategyConfig",),
        finding=_hyperband_without_resource,
        message=(
            "MaxResource parameter is not provided and could not be inferred from provided static "
            "hyperparameters of TrainingJobDefinition."
        ),
        source=GITHUB + "awslabs/graphstorm/issues/1243",
        verified=True,
    ),
    Rule(
        fields=(f"{_CONFIG}.StrategyConfig.HyperbandStrategyConfig",),
        finding=_hyperband_resources_crossed,
        message="MinResource {least} must not be greater than MaxResource {most}.",
        source=API + "API_HyperbandStrategyConfig.html",
        verified=False,
    ),
    Rule(
        fields=(f"{_CONFIG}.StrategyConfig.HyperbandStrategyConfig",),
        finding=_config_of_other_strategy,
        message="HyperbandStrategyConfig is for Strategy Hyperband only, and it is {strategy}.",
        source=API + "API_HyperbandStrategyConfig.html",
        verified=False,
    ),
    Rule(
        fields=(
            "TrainingJobDefinition.ResourceConfig",
            "TrainingJobDefinition.HyperParameterTuningResourceConfig",
        ),
        finding=_not_one_resource_config,
        message=(
            "Exactly one of ResourceConfig and HyperParameterTuningResourceConfig must be "
            "specified in a training job definition."
        ),
        source=API + "API_HyperParameterTrainingJobDefinition.html",
        verified=False,
    ),
    Rule(
        fields=("TrainingJobDefinition",),
        finding=_bad_training_job,
        message="{text}",
        source=GITHUB + "aws/amazon-sagemaker-examples/issues/869",  # row 93
        verified=True,
    ),
)
