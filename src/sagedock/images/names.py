"""What names may be: regular expressions that are to match the whole of one; and our own tag."""

__all__ = ["LABEL_KEY", "NAME", "OURS", "REFERENCE", "REPOSITORY", "ROLE_ARN", "TAG"]

NAME = "[a-z0-9]+(?:[._-][a-z0-9]+)*"
#: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html
REPOSITORY = f"(?:{NAME}/)*{NAME}"
#: https://docs.docker.com/reference/cli/docker/image/tag/
TAG = "[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
#: An image as Docker names it, with the registry's host where it has one. Source: that of TAG.
REFERENCE = (
    rf"(?:[A-Za-z0-9.-]+(?::[0-9]+)?/)?(?:[a-z0-9._-]+/)*[a-z0-9._-]+(?::{TAG})?"
    "(?:@sha256:[0-9a-f]{64})?"
)
#: Source: RoleArn of CreateTrainingJob, in SageMaker's model; a role's name is not empty.
ROLE_ARN = "arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+"
#: https://docs.docker.com/engine/manage-resources/labels/#key-format-recommendations
LABEL_KEY = r"[^\s=\"']+"
#: The tag of what we make on AWS.
OURS = {"created-by": "sagedock"}
