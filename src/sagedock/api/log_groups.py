"""Where the service writes the logs of its resources in CloudWatch Logs.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html
"""

__all__ = ["PREFIX", "TRAINING_JOBS", "TRANSFORM_JOBS", "endpoint"]

#: What each of its log groups begins with.
PREFIX = "/aws/sagemaker/"
TRAINING_JOBS = f"{PREFIX}TrainingJobs"
TRANSFORM_JOBS = f"{PREFIX}TransformJobs"


def endpoint(name: str) -> str:
    """Return the log group of an endpoint: each has one of its own."""
    return f"{PREFIX}Endpoints/{name}"
