"""Names of tuning jobs, and of the training jobs that they launch."""

import secrets

from sagedock.api import states
from sagedock.local.caller import Caller
from sagedock.local.resources import Key
from sagedock.local.training.steps import KIND as TRAINING

__all__ = ["KIND", "TERMINAL", "training_key", "trial_name", "tuning_job_arn"]

#: As ARNs have it.
KIND = "hyper-parameter-tuning-job"
TERMINAL = states.STATUSES["tuning-job"].terminal
_DIGITS_BYTES = 4


def tuning_job_arn(caller: Caller, name: str) -> str:
    """Return the job's ARN: its name is lower-cased, for it is not case sensitive (source:
    API_CreateHyperParameterTuningJob; that the ARN is lower-cased therefore is unverified).
    """
    return caller.arn(KIND, name.lower())


def trial_name(job: str, number: int) -> str:
    """Return a name for training job ``number``, from 1. Source: row 144 of the fidelity corpus."""
    return f"{job}-{number:03d}-{secrets.token_hex(_DIGITS_BYTES)}"


def training_key(job: Key, name: str) -> Key:
    """Return the key of a training job that the tuning job ``job`` launched."""
    return Key(region=job.region, kind=TRAINING, name=name)
