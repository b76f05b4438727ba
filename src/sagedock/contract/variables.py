"""Environment variables of the contract, and who sets each."""

from dataclasses import dataclass
from typing import Literal

from sagedock.contract import _sources as source

__all__ = [
    "AWS_DEFAULT_REGION",
    "AWS_REGION",
    "SAGEMAKER_PROGRAM",
    "SAGEMAKER_REGION",
    "SAGEMAKER_SUBMIT_DIRECTORY",
    "SAGEMAKER_TRAINING_MODULE",
    "TRAINING_JOB_ARN",
    "TRAINING_JOB_NAME",
    "Variable",
]

Setter = Literal["platform", "toolkit", "user"]


@dataclass(frozen=True, kw_only=True)
class Variable:
    """One environment variable: who sets it, what it holds, and the page that says so."""

    name: str
    setter: Setter
    holds: str
    source: str

    def __str__(self) -> str:
        return self.name


TRAINING_JOB_NAME = Variable(
    name="TRAINING_JOB_NAME",
    setter="platform",
    holds="the job's name",
    source=source.RUNNING,
)
TRAINING_JOB_ARN = Variable(
    name="TRAINING_JOB_ARN",
    setter="platform",
    holds="the job's ARN",
    source=source.RUNNING,
)
AWS_REGION = Variable(
    name="AWS_REGION",
    setter="platform",
    holds="the region the job runs in; the toolkit reads it first",
    source=source.TOOLKIT,
)
AWS_DEFAULT_REGION = Variable(
    name="AWS_DEFAULT_REGION",
    setter="platform",
    holds="the same region, under the name that boto3 reads",
    source="https://docs.aws.amazon.com/sdkref/latest/guide/feature-region.html",
)
SAGEMAKER_REGION = Variable(
    name="SAGEMAKER_REGION",
    setter="toolkit",
    holds="the region, read after AWS_REGION",
    source=source.TOOLKIT,
)
SAGEMAKER_PROGRAM = Variable(
    name="SAGEMAKER_PROGRAM",
    setter="user",
    holds="the entry point; wins over the hyperparameter sagemaker_program",
    source=source.TOOLKIT,
)
SAGEMAKER_SUBMIT_DIRECTORY = Variable(
    name="SAGEMAKER_SUBMIT_DIRECTORY",
    setter="user",
    holds="where the user's code lies; an S3 URI of a tar.gz, or a folder",
    source=source.TOOLKIT,
)
SAGEMAKER_TRAINING_MODULE = Variable(
    name="SAGEMAKER_TRAINING_MODULE",
    setter="user",
    holds="the framework module that the toolkit's `train` calls, as module:function",
    source=source.TOOLKIT,
)
