"""What DescribeTrainingJob answers at first: the request, with what AWS fills in."""

from collections.abc import Mapping
from typing import Any

from sagedock.local.caller import Caller
from sagedock.local.moments import epoch_s

__all__ = ["ANSWERED_FROM_REQUEST", "new_document", "training_job_arn"]

#: Members of the request that Describe echoes when they were sent.
ANSWERED_FROM_REQUEST = (
    "HyperParameters",
    "InputDataConfig",
    "VpcConfig",
    "CheckpointConfig",
    "DebugHookConfig",
    "DebugRuleConfigurations",
    "TensorBoardOutputConfig",
    "ExperimentConfig",
    "ProfilerConfig",
    "ProfilerRuleConfigurations",
    "Environment",
    "RetryStrategy",
    "RemoteDebugConfig",
    "InfraCheckConfig",
    "MlflowConfig",
    "ModelPackageConfig",
    "ServerlessJobConfig",
)
_DEFAULT_MAX_RUNTIME_S = 86400


def training_job_arn(caller: Caller, name: str) -> str:
    """Return the job's ARN. It keeps the name's case, as answers of 2023 and later do."""
    return caller.arn("training-job", name)


def new_document(request: Mapping[str, Any], arn: str, at: float) -> dict[str, Any]:
    """Return the first document of a job created ``at`` (epoch seconds)."""
    at = epoch_s(at)
    echoed = {name: request[name] for name in ANSWERED_FROM_REQUEST if name in request}
    if "InputDataConfig" in echoed:
        echoed["InputDataConfig"] = [_channel(channel) for channel in echoed["InputDataConfig"]]
    return {
        "TrainingJobName": request["TrainingJobName"],
        "TrainingJobArn": arn,
        "TrainingJobStatus": "InProgress",
        "SecondaryStatus": "Starting",
        "AlgorithmSpecification": {
            **request["AlgorithmSpecification"],
            "EnableSageMakerMetricsTimeSeries": request["AlgorithmSpecification"].get(
                "EnableSageMakerMetricsTimeSeries", False
            ),
        },
        "RoleArn": request["RoleArn"],
        # CompressionType is unverified: newer answers are said to carry it.
        "OutputDataConfig": {
            "KmsKeyId": "",
            "CompressionType": "GZIP",
            **request["OutputDataConfig"],
        },
        "ResourceConfig": request["ResourceConfig"],
        "StoppingCondition": {
            "MaxRuntimeInSeconds": _DEFAULT_MAX_RUNTIME_S,
            **request.get("StoppingCondition", {}),
        },
        "CreationTime": at,
        "LastModifiedTime": at,
        "SecondaryStatusTransitions": [
            {"Status": "Starting", "StartTime": at, "StatusMessage": "Starting the training job"}
        ],
        "EnableNetworkIsolation": request.get("EnableNetworkIsolation", False),
        "EnableInterContainerTrafficEncryption": request.get(
            "EnableInterContainerTrafficEncryption", False
        ),
        "EnableManagedSpotTraining": request.get("EnableManagedSpotTraining", False),
        "ProfilingStatus": _profiling_status(request),
        **echoed,
    }


def _channel(channel: Mapping[str, Any]) -> dict[str, Any]:
    return {"CompressionType": "None", "RecordWrapperType": "None", **channel}


def _profiling_status(request: Mapping[str, Any]) -> str:
    profiler = request.get("ProfilerConfig", {})
    on = "S3OutputPath" in profiler and not profiler.get("DisableProfiler", False)
    return "Enabled" if on else "Disabled"
