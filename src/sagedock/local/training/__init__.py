"""Training jobs: the operations, and the containers that they mean."""

from sagedock.local.training.jobs import TrainingJobs
from sagedock.local.training.operations import SUMMARY, TrainingOperations
from sagedock.local.training.steps import KIND

__all__ = ["KIND", "SUMMARY", "TrainingJobs", "TrainingOperations"]
