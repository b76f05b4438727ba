"""The API's names of the parts of a job, and the words that our classes have for them."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

__all__ = ["remedy_of", "word_of"]

#: API path to the parameter of Estimator, Model, Processor or Transformer.
_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "AlgorithmSpecification": "image_uri",
        "AlgorithmSpecification.ContainerArguments": "container_arguments",
        "AlgorithmSpecification.ContainerEntrypoint": "container_entry_point",
        "AlgorithmSpecification.MetricDefinitions": "metric_definitions",
        "AlgorithmSpecification.TrainingImage": "image_uri",
        "AlgorithmSpecification.TrainingInputMode": "input_mode",
        "BatchStrategy": "strategy",
        "CheckpointConfig.LocalPath": "checkpoint_local_path",
        "CheckpointConfig.S3Uri": "checkpoint_s3_uri",
        "Containers": "containers",
        "DataCaptureConfig": "data_capture",
        "DataProcessing.InputFilter": "input_filter",
        "DataProcessing.JoinSource": "join_source",
        "DataProcessing.OutputFilter": "output_filter",
        "EnableInterContainerTrafficEncryption": "encrypt_inter_container_traffic",
        "EnableManagedSpotTraining": "use_spot_instances",
        "EnableNetworkIsolation": "enable_network_isolation",
        "EndpointConfigName": "endpoint_name",
        "EndpointName": "endpoint_name",
        "Environment": "environment",
        "ExecutionRoleArn": "role",
        "HyperParameters": "hyperparameters",
        "InferenceSpecification.Containers[0]": "image_uri, model_data",
        "InferenceSpecification.Containers[0].Environment": "environment",
        "InferenceSpecification.Containers[0].Image": "image_uri",
        "InferenceSpecification.Containers[0].ModelDataSource": "model_data",
        "InferenceSpecification.Containers[0].ModelDataUrl": "model_data",
        "InferenceSpecification.SupportedContentTypes": "content_types",
        "InferenceSpecification.SupportedRealtimeInferenceInstanceTypes": "inference_instances",
        "InferenceSpecification.SupportedResponseMIMETypes": "response_types",
        "InferenceSpecification.SupportedTransformInstanceTypes": "transform_instances",
        "HyperParameterTuningJobConfig.HyperParameterTuningJobObjective": "objective_metric_name",
        "HyperParameterTuningJobConfig.HyperParameterTuningJobObjective.Type": "objective_type",
        "HyperParameterTuningJobConfig.HyperParameterTuningJobObjective.MetricName": (
            "objective_metric_name"
        ),
        "HyperParameterTuningJobConfig.ParameterRanges": "hyperparameter_ranges",
        "HyperParameterTuningJobConfig.RandomSeed": "random_seed",
        "HyperParameterTuningJobConfig.ResourceLimits.MaxNumberOfTrainingJobs": "max_jobs",
        "HyperParameterTuningJobConfig.ResourceLimits.MaxParallelTrainingJobs": (
            "max_parallel_jobs"
        ),
        "HyperParameterTuningJobConfig.ResourceLimits.MaxRuntimeInSeconds": (
            "max_runtime_in_seconds"
        ),
        "HyperParameterTuningJobConfig.Strategy": "strategy",
        "HyperParameterTuningJobConfig.StrategyConfig": "strategy_config",
        "HyperParameterTuningJobConfig.StrategyConfig.HyperbandStrategyConfig": "strategy_config",
        "HyperParameterTuningJobConfig.TrainingJobEarlyStoppingType": "early_stopping_type",
        "HyperParameterTuningJobConfig.TuningJobCompletionCriteria": "completion_criteria_config",
        "HyperParameterTuningJobName": "job_name (or base_tuning_job_name)",
        "InputDataConfig": "inputs",
        "AppSpecification.ContainerArguments": "arguments",
        "AppSpecification.ContainerEntrypoint": "entrypoint",
        "AppSpecification.ImageUri": "image_uri",
        "AsyncInferenceConfig": "async_inference",
        "MaxConcurrentTransforms": "max_concurrent_transforms",
        "MaxPayloadInMB": "max_payload",
        "ModelClientConfig.InvocationsMaxRetries": "invocation_max_retries",
        "ModelClientConfig.InvocationsTimeoutInSeconds": "invocation_timeout",
        "ModelApprovalStatus": "approval",
        "ModelMetrics": "metrics",
        "ModelName": "name",
        "ModelPackageDescription": "description",
        "ModelPackageGroupDescription": "description",
        "ModelPackageGroupName": "group",
        "OutputDataConfig.CompressionType": "disable_output_compression",
        "OutputDataConfig.KmsKeyId": "output_kms_key",
        "OutputDataConfig.S3OutputPath": "output_path",
        "ParallelismConfiguration": "max_parallel_steps",
        "ParallelismConfiguration.MaxParallelExecutionSteps": "max_parallel_steps",
        "PipelineDefinition": "steps, parameters",
        "PipelineDescription": "description",
        "PipelineDisplayName": "display_name",
        "PipelineExecutionDisplayName": "display_name",
        "PipelineName": "name",
        "PipelineParameters": "parameters",
        "PrimaryContainer": "image_uri, model_data",
        "PrimaryContainer.Environment": "environment",
        "PrimaryContainer.Image": "image_uri",
        "PrimaryContainer.ModelDataSource": "model_data",
        "PrimaryContainer.ModelDataUrl": "model_data",
        "NetworkConfig.EnableInterContainerTrafficEncryption": "encrypt_inter_container_traffic",
        "NetworkConfig.EnableNetworkIsolation": "enable_network_isolation",
        "NetworkConfig.VpcConfig": "subnets, security_group_ids",
        "NetworkConfig.VpcConfig.SecurityGroupIds": "security_group_ids",
        "NetworkConfig.VpcConfig.Subnets": "subnets",
        "ProcessingInputs": "inputs",
        "ProcessingJobName": "job_name (or base_job_name)",
        "ProcessingOutputConfig.KmsKeyId": "output_kms_key",
        "ProcessingOutputConfig.Outputs": "outputs",
        "ProcessingResources.ClusterConfig": "instance_type",
        "ProcessingResources.ClusterConfig.InstanceCount": "instance_count",
        "ProcessingResources.ClusterConfig.InstanceType": "instance_type",
        "ProcessingResources.ClusterConfig.VolumeKmsKeyId": "volume_kms_key",
        "ProcessingResources.ClusterConfig.VolumeSizeInGB": "volume_size_in_gb",
        "ProductionVariants[0].InitialInstanceCount": "initial_instance_count",
        "ProductionVariants[0].ModelName": "name",
        "ProductionVariants[0].InstanceType": "instance_type",
        "ProductionVariants[0].ServerlessConfig": "serverless",
        "ProductionVariants[0].VolumeSizeInGB": "volume_size",
        "ResourceConfig": "instance_type, instance_count",
        "ResourceConfig.InstanceCount": "instance_count",
        "ResourceConfig.InstanceGroups": "instance_groups",
        "ResourceConfig.InstanceType": "instance_type",
        "ResourceConfig.KeepAlivePeriodInSeconds": "keep_alive_period_in_seconds",
        "ResourceConfig.VolumeKmsKeyId": "volume_kms_key",
        "ResourceConfig.VolumeSizeInGB": "volume_size",
        "RoleArn": "role",
        "StaticHyperParameters": "hyperparameters",
        "StoppingCondition": "max_run, max_wait",
        "StoppingCondition.MaxRuntimeInSeconds": "max_run",
        "StoppingCondition.MaxWaitTimeInSeconds": "max_wait",
        "RetryStrategy.MaximumRetryAttempts": "max_retry_attempts",
        "Tags": "tags",
        "TrainingJobName": "job_name (or base_job_name)",
        "TransformInput.CompressionType": "compression_type",
        "TransformInput.ContentType": "content_type",
        "TransformInput.DataSource.S3DataSource.S3DataType": "data_type",
        "TransformInput.DataSource.S3DataSource.S3Uri": "data",
        "TransformInput.SplitType": "split_type",
        "TransformJobName": "job_name (or base_job_name)",
        "TransformOutput.Accept": "accept",
        "TransformOutput.AssembleWith": "assemble_with",
        "TransformOutput.KmsKeyId": "output_kms_key",
        "TransformOutput.S3OutputPath": "output_path",
        "TransformResources.InstanceCount": "instance_count",
        "TransformResources.InstanceType": "instance_type",
        "TransformResources.VolumeKmsKeyId": "volume_kms_key",
        "TrainingJobDefinition": "estimator",
        "VpcConfig": "subnets, security_group_ids",
        "VpcConfig.SecurityGroupIds": "security_group_ids",
        "VpcConfig.Subnets": "subnets",
        "WarmStartConfig": "warm_start_config",
    }
)
#: The same for what follows ``InputDataConfig[n]``: the fields of Channel and FileSystemChannel.
_CHANNEL_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "CompressionType": "compression",
        "ContentType": "content_type",
        "DataSource": "s3_data",
        "DataSource.FileSystemDataSource.DirectoryPath": "directory_path",
        "DataSource.FileSystemDataSource.FileSystemAccessMode": "file_system_access_mode",
        "DataSource.FileSystemDataSource.FileSystemId": "file_system_id",
        "DataSource.FileSystemDataSource.FileSystemType": "file_system_type",
        "DataSource.S3DataSource": "s3_data",
        "DataSource.S3DataSource.AttributeNames": "attribute_names",
        "DataSource.S3DataSource.InstanceGroupNames": "instance_groups",
        "DataSource.S3DataSource.S3DataDistributionType": "distribution",
        "DataSource.S3DataSource.S3DataType": "s3_data_type",
        "DataSource.S3DataSource.S3Uri": "s3_data",
        "InputMode": "input_mode",
        "RecordWrapperType": "record_wrapping",
        "ShuffleConfig.Seed": "shuffle_seed",
    }
)
#: What jobs of one kind call otherwise, by the member that names such a job.
_OTHER_WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "ProcessingJobName": {
            "Environment": "env",
            "StoppingCondition": "max_runtime_in_seconds",
            "StoppingCondition.MaxRuntimeInSeconds": "max_runtime_in_seconds",
        }
    }
)
#: The same for what follows an entry of ProcessingInputs or Outputs: the fields of ProcessingInput
#: and ProcessingOutput.
_MOVED_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "AppManaged": "app_managed",
        "S3Input.LocalPath": "destination",
        "S3Input.S3CompressionType": "s3_compression_type",
        "S3Input.S3DataDistributionType": "s3_data_distribution_type",
        "S3Input.S3DataType": "s3_data_type",
        "S3Input.S3InputMode": "s3_input_mode",
        "S3Input.S3Uri": "source",
        "S3Output.LocalPath": "source",
        "S3Output.S3UploadMode": "s3_upload_mode",
        "S3Output.S3Uri": "destination",
    }
)
_TYPE = (
    'give one such as ml.m5.large; to run on this machine keep it, and use Session(target="local")'
)
_NAME = "use letters, digits and single hyphens, at most 63 in all"
#: What to do, for the parameters that go wrong most.
_REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        "AlgorithmSpecification.TrainingImage": "give <account>.dkr.ecr.<region>.amazonaws.com/"
        "<repository>:<tag>",
        "CheckpointConfig.S3Uri": "give s3://bucket/prefix/",
        "EndpointConfigName": _NAME,
        "EndpointName": _NAME,
        "ModelName": _NAME,
        "ModelPackageGroupName": _NAME,
        "PipelineExecutionDisplayName": "use letters, digits and single hyphens, at most 82 in all",
        "PipelineName": "use letters, digits and single hyphens, at most 256 in all",
        "OutputDataConfig.S3OutputPath": "give s3://bucket/prefix/",
        "ProcessingResources.ClusterConfig.InstanceType": _TYPE,
        "ResourceConfig.InstanceType": _TYPE,
        "TransformResources.InstanceType": _TYPE,
        "ProductionVariants[0].ModelName": _NAME,
        "ProcessingJobName": _NAME,
        "RoleArn": "give the role's full ARN, arn:aws:iam::<account>:role/<name>",
        "TrainingJobName": _NAME,
        "HyperParameterTuningJobName": "use letters, digits and single hyphens, at most 32 in all",
    }
)
#: Where a tuning job's request has what a training job's has at its top.
_OF_TUNING = "TrainingJobDefinition."
_CHANNEL = re.compile(r"InputDataConfig\[(?P<index>\d+)\]\.?(?P<rest>.*)")

_MOVED = re.compile(
    r"(?P<list>ProcessingInputs|ProcessingOutputConfig\.Outputs)\[(?P<index>\d+)\]\.?(?P<rest>.*)"
)


def word_of(member: str, request: Mapping[str, Any]) -> str:
    """Return the estimator's word for an API path such as ``ResourceConfig.InstanceType``.

    What the estimator has no word for keeps the API's name, and is reached with ``extra``.
    """
    if member.startswith(_OF_TUNING):
        return word_of(member.removeprefix(_OF_TUNING), request.get("TrainingJobDefinition", {}))
    if channel := _CHANNEL.fullmatch(member):
        name = request["InputDataConfig"][int(channel["index"])].get("ChannelName")
        word = f"inputs[{name!r}]"
        rest = channel["rest"]
        if rest in ("", "ChannelName"):
            return word
        return f"{word}.{_longest(rest, _CHANNEL_WORDS) or rest}"
    if moved := _MOVED.fullmatch(member):
        return _moved_word(request, moved["list"], int(moved["index"]), moved["rest"])
    if member == "ProductionVariants" and any("ServerlessConfig" in x for x in request[member]):
        return "serverless"
    others = next((_OTHER_WORDS[name] for name in request if name in _OTHER_WORDS), {})
    return _longest(member, {**_WORDS, **others}) or f"extra {member}"


def _moved_word(request: Mapping[str, Any], where: str, index: int, rest: str) -> str:
    """Return the word for a part of an input or output of a processing job."""
    is_input = where == "ProcessingInputs"
    entries = request[where] if is_input else request["ProcessingOutputConfig"]["Outputs"]
    key = "InputName" if is_input else "OutputName"
    word = f"{'inputs' if is_input else 'outputs'}[{entries[index].get(key)!r}]"
    if rest in ("", key):
        return word
    return f"{word}.{_longest(rest, _MOVED_WORDS) or rest}"


def remedy_of(member: str) -> str:
    """Return what to do about a wrong value, or nothing where the demand says it all."""
    return _REMEDIES.get(member.removeprefix(_OF_TUNING), "")


def _longest(member: str, words: Mapping[str, str]) -> str:
    """Return the word for the longest known start of ``member``, and what follows it."""
    known = [
        path for path in words if member == path or member.startswith((f"{path}.", f"{path}["))
    ]
    if not known:
        return ""
    path = max(known, key=len)
    # A structure's word stands for the whole of it, so no member of it can follow.
    if member[len(path) :].startswith(".") and any(w.startswith(f"{path}.") for w in words):
        return ""
    return words[path] + member[len(path) :]
