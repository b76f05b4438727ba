"""What to run, as data: one frozen dataclass per kind of job, and its requests in API casing.

``request``          a call of the API, and how ``extra`` is laid over it
``hyperparameters``  any value to the strings that the API takes; the script-mode entries
``channel``          one input of a training job, in S3 or on a file system
``distribution``     a script over several hosts and processes; groups of hosts
``training``         a training job
``model``            a model that serves: its containers
``model_package``    a version of a model in the registry
``endpoint``         an endpoint: variants, data capture, asynchronous inference
``processing``       a processing job
``transform``        a batch transform job
``tuning``           a hyperparameter tuning job: ranges, limits, a training job
``tags``             tags, in the API's form
``naming``           names of jobs
"""

from sagedock.jobs.channel import Channel, FileSystemChannel
from sagedock.jobs.distribution import InstanceGroup, distribution_in
from sagedock.jobs.endpoint import (
    AsyncInference,
    DataCapture,
    EndpointDeployment,
    ProductionVariant,
    Serverless,
)
from sagedock.jobs.hyperparameters import Script
from sagedock.jobs.model import HostedModel, ModelContainer
from sagedock.jobs.model_package import Approval, ModelGroup, ModelVersion
from sagedock.jobs.naming import base_name_of_image, unique_name, unique_stamp
from sagedock.jobs.processing import ProcessingInput, ProcessingJob, ProcessingOutput
from sagedock.jobs.request import Request
from sagedock.jobs.tags import Tags
from sagedock.jobs.training import TrainingJob
from sagedock.jobs.transform import TransformJob
from sagedock.jobs.tuning import (
    CategoricalParameter,
    ContinuousParameter,
    HyperbandStrategyConfig,
    IntegerParameter,
    TuningJob,
    TuningJobCompletionCriteriaConfig,
    WarmStartConfig,
)

__all__ = [
    "Approval",
    "AsyncInference",
    "CategoricalParameter",
    "Channel",
    "ContinuousParameter",
    "DataCapture",
    "EndpointDeployment",
    "FileSystemChannel",
    "HostedModel",
    "HyperbandStrategyConfig",
    "InstanceGroup",
    "IntegerParameter",
    "ModelContainer",
    "ModelGroup",
    "ModelVersion",
    "ProcessingInput",
    "ProcessingJob",
    "ProcessingOutput",
    "ProductionVariant",
    "Request",
    "Script",
    "Serverless",
    "Tags",
    "TrainingJob",
    "TransformJob",
    "TuningJob",
    "TuningJobCompletionCriteriaConfig",
    "WarmStartConfig",
    "base_name_of_image",
    "distribution_in",
    "unique_name",
    "unique_stamp",
]
