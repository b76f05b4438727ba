"""Where the service writes the logs of its resources in CloudWatch Logs.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html
"""

__all__ = [
    "PREFIX",
    "PROCESSING_JOBS",
    "TRAINING_JOBS",
    "TRANSFORM_JOBS",
    "endpoint",
    "inference_component",
]

#: What each of its log groups begins with.
PREFIX = "/aws/sagemaker/"
PROCESSING_JOBS = f"{PREFIX}ProcessingJobs"
TRAINING_JOBS = f"{PREFIX}TrainingJobs"
TRANSFORM_JOBS = f"{PREFIX}TransformJobs"


def endpoint(name: str) -> str:
    """Return the log group of an endpoint: each has one of its own."""
    return f"{PREFIX}Endpoints/{name}"


def inference_component(name: str) -> str:
    """Return the log group of an inference component. Source: Amazon's own benchmarking tools,
    which search it; that page does not have it.
    """
    return f"{PREFIX}InferenceComponents/{name}"
