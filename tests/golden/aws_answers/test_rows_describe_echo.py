"""What a request says, Describe says again: every member, to the last character.

Describe has the members that the service's model gives it; rows 124 to 128 are what it fills in.
"""

from typing import Any

from tests.conftest import ACCOUNT, BUCKET, IMAGE, REGION, Local

S3 = f"s3://{BUCKET}/debug"
HYPERPARAMETERS = {
    "k" * 256: "v" * 2500,
    "": "",
    "quoted": '"\\{}[]:,',
    "unicode": "é😀\u00a0",
    **{f"key-{number}": str(number) for number in range(96)},
}
RULE = {
    "RuleConfigurationName": "VanishingGradient",
    "RuleEvaluatorImage": "895741380848.dkr.ecr.us-west-2.amazonaws.com/sagemaker-debugger-rules:1",
    "RuleParameters": {"rule_to_invoke": "VanishingGradient"},
    "InstanceType": "ml.t3.medium",
    "VolumeSizeInGB": 0,
    "S3OutputPath": f"{S3}/rules",
    "LocalPath": "/opt/ml/rules",
}
EVERYTHING: dict[str, Any] = {
    "HyperParameters": HYPERPARAMETERS,
    "AlgorithmSpecification": {
        "TrainingImage": IMAGE,
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
        "EnableSageMakerMetricsTimeSeries": True,
        "ContainerEntrypoint": ["python3", "train.py"],
        "ContainerArguments": ["--epochs", "3"],
        "TrainingImageConfig": {"TrainingRepositoryAccessMode": "Platform"},
    },
    "OutputDataConfig": {
        "S3OutputPath": f"s3://{BUCKET}/out",
        "KmsKeyId": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd",
        "CompressionType": "GZIP",
    },
    "ResourceConfig": {
        "InstanceType": "ml.m5.large",
        "InstanceCount": 2,
        "VolumeSizeInGB": 30,
        "VolumeKmsKeyId": "1234abcd",
        "KeepAlivePeriodInSeconds": 0,
    },
    "VpcConfig": {"SecurityGroupIds": ["sg-1", "sg-2"], "Subnets": ["subnet-1"]},
    "StoppingCondition": {"MaxRuntimeInSeconds": 3600, "MaxPendingTimeInSeconds": 7200},
    "EnableNetworkIsolation": True,
    "EnableInterContainerTrafficEncryption": True,
    "DebugHookConfig": {
        "S3OutputPath": S3,
        "LocalPath": "/opt/ml/output/tensors",
        "HookParameters": {"save_interval": "100"},
        "CollectionConfigurations": [
            {"CollectionName": "losses", "CollectionParameters": {"train.save_steps": "1,2"}},
            {},
        ],
    },
    "DebugRuleConfigurations": [RULE],
    "TensorBoardOutputConfig": {"S3OutputPath": S3, "LocalPath": "/opt/ml/output/tensorboard"},
    "ExperimentConfig": {"ExperimentName": "e", "TrialName": "t", "RunName": "r"},
    "ProfilerConfig": {
        "S3OutputPath": S3,
        "ProfilingIntervalInMilliseconds": 500,
        "ProfilingParameters": {"DataloaderProfilingConfig": '{"StartStep": 7}'},
        "DisableProfiler": False,
    },
    "ProfilerRuleConfigurations": [{**RULE, "RuleConfigurationName": "ProfilerReport"}],
    "Environment": {"PLAIN": "x", "LINES": "a\nb\r\n", "_long": "é" * 512},
    "RetryStrategy": {"MaximumRetryAttempts": 30},
    "RemoteDebugConfig": {"EnableRemoteDebug": True},
    "InfraCheckConfig": {"EnableInfraCheck": True},
    "SessionChainingConfig": {"EnableSessionTagChaining": True},
    "MlflowConfig": {
        "MlflowResourceArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:mlflow-tracking-server/m",
        "MlflowExperimentName": "e",
    },
    "Tags": [{"Key": "team", "Value": "a b"}],
}
#: Described elsewhere, or not at all.
NOT_DESCRIBED = {"Tags", "SessionChainingConfig"}


def test_everything_that_was_sent_is_described(local: Local) -> None:
    local.client("s3").put_object(Bucket=BUCKET, Key="data/a", Body=b"1")
    local.client("sagemaker").create_experiment(ExperimentName="e")
    local.client("sagemaker").create_trial(TrialName="t", ExperimentName="e")
    channel = local.channel(
        f"s3://{BUCKET}/data/",
        ContentType="text/csv; charset=utf-8",
        CompressionType="None",
        RecordWrapperType="None",
        InputMode="File",
        ShuffleConfig={"Seed": -(2**63)},
    )
    job = local.run(lambda _: 0, **EVERYTHING, InputDataConfig=[channel])
    assert job["TrainingJobStatus"] == "Completed"
    sent = {**EVERYTHING, "InputDataConfig": [channel]}
    described = {name: job[name] for name in sent if name in job}
    assert described == {name: sent[name] for name in sent if name not in NOT_DESCRIBED}
    assert job["ProfilingStatus"] == "Enabled"
    tags = local.client("sagemaker").list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]
    assert tags == EVERYTHING["Tags"]


def test_what_was_not_sent_is_not_described(local: Local) -> None:
    """Rows 124 to 126, and 128: no optional member appears by itself but those."""
    job = local.run(
        lambda _: 0, StoppingCondition={}, OutputDataConfig={"S3OutputPath": "s3://b/o"}
    )
    answered = set(job) - {"ResponseMetadata"}
    assert answered == {
        *("TrainingJobName", "TrainingJobArn", "TrainingJobStatus", "SecondaryStatus"),
        *("AlgorithmSpecification", "RoleArn", "OutputDataConfig", "ResourceConfig"),
        *("StoppingCondition", "CreationTime", "LastModifiedTime", "TrainingStartTime"),
        *("TrainingEndTime", "TrainingTimeInSeconds", "BillableTimeInSeconds"),
        *("SecondaryStatusTransitions", "ModelArtifacts", "EnableNetworkIsolation"),
        "ProfilingStatus",
        *("EnableInterContainerTrafficEncryption", "EnableManagedSpotTraining"),
    }
    assert job["StoppingCondition"] == {"MaxRuntimeInSeconds": 86400}
    assert job["OutputDataConfig"] == {
        "S3OutputPath": "s3://b/o",
        "KmsKeyId": "",
        "CompressionType": "GZIP",
    }


def test_summaries_have_an_end_only_once_there_is_one(local: Local) -> None:
    local.engine.program = lambda container: 0 if container.terminated.wait(60) else 1
    sagemaker = local.client("sagemaker")
    sagemaker.create_training_job(**local.job())
    local.until("probe-1", lambda job: job["SecondaryStatus"] == "Training")
    (running,) = sagemaker.list_training_jobs()["TrainingJobSummaries"]
    sagemaker.stop_training_job(TrainingJobName="probe-1")
    local.ended("probe-1")
    (ended,) = sagemaker.list_training_jobs()["TrainingJobSummaries"]
    always = {
        *("TrainingJobName", "TrainingJobArn", "CreationTime", "LastModifiedTime"),
        *("TrainingJobStatus", "SecondaryStatus"),
    }
    assert (set(running), set(ended)) == (always, always | {"TrainingEndTime"})
    assert (running["TrainingJobStatus"], ended["TrainingJobStatus"]) == ("InProgress", "Stopped")
