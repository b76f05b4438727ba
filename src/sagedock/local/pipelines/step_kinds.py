"""The steps that are calls of SageMaker: which operations they are, and what those answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["CALLED", "Called", "Job"]


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a call started, and how it ends. ``status`` is the member of Describe that says so."""

    status: str
    done: str
    ended: frozenset[str]
    stop: str


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
    #: The members of the request that decide whether an earlier result may be reused. Source:
    #: https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-default-keys.html
    cached_by: tuple[str, ...] = ()


def _job(status: str, stop: str) -> Job:
    return Job(
        status=status,
        done="Completed",
        ended=frozenset({"Completed", "Failed", "Stopped", "DeleteFailed"}),
        stop=stop,
    )


CALLED: Mapping[str, Called] = MappingProxyType(
    {
        "Training": Called(
            create="CreateTrainingJob",
            name="TrainingJobName",
            arn="TrainingJobArn",
            metadata="TrainingJob",
            describe="DescribeTrainingJob",
            described_by="TrainingJobName",
            job=_job("TrainingJobStatus", "StopTrainingJob"),
            cached_by=(
                *("AlgorithmSpecification", "CheckpointConfig", "DebugHookConfig"),
                *("DebugRuleConfigurations", "Environment", "HyperParameters", "InputDataConfig"),
            ),
        ),
        "Processing": Called(
            create="CreateProcessingJob",
            name="ProcessingJobName",
            arn="ProcessingJobArn",
            metadata="ProcessingJob",
            describe="DescribeProcessingJob",
            described_by="ProcessingJobName",
            job=_job("ProcessingJobStatus", "StopProcessingJob"),
            cached_by=("AppSpecification", "Environment", "ProcessingInputs"),
        ),
        "Tuning": Called(
            create="CreateHyperParameterTuningJob",
            name="HyperParameterTuningJobName",
            arn="HyperParameterTuningJobArn",
            metadata="TuningJob",
            describe="DescribeHyperParameterTuningJob",
            described_by="HyperParameterTuningJobName",
            job=_job("HyperParameterTuningJobStatus", "StopHyperParameterTuningJob"),
            cached_by=(
                *("HyperParameterTuningJobConfig", "TrainingJobDefinition"),
                "TrainingJobDefinitions",
            ),
        ),
        "Transform": Called(
            create="CreateTransformJob",
            name="TransformJobName",
            arn="TransformJobArn",
            metadata="TransformJob",
            describe="DescribeTransformJob",
            described_by="TransformJobName",
            job=_job("TransformJobStatus", "StopTransformJob"),
            cached_by=(
                *("DataProcessing", "Environment", "ModelName", "TransformInput"),
                *("BatchStrategy", "MaxConcurrentTransforms", "MaxPayloadInMB"),
                "TransformResources",
            ),
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
    }
)
