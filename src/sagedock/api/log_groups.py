"""Where the service writes the logs of its resources in CloudWatch Logs.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/logging-cloudwatch.html
"""

__all__ = ["PREFIX", "TRAINING_JOBS"]

#: What each of its log groups begins with.
PREFIX = "/aws/sagemaker/"
TRAINING_JOBS = f"{PREFIX}TrainingJobs"
