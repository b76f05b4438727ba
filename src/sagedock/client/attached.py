"""An estimator's parameters, read back from a job that exists."""

import json
from collections.abc import Mapping
from typing import Any

from sagedock.api import tuning
from sagedock.jobs import InstanceGroup, distribution_in

__all__ = ["parameters_of"]


def parameters_of(description: Mapping[str, Any]) -> dict[str, Any]:
    """Return the estimator parameters that make the job ``description`` (DescribeTrainingJob)."""
    algorithm = description["AlgorithmSpecification"]
    resources = description["ResourceConfig"]
    stopping = description["StoppingCondition"]
    output = description["OutputDataConfig"]
    network = description.get("VpcConfig", {})
    checkpoints = description.get("CheckpointConfig", {})
    found = {
        # It is absent from jobs that the estimator cannot make, but can follow and stop.
        "image_uri": algorithm.get("TrainingImage", ""),
        "instance_type": resources.get("InstanceType"),
        "instance_groups": [_group(each) for each in resources.get("InstanceGroups", ())],
        "role": description["RoleArn"],
        "instance_count": resources.get("InstanceCount"),
        "volume_size": resources.get("VolumeSizeInGB"),
        "volume_kms_key": resources.get("VolumeKmsKeyId"),
        "keep_alive_period_in_seconds": resources.get("KeepAlivePeriodInSeconds"),
        "input_mode": algorithm["TrainingInputMode"],
        "metric_definitions": algorithm.get("MetricDefinitions"),
        "container_entry_point": algorithm.get("ContainerEntrypoint"),
        "container_arguments": algorithm.get("ContainerArguments"),
        "output_path": output["S3OutputPath"],
        "output_kms_key": output.get("KmsKeyId") or None,
        "disable_output_compression": output.get("CompressionType") == "NONE" or None,
        "environment": description.get("Environment"),
        "max_run": stopping.get("MaxRuntimeInSeconds"),
        "max_wait": stopping.get("MaxWaitTimeInSeconds"),
        "max_retry_attempts": description.get("RetryStrategy", {}).get("MaximumRetryAttempts"),
        "use_spot_instances": description.get("EnableManagedSpotTraining"),
        "enable_network_isolation": description.get("EnableNetworkIsolation"),
        "encrypt_inter_container_traffic": description.get("EnableInterContainerTrafficEncryption"),
        "subnets": network.get("Subnets"),
        "security_group_ids": network.get("SecurityGroupIds"),
        "checkpoint_s3_uri": checkpoints.get("S3Uri"),
        "checkpoint_local_path": checkpoints.get("LocalPath"),
        **_program(_own(description.get("HyperParameters", {}))),
    }
    return {name: value for name, value in found.items() if value is not None}


def _group(described: Mapping[str, Any]) -> InstanceGroup:
    return InstanceGroup(
        instance_group_name=described["InstanceGroupName"],
        instance_type=described["InstanceType"],
        instance_count=described["InstanceCount"],
    )


def _own(sent: Mapping[str, str]) -> dict[str, str]:
    """Return the hyperparameters that the user gave, or had tuned."""
    return {name: value for name, value in sent.items() if name != tuning.METRIC_HYPERPARAMETER}


def _program(sent: Mapping[str, str]) -> dict[str, Any]:
    """Return hyperparameters as the user gave them, and the script if there was one."""
    if "sagemaker_program" not in sent:
        return {"hyperparameters": dict(sent)}
    values = {name: _value(text) for name, text in sent.items()}
    return {
        "entry_point": values["sagemaker_program"],
        "source_dir": values.get("sagemaker_submit_directory"),
        "distribution": distribution_in(values),
        "hyperparameters": {
            name: value for name, value in values.items() if not name.startswith("sagemaker_")
        },
    }


def _value(text: str) -> Any:
    """Return what a hyperparameter's text means to the training toolkit: JSON, else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
