"""Refusals about processing jobs that need the world.

As in ``messages``: each names its source, rows of the fidelity corpus' page on the jobs, and
``unverified`` marks words that nobody was seen to receive.
"""

from sagedock.api.messages import cannot_stop, validation
from sagedock.api.service_error import ServiceError

__all__ = [
    "processing_job_in_use",
    "processing_job_not_deletable",
    "processing_job_not_found",
    "processing_job_to_stop_not_found",
]


def processing_job_in_use(arn: str) -> ServiceError:
    """The name was used before, ever. Source: row 69."""
    return ServiceError(
        code="ResourceInUse",
        message=(
            "Job name must be unique within an AWS account and region, and a job with this name "
            f"already exists ({arn})"
        ),
    )


def processing_job_not_found(name: str) -> ServiceError:
    """No such processing job, for Describe and Delete. Source: row 77, which has the beginning;
    the rest, and that Delete says the same, is unverified.
    """
    return validation(f"Could not find requested job with name: {name}")


def processing_job_to_stop_not_found(name: str) -> ServiceError:
    """No such processing job, for Stop. Unverified: the words of row 110, of transform jobs."""
    return validation(f"Could not find job to update with name {name}")


def processing_job_not_deletable(status: str) -> ServiceError:
    """DeleteProcessingJob of a job that has not ended. Unverified: the code is the one that the
    model declares for the operation, the words are those of row 57, of training jobs.
    """
    return ServiceError(code="ResourceInUse", message=cannot_stop("processing job", status).message)
