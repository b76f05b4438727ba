"""A CreateTrainingJob request in which nothing is wrong."""

from typing import Any

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/train:1.0"


def channel(name: str = "train", **changes: Any) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://bucket/{name}"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, **changes}


def request(**changes: Any) -> dict[str, Any]:
    """Return the request with whole members replaced, or left out where they are None."""
    members = {
        "TrainingJobName": "job",
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": "arn:aws:iam::123456789012:role/service-role/train",
        "InputDataConfig": [channel()],
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 10,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        **changes,
    }
    return {name: value for name, value in members.items() if value is not None}
