"""Where the rules' pages are."""

__all__ = ["API", "GITHUB", "GUIDE", "LOGS"]

API = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/"
GUIDE = "https://docs.aws.amazon.com/sagemaker/latest/dg/"
LOGS = "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/"
GITHUB = "https://github.com/"
