"""The verbs that users know, over plain boto3, against AWS or the local SageMaker.

``session``   one AWS, real or local: clients, the default bucket, files to and from S3
``dry_run``   requests that are shown, and not sent
``estimator`` a training job: fit, wait, stop, attach, deploy
``model``     what serves: create, deploy, transformer
``model_package`` versions of a model in the registry: approve, reject, deploy
``predictor`` calls of an endpoint; ``endpoint`` is the endpoint itself
``serializers`` data to bodies, and answers to data
``processor`` a program over data
``tuner``     a tuning job: fit, wait, stop, the best estimator; ``analytics`` what it tried
``transformer`` a model run over many objects
``pipeline``  steps that wrap jobs; ``pipeline_execution`` is one run of them
``check``     every problem of a request before it is sent, in the user's words
``logs``      a job's lines, each once
``series``    a job's metrics over time
``board``     jobs as the rows of a table
``curves``    metrics as a picture
"""

from sagedock.client.analytics import TuningAnalytics
from sagedock.client.async_result import AsyncResult
from sagedock.client.dry_run import DryRequest, DryRun, DryRunOver
from sagedock.client.endpoint import Endpoint
from sagedock.client.estimator import Estimator
from sagedock.client.model import Model
from sagedock.client.model_package import ModelPackage, ModelPackageGroup
from sagedock.client.multi_model import MultiModel
from sagedock.client.pipeline import Pipeline
from sagedock.client.pipeline_execution import PipelineExecution
from sagedock.client.predictor import Predictor
from sagedock.client.processing_run import ProcessingResult, ProcessingRun
from sagedock.client.processor import Processor, ScriptProcessor
from sagedock.client.result import TrainingResult
from sagedock.client.series import MetricSeries
from sagedock.client.session import Session
from sagedock.client.training_run import TrainingRun
from sagedock.client.transformer import Transformer
from sagedock.client.tuner import HyperparameterTuner
from sagedock.client.tuning_run import TuningRun

__all__ = [
    "AsyncResult",
    "DryRequest",
    "DryRun",
    "DryRunOver",
    "Endpoint",
    "Estimator",
    "HyperparameterTuner",
    "MetricSeries",
    "Model",
    "ModelPackage",
    "ModelPackageGroup",
    "MultiModel",
    "Pipeline",
    "PipelineExecution",
    "Predictor",
    "ProcessingResult",
    "ProcessingRun",
    "Processor",
    "ScriptProcessor",
    "Session",
    "TrainingResult",
    "TrainingRun",
    "Transformer",
    "TuningAnalytics",
    "TuningRun",
]
