"""Where the rules' pages are."""

__all__ = ["API", "GITHUB", "GUIDE"]

API = "https://docs.aws.amazon.com/sagemaker/latest/APIReference/"
GUIDE = "https://docs.aws.amazon.com/sagemaker/latest/dg/"
GITHUB = "https://github.com/"
