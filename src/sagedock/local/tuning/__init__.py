"""Hyperparameter tuning: training jobs launched one after another, each with what the search says.

``search``   what to try next, pure
``run``      one tuning job, in a thread: it launches, watches and stops training jobs
``limits``   when it is over
"""

from sagedock.local.tuning.document import SUMMARY
from sagedock.local.tuning.jobs import TuningJobs
from sagedock.local.tuning.names import KIND
from sagedock.local.tuning.operations import TuningOperations

__all__ = ["KIND", "SUMMARY", "TuningJobs", "TuningOperations"]
