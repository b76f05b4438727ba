"""Batch transform: a model's containers are sent objects of S3, and their answers are stored."""

from sagedock.local.transform.document import SUMMARY
from sagedock.local.transform.hosted import HostedContainers
from sagedock.local.transform.jobs import TransformJobs
from sagedock.local.transform.names import KIND
from sagedock.local.transform.operations import TransformOperations
from sagedock.local.transform.serving import CannotServe, Fleet, Served, ServingContainers, Started

__all__ = [
    "KIND",
    "SUMMARY",
    "CannotServe",
    "Fleet",
    "HostedContainers",
    "Served",
    "ServingContainers",
    "Started",
    "TransformJobs",
    "TransformOperations",
]
