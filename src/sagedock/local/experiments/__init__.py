"""Experiments, their trials, and trial components, which may be jobs'.

``trial_operations`` and ``component_operations`` are the control plane; ``tracking`` makes the
components of jobs, ``sources`` knows what a job tells of its own.
"""

from sagedock.local.experiments.component_document import trials_of
from sagedock.local.experiments.component_operations import (
    ComponentOperations,
    described_component,
)
from sagedock.local.experiments.names import COMPONENT, EXPERIMENT, TRIAL
from sagedock.local.experiments.sources import PROCESSING, TRAINING, TRANSFORM, JobKind
from sagedock.local.experiments.tracking import component_of_job, track, untrack
from sagedock.local.experiments.trial_operations import TrialOperations

__all__ = [
    "COMPONENT",
    "EXPERIMENT",
    "PROCESSING",
    "TRAINING",
    "TRANSFORM",
    "TRIAL",
    "ComponentOperations",
    "JobKind",
    "TrialOperations",
    "component_of_job",
    "described_component",
    "track",
    "trials_of",
    "untrack",
]
