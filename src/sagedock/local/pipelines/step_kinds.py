"""The steps that are calls of SageMaker: which operations they are, and what those answer.

Source of what endpoint and endpoint configuration steps are: the SDK v3's classes of these names,
and the model's metadata of steps; what is cached of them is unverified.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["CALLED", "Called", "Job"]


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a call started, and how it ends. ``status`` is the member of Describe that says so;
    ``stop`` is None for what cannot be stopped: it is waited for.
    """

    status: str
    done: str
    ended: frozenset[str]
    stop: str | None


@dataclass(frozen=True, kw_only=True)
class Called:
    """One kind of step. ``name`` is the member of the request that names what is created, None
    where the service names it; ``arn`` the one of the answer; ``metadata`` the step's record's.

    ``describe`` is called with ``described_by``, set to the name, or the ARN where the name is the
    service's.
    """

    create: str
    name: str | None
    arn: str
    metadata: str
    describe: str
    described_by: str
    job: Job | None = None
    #: Whether what is created is called just as its arguments say; else by a new name.
    keeps_name: bool = False
    #: The members of the request that decide whether an earlier result may be reused. Source:
    #: https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-default-keys.html
    cached_by: tuple[str, ...] = ()


def _called(noun: str, metadata: str, *cached_by: str) -> Called:
    """Return the kind of step that starts a job: its operations and members have the job's noun."""
    return Called(
        create=f"Create{noun}",
        name=f"{noun}Name",
        arn=f"{noun}Arn",
        metadata=metadata,
        describe=f"Describe{noun}",
        described_by=f"{noun}Name",
        job=Job(
            status=f"{noun}Status",
            done="Completed",
            ended=frozenset({"Completed", "Failed", "Stopped", "DeleteFailed"}),
            stop=f"Stop{noun}",
        ),
        cached_by=cached_by,
    )


CALLED: Mapping[str, Called] = MappingProxyType(
    {
        "Training": _called(
            *("TrainingJob", "TrainingJob", "AlgorithmSpecification", "CheckpointConfig"),
            *("DebugHookConfig", "DebugRuleConfigurations", "Environment", "HyperParameters"),
            "InputDataConfig",
        ),
        "Processing": _called(
            *("ProcessingJob", "ProcessingJob", "AppSpecification", "Environment"),
            "ProcessingInputs",
        ),
        "Tuning": _called(
            *("HyperParameterTuningJob", "TuningJob", "HyperParameterTuningJobConfig"),
            *("TrainingJobDefinition", "TrainingJobDefinitions"),
        ),
        "Transform": _called(
            *("TransformJob", "TransformJob", "DataProcessing", "Environment", "ModelName"),
            *("TransformInput", "BatchStrategy", "MaxConcurrentTransforms", "MaxPayloadInMB"),
            "TransformResources",
        ),
        "Model": Called(
            create="CreateModel",
            name="ModelName",
            arn="ModelArn",
            metadata="Model",
            describe="DescribeModel",
            described_by="ModelName",
        ),
        "RegisterModel": Called(
            create="CreateModelPackage",
            name=None,
            arn="ModelPackageArn",
            metadata="RegisterModel",
            describe="DescribeModelPackage",
            described_by="ModelPackageName",
        ),
        "EndpointConfig": Called(
            create="CreateEndpointConfig",
            name="EndpointConfigName",
            arn="EndpointConfigArn",
            metadata="EndpointConfig",
            describe="DescribeEndpointConfig",
            described_by="EndpointConfigName",
            cached_by=(
                *("AsyncInferenceConfig", "DataCaptureConfig", "EnableNetworkIsolation"),
                *("ExecutionRoleArn", "ExplainerConfig", "KmsKeyId", "MetricsConfig"),
                *("ProductionVariants", "ShadowProductionVariants", "VpcConfig"),
            ),
        ),
        "Endpoint": Called(
            create="CreateEndpoint",
            name="EndpointName",
            arn="EndpointArn",
            metadata="Endpoint",
            describe="DescribeEndpoint",
            described_by="EndpointName",
            job=Job(
                status="EndpointStatus",
                done="InService",
                ended=frozenset(
                    {"InService", "OutOfService", "Failed", "UpdateRollbackFailed", "Deleting"}
                ),
                stop=None,
            ),
            keeps_name=True,
            cached_by=("DeploymentConfig", "EndpointConfigName", "EndpointName"),
        ),
    }
)
