"""FailureReason of a tuning job, in the service's words."""

__all__ = ["ALL_FAILED", "INTERNAL_ERROR", "none_succeeded"]

#: Source: row 100 of the fidelity corpus.
ALL_FAILED = (
    "All training jobs failed. Please take a look at the training jobs failures to get more "
    "details."
)
#: For tuning jobs unverified.
INTERNAL_ERROR = "InternalServerError: We encountered an internal error. Please try again."


def none_succeeded(attempts: int) -> str:
    """The first training jobs failed, all of them. Source: aws/amazon-sagemaker-examples#2436."""
    return (
        f"No training job succeeded after {attempts} attempts. Please take a look at the training "
        "job failures to get more details."
    )
