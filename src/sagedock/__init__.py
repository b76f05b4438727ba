"""sagedock: bring your own container to Amazon SageMaker, and rehearse it locally first.

Importing this package loads nothing: every public name is fetched when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sagedock.client import (
        DryRun,
        DryRunOver,
        Endpoint,
        Estimator,
        HyperparameterTuner,
        Model,
        ModelPackage,
        ModelPackageGroup,
        MultiModel,
        Pipeline,
        PipelineExecution,
        Predictor,
        Processor,
        ScriptProcessor,
        Session,
        Transformer,
    )
    from sagedock.errors import InvalidRequest, InvocationFailed, JobFailed, SagedockError
    from sagedock.jobs import (
        AsyncInference,
        CategoricalParameter,
        Channel,
        ContinuousParameter,
        DataCapture,
        FileSystemChannel,
        HyperbandStrategyConfig,
        InstanceGroup,
        IntegerParameter,
        ProcessingInput,
        ProcessingOutput,
        Serverless,
        TrainingJob,
        TuningJobCompletionCriteriaConfig,
        WarmStartConfig,
    )
    from sagedock.local import LocalSageMaker

__version__ = "0.1.0"

__all__ = [
    "AsyncInference",
    "CategoricalParameter",
    "Channel",
    "ContinuousParameter",
    "DataCapture",
    "DryRun",
    "DryRunOver",
    "Endpoint",
    "Estimator",
    "FileSystemChannel",
    "HyperbandStrategyConfig",
    "HyperparameterTuner",
    "InstanceGroup",
    "IntegerParameter",
    "InvalidRequest",
    "InvocationFailed",
    "JobFailed",
    "LocalSageMaker",
    "Model",
    "ModelPackage",
    "ModelPackageGroup",
    "MultiModel",
    "Pipeline",
    "PipelineExecution",
    "Predictor",
    "ProcessingInput",
    "ProcessingOutput",
    "Processor",
    "SagedockError",
    "ScriptProcessor",
    "Serverless",
    "Session",
    "TrainingJob",
    "Transformer",
    "TuningJobCompletionCriteriaConfig",
    "WarmStartConfig",
]

_HOMES = {
    "AsyncInference": "sagedock.jobs",
    "CategoricalParameter": "sagedock.jobs",
    "Channel": "sagedock.jobs",
    "ContinuousParameter": "sagedock.jobs",
    "DataCapture": "sagedock.jobs",
    "DryRun": "sagedock.client",
    "DryRunOver": "sagedock.client",
    "Endpoint": "sagedock.client",
    "Estimator": "sagedock.client",
    "FileSystemChannel": "sagedock.jobs",
    "HyperbandStrategyConfig": "sagedock.jobs",
    "HyperparameterTuner": "sagedock.client",
    "InstanceGroup": "sagedock.jobs",
    "IntegerParameter": "sagedock.jobs",
    "InvalidRequest": "sagedock.errors",
    "InvocationFailed": "sagedock.errors",
    "JobFailed": "sagedock.errors",
    "LocalSageMaker": "sagedock.local",
    "Model": "sagedock.client",
    "ModelPackage": "sagedock.client",
    "ModelPackageGroup": "sagedock.client",
    "MultiModel": "sagedock.client",
    "Pipeline": "sagedock.client",
    "PipelineExecution": "sagedock.client",
    "Predictor": "sagedock.client",
    "ProcessingInput": "sagedock.jobs",
    "ProcessingOutput": "sagedock.jobs",
    "Processor": "sagedock.client",
    "SagedockError": "sagedock.errors",
    "ScriptProcessor": "sagedock.client",
    "Serverless": "sagedock.jobs",
    "Session": "sagedock.client",
    "TrainingJob": "sagedock.jobs",
    "Transformer": "sagedock.client",
    "TuningJobCompletionCriteriaConfig": "sagedock.jobs",
    "WarmStartConfig": "sagedock.jobs",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'sagedock' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
