"""Requests that break no rule across fields, made from any that the model takes."""

import itertools
from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from sagedock.api.model import input_shape
from tests.conftest import IMAGE, ROLE
from tests.laws.model_requests import valid
from tests.unit.local.property_world import GROUP, OWN

__all__ = ["LOCAL_ONLY", "jobs", "mended"]

Request = dict[str, Any]

#: What AWS takes and the local SageMaker says it cannot carry out: how the wish begins, and why.
LOCAL_ONLY = {
    "ServerlessJobConfig": "there is no hub of models here",
    "ResourceConfig.InstancePreferences": "there is no fleet to choose from",
    "AlgorithmSpecification without TrainingImage": "algorithms by name are other resources",
    "ModelPackageConfig": "nothing is registered by a job that ends",
    "CheckpointConfig": "not carried out yet",
    "OutputDataConfig.CompressionType": "not carried out yet",
    "ResourceConfig with": "no machine runs hundreds of containers",
    "InputDataConfig[": "input modes and sources other than those of docs/reference",
}

_NOT_SERVERLESS = (
    *("AlgorithmSpecification", "ResourceConfig", "StoppingCondition"),
    "EnableManagedSpotTraining",
)
_NUMBERS = itertools.count(1)


def jobs() -> st.SearchStrategy[Request]:
    """CreateTrainingJob requests that AWS would take; one in ten has what is rare."""
    drawn = valid(input_shape("sagemaker", "CreateTrainingJob"), OWN)
    rare = st.sampled_from([True] + [False] * 9)
    return st.builds(_mended, drawn, rare)


def mended(operation: str, request: Request) -> Request:
    """Return a request of another operation without what excludes each other."""
    match operation:
        case "CreateHyperParameterTuningJob":
            return _tuning(request)
        case "UpdateTrainingJob" if len(request) == 1:
            return {**request, "RemoteDebugConfig": {}}
        case "DescribeLogGroups" if "logGroupNamePattern" in request:
            return _without(request, "logGroupNamePrefix")
        case "DescribeLogStreams" | "GetLogEvents" | "FilterLogEvents":
            one_group = _without({"logGroupName": GROUP, **request}, "logGroupIdentifier")
            by_time = request.get("orderBy") == "LastEventTime" or "logStreamNames" in request
            return _without(one_group, "logStreamNamePrefix") if by_time else one_group
    return request


#: Members of a definition that are made as those of a training job are.
_OF_TRAINING = (
    *("AlgorithmSpecification", "ResourceConfig", "StoppingCondition", "InputDataConfig"),
    *("OutputDataConfig", "VpcConfig", "EnableManagedSpotTraining"),
)
_TUNED = {"Name": "loss", "Regex": "loss=([0-9.]+)"}


def _tuning(request: Request) -> Request:
    """Return a tuning job of one training job at most, with what was drawn beside its ranges."""
    drawn = request.get("TrainingJobDefinition") or {}
    job = _mended({**drawn, "AlgorithmSpecification": {"TrainingInputMode": "File"}}, False)
    algorithm = {**job["AlgorithmSpecification"], "MetricDefinitions": [_TUNED]}
    definition = {
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": "s3://probe-bucket/out"},
        **{name: job[name] for name in _OF_TRAINING if name in job},
        "AlgorithmSpecification": algorithm,
    }
    config = {
        **_without(request["HyperParameterTuningJobConfig"], "StrategyConfig"),
        "Strategy": "Random",
        "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1},
        "ParameterRanges": {
            "ContinuousParameterRanges": [{"Name": "x", "MinValue": "0", "MaxValue": "1"}]
        },
    }
    made = {
        **_without(request, "TrainingJobDefinitions", "WarmStartConfig"),
        "HyperParameterTuningJobName": f"tune-{next(_NUMBERS):06}",
        "HyperParameterTuningJobConfig": config,
        "TrainingJobDefinition": definition,
    }
    return {**made, "Tags": _unique(made["Tags"], "Key")} if "Tags" in made else made


def _without(request: Request, *names: str) -> Request:
    return {name: value for name, value in request.items() if name not in names}


def _mended(request: Request, rare: bool) -> Request:
    request = {**request, "TrainingJobName": f"job-{next(_NUMBERS):06}"}
    if rare and "ServerlessJobConfig" in request:
        request = _without(request, *_NOT_SERVERLESS)
    else:
        request.pop("ServerlessJobConfig", None)
        request["AlgorithmSpecification"] = _algorithm(request, rare)
        request["ResourceConfig"] = _resources(request, rare)
        request["StoppingCondition"] = _limits(request)
    if not rare:
        request.pop("ModelPackageConfig", None)
    if "InputDataConfig" in request:
        request["InputDataConfig"] = _channels(request, rare)
    if "Tags" in request:
        request["Tags"] = _unique(request["Tags"], "Key")
    return request


def _algorithm(request: Request, rare: bool) -> Request:
    default = {"TrainingInputMode": "File"}
    algorithm = {**default, **request.get("AlgorithmSpecification", {})}
    if rare and "AlgorithmName" in algorithm:
        algorithm.pop("TrainingImage", None)
    else:
        algorithm.pop("AlgorithmName", None)
        algorithm["TrainingImage"] = IMAGE
    if "VpcConfig" not in request:
        algorithm.pop("TrainingImageConfig", None)
    if "MetricDefinitions" in algorithm:
        algorithm["MetricDefinitions"] = _unique(algorithm["MetricDefinitions"], "Name")
    return algorithm


def _resources(request: Request, rare: bool) -> Request:
    resources = dict(request.get("ResourceConfig", {}))
    for name in ("SelectedInstanceType", "SelectedInstanceCount"):
        resources.pop(name, None)
    spot = request.get("EnableManagedSpotTraining")
    if not (rare and not spot and "InstancePreferences" in resources):
        resources.pop("InstancePreferences", None)
    if "InstancePreferences" in resources:
        for name in ("InstanceType", "InstanceGroups", "InstancePlacementConfig"):
            resources.pop(name, None)
    elif resources.get("InstanceGroups"):
        resources["InstanceGroups"] = _unique(resources["InstanceGroups"], "InstanceGroupName")
        for name in ("InstanceType", "InstanceCount", "KeepAlivePeriodInSeconds"):
            resources.pop(name, None)
    else:
        resources = {"InstanceType": "ml.m5.large", "InstanceCount": 1, **resources}
    if spot:
        resources.pop("KeepAlivePeriodInSeconds", None)
    return resources


def _limits(request: Request) -> Request:
    limits = dict(request.get("StoppingCondition", {}))
    limits.pop("MaxWaitTimeInSeconds", None)
    # Long enough for a container that ends at once, on a machine that is busy.
    limits["MaxRuntimeInSeconds"] = max(60, limits.get("MaxRuntimeInSeconds", 60))
    if request.get("EnableManagedSpotTraining"):
        limits["MaxWaitTimeInSeconds"] = limits["MaxRuntimeInSeconds"]
    return limits


def _channels(request: Request, rare: bool) -> list[Request]:
    channels = _unique(request["InputDataConfig"], "ChannelName")
    groups = request.get("ResourceConfig", {}).get("InstanceGroups") or ()
    names = [group["InstanceGroupName"] for group in groups]
    default = request.get("AlgorithmSpecification", {}).get("TrainingInputMode")
    if {"Pipe", "FastFile"} <= {default, *(each.get("InputMode") for each in channels)}:
        channels = [{**channel, "InputMode": "File"} for channel in channels]
    rare = rare and "VpcConfig" in request
    return [_channel(channel, default, names[:1], rare) for channel in channels]


def _channel(channel: Request, default: str | None, groups: list[str], rare: bool) -> Request:
    mode = channel.get("InputMode", default)
    source = channel["DataSource"]
    if not (rare and source and mode == "File"):
        source = {"S3DataSource": source.get("S3DataSource") or _SOURCE}
    source = dict([next(iter(source.items()))])
    if s3 := source.get("S3DataSource"):
        source = {"S3DataSource": _s3_source(s3, mode, groups)}
    if mode != "Pipe":
        channel = _without(channel, "CompressionType", "RecordWrapperType")
    return {**channel, "DataSource": source}


def _s3_source(source: Request, mode: str | None, groups: list[str]) -> Request:
    modes = {"AugmentedManifestFile": ("Pipe",), "ManifestFile": ("Pipe", "File")}
    if mode not in modes.get(source["S3DataType"], (mode,)):
        source = _SOURCE
    if source["S3DataType"] == "AugmentedManifestFile":
        source = {**source, "AttributeNames": ["source-ref", "label"]}
    else:
        source = _without(source, "AttributeNames")
    source = _without(source, "InstanceGroupNames")
    return {**source, "InstanceGroupNames": groups} if groups else source


_SOURCE = {"S3DataType": "S3Prefix", "S3Uri": "s3://probe-bucket/data"}


def _unique(items: Iterable[Request], name: str) -> list[Request]:
    """Return ``items``, only the last of those with the same ``name``."""
    return list({str(item[name]): item for item in items}.values())
