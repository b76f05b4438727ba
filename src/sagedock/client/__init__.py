"""The verbs that users know, over plain boto3, against AWS or the local SageMaker.

``session``   one AWS, real or local: clients, the default bucket, files to and from S3
``estimator`` a training job: fit, wait, stop, attach
``check``     every problem of a request before it is sent, in the user's words
``logs``      a job's lines, each once
``series``    a job's metrics over time
``board``     jobs as the rows of a table
``curves``    metrics as a picture
"""

from sagedock.client.estimator import Estimator
from sagedock.client.result import TrainingResult
from sagedock.client.series import MetricSeries
from sagedock.client.session import Session
from sagedock.client.training_run import TrainingRun

__all__ = ["Estimator", "MetricSeries", "Session", "TrainingResult", "TrainingRun"]
