"""Processing jobs: any program over objects of S3, in containers that may be several."""

from sagedock.local.processing.document import SUMMARY
from sagedock.local.processing.jobs import ProcessingJobs
from sagedock.local.processing.names import KIND
from sagedock.local.processing.operations import ProcessingOperations

__all__ = ["KIND", "SUMMARY", "ProcessingJobs", "ProcessingOperations"]
