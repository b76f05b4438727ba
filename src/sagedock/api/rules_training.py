"""The rules of CreateTrainingJob across its fields."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sagedock.api.rule import BROKEN, Finding, Request, Rule

__all__ = ["CREATE_TRAINING_JOB"]

_API = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/"
_GUIDE = "https://docs.aws.amazon.com/sagemaker/latest/dg/"
_GITHUB = "https://github.com/"

# What Docker takes for an image: [host/]repository[:tag][@digest].
_IMAGE = re.compile(
    r"((?P<host>[a-zA-Z0-9-]+(\.[a-zA-Z0-9-]+)+(:\d+)?|localhost(:\d+)?)/)?"
    r"[a-z0-9]+([._/-]+[a-z0-9]+)*(:\w[\w.-]{0,127})?(@sha256:[0-9a-f]{64})?",
    re.ASCII,
)
_ECR = re.compile(r"\d{12}\.dkr[.-]ecr(-fips)?\.[a-z0-9-]+\.(amazonaws\.com|on\.aws)[a-z.]*")


def _part(request: Request, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = request.get(name) or {}
    return found


def _channels(request: Request) -> list[Mapping[str, Any]]:
    return list(request.get("InputDataConfig") or ())


def _missing(name: str) -> Rule:
    """Return the rule that ``name`` must be there, unless the job is a serverless one."""

    def finding(request: Request) -> Finding:
        given = request.get(name) is not None or request.get("ServerlessJobConfig") is not None
        return None if given else BROKEN

    path = name[:1].lower() + name[1:]
    return Rule(
        fields=(name,),
        finding=finding,
        message=(
            f"1 validation error detected: Value null at '{path}' failed to satisfy constraint: "
            "Member must not be null"
        ),
        source=_API + "API_CreateTrainingJob.html",
        verified=False,
    )


def _wait_without_spot(request: Request) -> Finding:
    waits = _part(request, "StoppingCondition").get("MaxWaitTimeInSeconds") is not None
    return BROKEN if waits and not request.get("EnableManagedSpotTraining") else None


def _spot_wait_too_short(request: Request) -> Finding:
    if not request.get("EnableManagedSpotTraining"):
        return None
    limits = _part(request, "StoppingCondition")
    wait, run = limits.get("MaxWaitTimeInSeconds"), limits.get("MaxRuntimeInSeconds")
    return BROKEN if wait is None or (run is not None and wait < run) else None


def _pipe_and_fast_file(request: Request) -> Finding:
    default = _part(request, "AlgorithmSpecification").get("TrainingInputMode")
    modes = {channel.get("InputMode") or default for channel in _channels(request)}
    return BROKEN if {"Pipe", "FastFile"} <= modes else None


def _repeated(names: Iterable[str]) -> Finding:
    twice = [name for name, count in Counter(names).items() if count > 1]
    return {"names": ", ".join(twice)} if twice else None


def _repeated_channels(request: Request) -> Finding:
    return _repeated(channel["ChannelName"] for channel in _channels(request))


def _repeated_metrics(request: Request) -> Finding:
    metrics = _part(request, "AlgorithmSpecification").get("MetricDefinitions") or ()
    return _repeated(metric["Name"] for metric in metrics)


def _image_or_algorithm(request: Request) -> Finding:
    algorithm = _part(request, "AlgorithmSpecification")
    given = [name for name in ("TrainingImage", "AlgorithmName") if algorithm.get(name)]
    return BROKEN if request.get("AlgorithmSpecification") and len(given) != 1 else None


def _malformed_image(request: Request) -> Finding:
    image = _part(request, "AlgorithmSpecification").get("TrainingImage")
    return BROKEN if image and not _IMAGE.fullmatch(image) else None


def _foreign_image(request: Request) -> Finding:
    algorithm = _part(request, "AlgorithmSpecification")
    image = _IMAGE.fullmatch(algorithm.get("TrainingImage") or "")
    mode = _part(algorithm, "TrainingImageConfig").get("TrainingRepositoryAccessMode")
    foreign = image and not _ECR.fullmatch(image["host"] or "")
    return BROKEN if foreign and mode != "Vpc" else None


def _vpc_image_without_vpc(request: Request) -> Finding:
    algorithm = _part(request, "AlgorithmSpecification")
    mode = _part(algorithm, "TrainingImageConfig").get("TrainingRepositoryAccessMode")
    return BROKEN if mode == "Vpc" and not request.get("VpcConfig") else None


def _groups_and_type(request: Request) -> Finding:
    resources = _part(request, "ResourceConfig")
    single = resources.get("InstanceType") or resources.get("InstanceCount")
    return BROKEN if resources.get("InstanceGroups") and single else None


def _neither_groups_nor_type(request: Request) -> Finding:
    resources = _part(request, "ResourceConfig")
    ways = (resources.get("InstanceGroups"), resources.get("InstancePreferences"))
    single = resources.get("InstanceType") and resources.get("InstanceCount")
    return (
        BROKEN if request.get("ResourceConfig") is not None and not (single or any(ways)) else None
    )


def _some_channels_in_groups(request: Request) -> Finding:
    sources = {
        channel["ChannelName"]: _part(_part(channel, "DataSource"), "S3DataSource")
        for channel in _channels(request)
    }
    placed = [name for name, source in sources.items() if source.get("InstanceGroupNames")]
    others = [name for name in sources if name not in placed]
    if not placed or not others:
        return None
    return {"placed": ", ".join(placed), "others": ", ".join(others)}


def _channel_without_source(request: Request) -> Finding:
    empty = [
        channel["ChannelName"]
        for channel in _channels(request)
        if not any(_part(channel, "DataSource").values())
    ]
    return {"names": ", ".join(empty)} if empty else None


def _warm_spot(request: Request) -> Finding:
    kept = _part(request, "ResourceConfig").get("KeepAlivePeriodInSeconds")
    return BROKEN if kept and request.get("EnableManagedSpotTraining") else None


CREATE_TRAINING_JOB: tuple[Rule, ...] = (
    _missing("AlgorithmSpecification"),
    _missing("ResourceConfig"),
    _missing("StoppingCondition"),
    Rule(
        fields=("StoppingCondition.MaxWaitTimeInSeconds", "EnableManagedSpotTraining"),
        finding=_wait_without_spot,
        message=(
            "Invalid MaxWaitTimeInSeconds. It is only supported when EnableManagedSpotTraining is "
            "set to true"
        ),
        source=_GITHUB + "Kenza-AI/sagify/issues/111",  # aws-answers row 14
        verified=True,
    ),
    Rule(
        fields=("StoppingCondition", "EnableManagedSpotTraining"),
        finding=_spot_wait_too_short,
        message=(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to "
            "MaxRuntimeInSeconds"
        ),
        source=_API + "API_StoppingCondition.html",
        verified=False,
    ),
    Rule(
        fields=("AlgorithmSpecification.TrainingInputMode", "InputDataConfig"),
        finding=_pipe_and_fast_file,
        message=(
            "Cannot use both 'Pipe' and 'FastFile' TrainingInputMode on the same Training Job."
        ),
        source=_API + "API_Channel.html",  # aws-answers row 153 of the pipelines
        verified=True,
    ),
    Rule(
        fields=("InputDataConfig",),
        finding=_repeated_channels,
        message="Duplicate channel names are not allowed: [{names}]",
        source=_API + "API_Channel.html",
        verified=False,
    ),
    Rule(
        fields=("InputDataConfig",),
        finding=_channel_without_source,
        message="A data source must be specified for each channel: [{names}]",
        source=_API + "API_DataSource.html",
        verified=False,
    ),
    Rule(
        fields=("InputDataConfig", "ResourceConfig.InstanceGroups"),
        finding=_some_channels_in_groups,
        message=(
            "Some channels have assigned instance groups: [{placed}] while others not: [{others}]"
        ),
        source=_GITHUB + "aws/sagemaker-python-sdk/issues/5225",
        verified=True,
    ),
    Rule(
        fields=("AlgorithmSpecification",),
        finding=_image_or_algorithm,
        message="Exactly one of TrainingImage and AlgorithmName must be specified.",
        source=_API + "API_AlgorithmSpecification.html",
        verified=False,
    ),
    Rule(
        fields=("AlgorithmSpecification.MetricDefinitions",),
        finding=_repeated_metrics,
        message="Metric names must be unique: [{names}]",
        source=_GUIDE + "training-metrics.html",
        verified=False,
    ),
    Rule(
        fields=("AlgorithmSpecification.TrainingImage",),
        finding=_malformed_image,
        message=(
            "Invalid training image. Please provide a valid Amazon Elastic Container Registry path "
            "of the Docker image to run."
        ),
        source=_GITHUB + "aws/sagemaker-python-sdk/issues/2063",  # aws-answers row 177
        verified=True,
    ),
    Rule(
        fields=(
            "AlgorithmSpecification.TrainingImage",
            "AlgorithmSpecification.TrainingImageConfig",
        ),
        finding=_foreign_image,
        message=(
            "TrainingImageConfig with TrainingRepositoryAccessMode set to VPC must be provided "
            "when using a training image from a private Docker registry. Please provide"
            "TrainingImageConfig and TrainingRepositoryAccessMode set to VPC when using a "
            "training image from a private Docker registry."
        ),
        source=_GITHUB
        + "zenml-io/zenml/issues/3749",  # aws-answers row 18; a blank is missing there
        verified=True,
    ),
    Rule(
        fields=("AlgorithmSpecification.TrainingImageConfig", "VpcConfig"),
        finding=_vpc_image_without_vpc,
        message=("VpcConfig must be provided when TrainingRepositoryAccessMode is set to Vpc."),
        source=_API + "API_TrainingImageConfig.html",
        verified=False,
    ),
    Rule(
        fields=("ResourceConfig",),
        finding=_groups_and_type,
        message="InstanceType or InstanceCount cannot be specified with InstanceGroups",
        source=_GITHUB + "aws/sagemaker-python-sdk/pull/5564",
        verified=True,
    ),
    Rule(
        fields=("ResourceConfig",),
        finding=_neither_groups_nor_type,
        message="InstanceType and InstanceCount must be specified, or InstanceGroups",
        source=_API + "API_ResourceConfig.html",
        verified=False,
    ),
    Rule(
        fields=("ResourceConfig.KeepAlivePeriodInSeconds", "EnableManagedSpotTraining"),
        finding=_warm_spot,
        message="KeepAlivePeriodInSeconds is not supported when EnableManagedSpotTraining is true",
        source=_GUIDE + "train-warm-pools.html",
        verified=False,
    ),
)
