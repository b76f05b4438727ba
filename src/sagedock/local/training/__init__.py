"""Training jobs: the operations, and the containers that they mean."""

from sagedock.local.training.jobs import TrainingJobs
from sagedock.local.training.operations import TrainingOperations

__all__ = ["TrainingJobs", "TrainingOperations"]
