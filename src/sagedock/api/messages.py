"""Refusals that need the world: what exists, what is running, who asks.

What can be decided from the request alone is in ``check`` and ``rules``. Each function returns one
refusal of the service in its own words; its source is a row of the fidelity corpus, whose two
pages (the jobs, and the rest) are kept as tests in tests/golden/aws_answers. ``unverified`` marks
words that nobody was seen to receive.
"""

from sagedock.api.service_error import ServiceError

__all__ = [
    "access_denied",
    "algorithm_not_found",
    "already_existing",
    "arn_of_other_region",
    "cannot_stop",
    "could_not_find",
    "endpoint_in_progress",
    "explicitly_denied",
    "image_access_denied",
    "image_not_found",
    "image_without_label",
    "input_bucket_elsewhere",
    "input_not_found",
    "internal_failure",
    "invalid_pagination_token",
    "malformed_body",
    "model_data_inaccessible",
    "model_data_not_found",
    "non_ecr_image",
    "not_carried_out",
    "quota_exceeded",
    "requested_image_not_found",
    "role_cannot_be_assumed",
    "security_token_expired",
    "throttled",
    "too_many_tags",
    "training_job_in_use",
    "training_job_not_deletable",
    "training_job_not_found",
    "transform_job_in_use",
    "transform_job_not_found",
    "transform_job_to_stop_not_found",
    "unknown_operation",
    "unknown_variants",
    "unsupported_manifest",
    "validation",
    "wrong_json_type",
]


def validation(message: str) -> ServiceError:
    """A ValidationException of any text, the commonest refusal. Source: all rows of both pages."""
    return ServiceError(code="ValidationException", message=message)


def not_carried_out(what: str, instead: str) -> ServiceError:
    """What AWS would accept and nothing here follows, and what to do instead. The words are ours;
    unverified is nothing, for AWS never says this.
    """
    return validation(f"The local SageMaker cannot carry out: {what}. {instead}")


def training_job_in_use(arn: str) -> ServiceError:
    """The name was used before, ever. Source: row 1."""
    return ServiceError(
        code="ResourceInUse",
        message=(
            "Training job names must be unique within an AWS account and region, and a training "
            f"job with this name already exists ({arn})"
        ),
    )


def training_job_not_found() -> ServiceError:
    """No such job, for Describe, Stop, Update and Delete. Sources: row 56; for Describe,
    aws/amazon-sagemaker-examples#2360; for Update and Delete unverified.
    """
    return validation("Requested resource not found.")


def transform_job_in_use(arn: str) -> ServiceError:
    """The name was used before, ever. Unverified: the words of row 69, of processing jobs."""
    return ServiceError(
        code="ResourceInUse",
        message=(
            "Job name must be unique within an AWS account and region, and a job with this name "
            f"already exists ({arn})"
        ),
    )


def transform_job_not_found(name: str) -> ServiceError:
    """No such transform job, for Describe. Unverified: the words of row 77, of processing jobs,
    whose end was not seen.
    """
    return validation(f"Could not find requested job with name: {name}")


def transform_job_to_stop_not_found(name: str) -> ServiceError:
    """No such transform job, for Stop. Source: row 110, which has the beginning only."""
    return validation(f"Could not find job to update with name {name}")


def cannot_stop(kind: str, status: str) -> ServiceError:
    """The job (``kind``: "training job", "transform job") has ended. Sources: rows 57, 109; for
    processing jobs unverified.
    """
    return validation(f"The request was rejected because the {kind} is in status {status}.")


def too_many_tags(arn: str) -> ServiceError:
    """AddTags beyond the 50 tags that a resource may have. Unverified: code and words are ours."""
    return validation(f"A resource can have at most 50 tags: {arn}")


def training_job_not_deletable(status: str) -> ServiceError:
    """DeleteTrainingJob of a job that has not ended. Unverified: the code is the one that the model
    declares for the operation beside not-found, the words are those of row 57.
    """
    return ServiceError(code="ResourceInUse", message=cannot_stop("training job", status).message)


def input_not_found(*, uri: str, region: str, role: str, bucket: str) -> ServiceError:
    """The prefix of a channel holds nothing, or cannot be listed. Source: row 12."""
    return validation(_input_not_found_text(uri, region, role, bucket))


def input_bucket_elsewhere(
    *, uri: str, region: str, role: str, bucket: str, other: str
) -> ServiceError:
    """The bucket of a channel is in region ``other``. Source: row 13."""
    text = _input_not_found_text(uri, region, role, bucket)
    return validation(
        f"{text} Error message from S3: The bucket is in this region: {other}. "
        "Please use this region to retry the request"
    )


def _input_not_found_text(uri: str, region: str, role: str, bucket: str) -> str:
    return (
        f'No S3 objects found under S3 URL "{uri}" given in input data source. '
        f"Please ensure that the bucket exists in the selected region ({region}), "
        f'that objects exist under that S3 prefix, and that the role "{role}" '
        f'has "s3:ListBucket" permissions on bucket "{bucket}".'
    )


def image_not_found(image: str) -> ServiceError:
    """ECR has no such image or tag. Sources: row 16, and row 176 of the rest; what follows the
    colon was cut off there.
    """
    return validation(f"Cannot find the requested image: {image}")


def image_access_denied(*, repository: str, registry: str, role: str) -> ServiceError:
    """The role may not pull from ECR. Sources: row 17; whole in wpilibsuite/DetectCoral#37."""
    return validation(
        f"Access denied for repository: {repository} in registry ID: {registry}. Please check if "
        f"your ECR repository and image exist and role {role} has proper pull permissions for "
        "SageMaker: ecr:BatchCheckLayerAvailability, ecr:BatchGetImage, ecr:GetDownloadUrlForLayer"
    )


def algorithm_not_found(arn: str) -> ServiceError:
    """AlgorithmName names nothing. Source: aws/amazon-sagemaker-examples#3923."""
    return validation(f"Algorithm {arn} does not exist.")


def role_cannot_be_assumed(role: str) -> ServiceError:
    """The role is gone, or does not trust SageMaker. Sources: row 106 (transform), row 13 of the
    rest (training); that CreateModel says the same is unverified.
    """
    return validation(
        f"Could not assume role {role}. Please ensure that the role exists and allows principal "
        "'sagemaker.amazonaws.com' to assume the role."
    )


def quota_exceeded(*, quota: str, limit: int, used: int, asked: int) -> ServiceError:
    """A quota (``ml.p3.2xlarge for training job usage``) is used up. Sources: rows 6, 9, 10, 70."""
    return ServiceError(
        code="ResourceLimitExceeded",
        message=(
            f"The account-level service limit '{quota}' is {limit} Instances, with current "
            f"utilization of {used} Instances and a request delta of {asked} Instances. Please use "
            "AWS Service Quotas to request an increase for this quota. If AWS Service Quotas is "
            "not available, contact AWS support to request an increase for this quota."
        ),
    )


def access_denied(*, principal: str, action: str, resource: str) -> ServiceError:
    """Nothing allows the caller to. Source: row 25."""
    why = f"because no identity-based policy allows the {action} action"
    return _not_authorized(principal, action, resource, why)


def explicitly_denied(*, principal: str, action: str, resource: str) -> ServiceError:
    """A policy denies it to the caller. Source: row 24."""
    return _not_authorized(principal, action, resource, "with an explicit deny")


def _not_authorized(principal: str, action: str, resource: str, why: str) -> ServiceError:
    who = f"User: {principal} is not authorized to perform: {action} on resource: {resource}"
    return ServiceError(code="AccessDeniedException", message=f"{who} {why}")


def security_token_expired() -> ServiceError:
    """The caller's credentials are too old. Source: row 60."""
    return ServiceError(
        code="ExpiredTokenException",
        message="The security token included in the request is expired",
    )


def throttled() -> ServiceError:
    """Too many calls. Source: row 26."""
    return ServiceError(code="ThrottlingException", message="Rate exceeded")


def internal_failure() -> ServiceError:
    """The service failed. Sources: row 98, and row 144 of the rest: the message is empty."""
    return ServiceError(code="InternalFailure", message="", http_status=500)


def invalid_pagination_token(token: str) -> ServiceError:
    """NextToken is not one that was given out. Source: row 64, which is doubtful."""
    return validation(f'Invalid pagination token because "{token}".')


def arn_of_other_region(region: str) -> ServiceError:
    """An ARN names another region than the one asked. Source: row 130 of the rest."""
    return validation(f"ARN should be scoped to correct region: {region}")


def unknown_operation(operation: str) -> ServiceError:
    """X-Amz-Target names nothing that is known here. Source of the first sentence:
    hashicorp/terraform-provider-aws#27258; the second is ours, and names the operation.
    """
    return ServiceError(
        code="UnknownOperationException",
        message=(
            "The requested operation is not supported in the called region. "
            f"Unknown operation: {operation}"
        ),
    )


def wrong_json_type(message: str) -> ServiceError:
    """A value is of a wrong JSON type; ``message`` is from ``type_problem``."""
    return ServiceError(code="SerializationException", message=message)


def malformed_body() -> ServiceError:
    """The body is no JSON. Athena, of the same front, sends no message at all (measured 2026)."""
    return ServiceError(code="SerializationException", message=None)


def already_existing(kind: str, arn: str) -> ServiceError:
    """The name is taken, of a model, an endpoint configuration or an endpoint. Sources: rows 10, 18
    and 33 of the rest.
    """
    return validation(f'Cannot create already existing {kind} "{arn}".')


def could_not_find(kind: str, arn: str) -> ServiceError:
    """No such model, endpoint configuration or endpoint, whoever names it. Sources: row 104, and
    rows 14, 50 and 56 of the rest; that creating an endpoint's answers so too is unverified.
    """
    return validation(f'Could not find {kind} "{arn}".')


def requested_image_not_found(image: str) -> ServiceError:
    """CreateModel of an image that ECR lacks. Source: row 2 of the rest."""
    return validation(f"Requested image {image} not found.")


def image_without_label(image: str, label: str) -> ServiceError:
    """CreateModel of an image that does not say that it can what it must. Sources:
    aws/amazon-sagemaker-examples#3925 (multi-models), deepjavalibrary/djl-serving#708
    (accept-bind-to-port).
    """
    return validation(f"Your Ecr Image {image} does not contain required {label} Docker label(s).")


def unsupported_manifest(media_type: str) -> ServiceError:
    """CreateModel of an image that is pushed as an index, as buildx does with attestations. Source:
    row 4 of the rest; what to do is in the thread, and not in the service's words.
    """
    return validation(
        f"Unsupported manifest media type {media_type}. Build the image with "
        "--provenance=false --output type=docker."
    )


def non_ecr_image(image: str) -> ServiceError:
    """CreateModel of an image of another registry. Source: row 5 of the rest."""
    return validation(
        f'Using non-ECR image "{image}" without Vpc repository access mode is not supported.'
    )


def model_data_not_found(uri: str) -> ServiceError:
    """CreateModel of data that is not there. Source: row 6 of the rest."""
    return validation(f"Could not find model data at {uri}.")


def model_data_inaccessible(*, uri: str, role: str, region: str) -> ServiceError:
    """CreateModel of data in another region, or that the role may not read. Sources: rows 8 and 9
    of the rest, which have its parts.
    """
    return validation(
        f'Could not access model data at {uri}. Please ensure that the role "{role}" exists and '
        'that its trust relationship policy allows the action "sts:AssumeRole" for the service '
        'principal "sagemaker.amazonaws.com". Also ensure that the role has "s3:GetObject" '
        f"permissions and that the object is located in {region}."
    )


def endpoint_in_progress(arn: str) -> ServiceError:
    """An update or a deletion while another change is under way. Sources: rows 53 and 54 of the
    rest.
    """
    return validation(f'Cannot update in-progress endpoint "{arn}".')


def unknown_variants(names: str, config: str) -> ServiceError:
    """UpdateEndpointWeightsAndCapacities of variants that there are not. Source: row 62 of the
    rest.
    """
    return validation(
        f'The variant name(s) "{names}" is/are not present within endpoint configuration '
        f'"{config}".'
    )
