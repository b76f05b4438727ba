"""Which action of IAM each API call needs."""

from collections.abc import Mapping

__all__ = ["actions_needed"]

#: Calls whose actions are called otherwise than they. Sources: the service authorization reference
#: of each service, https://docs.aws.amazon.com/service-authorization/latest/reference/
_OTHERWISE: Mapping[tuple[str, str], tuple[str, ...]] = {
    # Never refused, whatever a policy says:
    # https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    ("sts", "GetCallerIdentity"): (),
    ("s3", "HeadBucket"): ("s3:ListBucket",),
    ("s3", "HeadObject"): ("s3:GetObject",),
    ("s3", "ListObjectsV2"): ("s3:ListBucket",),
    # ObjectOwnership in a CreateBucket:
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
    ("s3", "CreateBucket"): ("s3:CreateBucket", "s3:PutBucketOwnershipControls"),
    ("s3", "GetBucketEncryption"): ("s3:GetEncryptionConfiguration",),
    ("s3", "PutBucketEncryption"): ("s3:PutEncryptionConfiguration",),
    ("s3", "GetBucketLifecycleConfiguration"): ("s3:GetLifecycleConfiguration",),
    ("s3", "PutBucketLifecycleConfiguration"): ("s3:PutLifecycleConfiguration",),
    ("s3", "GetPublicAccessBlock"): ("s3:GetBucketPublicAccessBlock",),
    ("s3", "PutPublicAccessBlock"): ("s3:PutBucketPublicAccessBlock",),
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
    ("s3", "CreateMultipartUpload"): ("s3:PutObject",),
    ("s3", "UploadPart"): ("s3:PutObject",),
    ("s3", "CompleteMultipartUpload"): ("s3:PutObject",),
    # Tags in the request: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags_roles.html
    ("iam", "CreateRole"): ("iam:CreateRole", "iam:TagRole"),
    # https://docs.aws.amazon.com/codebuild/latest/userguide/
    # auth-and-access-control-permissions-reference.html
    ("codebuild", "CreateProject"): ("codebuild:CreateProject", "iam:PassRole"),
    ("codebuild", "UpdateProject"): ("codebuild:UpdateProject", "iam:PassRole"),
    # https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
    ("logs", "CreateLogGroup"): ("logs:CreateLogGroup", "logs:TagResource"),
    # https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html
    ("ecr", "CreateRepository"): ("ecr:CreateRepository", "ecr:TagResource"),
}


def actions_needed(service: str, operation: str) -> tuple[str, ...]:
    """Return the actions that who calls an operation must be allowed."""
    return _OTHERWISE.get((service, operation), (f"{service}:{operation}",))
