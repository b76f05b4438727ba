"""What ECR refuses: its API's errors, and those of its registry, which docker clients print.

Sources: rows 172 to 174 of the fidelity corpus, and the errors of the service's own model
(https://docs.aws.amazon.com/AmazonECR/latest/APIReference/CommonErrors.html). ``unverified`` marks
words that nobody was seen to receive.
"""

from sagedock.api.service_error import ServiceError

__all__ = [
    "image_already_there",
    "image_not_found",
    "invalid_parameter",
    "layers_not_found",
    "lifecycle_policy_not_found",
    "not_of_this_account",
    "repository_exists",
    "repository_not_empty",
    "repository_not_found",
    "repository_policy_not_found",
    "scan_not_found",
    "tag_exists",
    "tag_is_immutable",
    "too_many_tags",
]


def invalid_parameter(parameter: str, why: str) -> ServiceError:
    """A parameter that cannot be. Source of the form: the service's answers about patterns, quoted
    in hashicorp/terraform-provider-aws; ``why`` is unverified.
    """
    return ServiceError(
        code="InvalidParameterException",
        message=f"Invalid parameter at '{parameter}' failed to satisfy constraint: '{why}'",
    )


def repository_exists(repository: str, account: str) -> ServiceError:
    """CreateRepository of a name that is taken. Source: moto's tests, which quote AWS."""
    return ServiceError(
        code="RepositoryAlreadyExistsException",
        message=(
            f"The repository with name '{repository}' already exists in the registry with id "
            f"'{account}'"
        ),
    )


def repository_not_found(repository: str, account: str) -> ServiceError:
    """No such repository. Source: moto's tests, which quote AWS."""
    return ServiceError(
        code="RepositoryNotFoundException",
        message=(
            f"The repository with name '{repository}' does not exist in the registry with id "
            f"'{account}'"
        ),
    )


def repository_not_empty(repository: str, account: str) -> ServiceError:
    """DeleteRepository of one that has images. Source: moto's tests, which quote AWS."""
    return ServiceError(
        code="RepositoryNotEmptyException",
        message=(
            f"The repository with name '{repository}' in registry with id '{account}' cannot be "
            "deleted because it still contains images"
        ),
    )


def layers_not_found(repository: str, account: str) -> ServiceError:
    """PutImage of a manifest that was not pushed. The words are unverified."""
    return ServiceError(
        code="LayersNotFoundException",
        message=(
            "The image's layers do not exist in the repository with name "
            f"'{repository}' in the registry with id '{account}': push it with a docker client"
        ),
    )


def lifecycle_policy_not_found(repository: str, account: str) -> ServiceError:
    """A repository without a lifecycle policy. Source: moto's tests, which quote AWS."""
    return ServiceError(
        code="LifecyclePolicyNotFoundException",
        message=(
            "Lifecycle policy does not exist for the repository with name "
            f"'{repository}' in the registry with id '{account}'"
        ),
    )


def repository_policy_not_found(repository: str, account: str) -> ServiceError:
    """A repository without a policy. Source: moto's tests, which quote AWS."""
    return ServiceError(
        code="RepositoryPolicyNotFoundException",
        message=(
            "Repository policy does not exist for the repository with name "
            f"'{repository}' in the registry with id '{account}'"
        ),
    )


def image_not_found(repository: str, account: str, image: str) -> ServiceError:
    """No such image; ``image`` is its identifier. Source: moto's tests, which quote AWS."""
    return ServiceError(
        code="ImageNotFoundException",
        message=(
            f"The image with imageId {image} does not exist within the repository with name "
            f"'{repository}' in the registry with id '{account}'"
        ),
    )


def scan_not_found(repository: str, account: str, image: str) -> ServiceError:
    """An image that was not scanned. Source: moto's tests, which quote AWS."""
    return ServiceError(
        code="ScanNotFoundException",
        message=(
            f"Image scan does not exist for the image with '{image}' in the repository with name "
            f"'{repository}' in the registry with id '{account}'"
        ),
    )


def image_already_there(repository: str, account: str, digest: str, tag: str) -> ServiceError:
    """PutImage of what is there already, under that tag. Source: moto's tests, which quote AWS."""
    return ServiceError(
        code="ImageAlreadyExistsException",
        message=(
            f"Image with digest '{digest}' and tag '{tag}' already exists in the repository with "
            f"name '{repository}' in registry with id '{account}'"
        ),
    )


def tag_exists(repository: str, tag: str) -> ServiceError:
    """PutImage with a tag that may not move. Source: rows 172 and 173, as of a push."""
    message = tag_is_immutable(repository, tag).message
    return ServiceError(code="ImageTagAlreadyExistsException", message=message)


def tag_is_immutable(repository: str, tag: str) -> ServiceError:
    """A push of another image under a tag that may not move: an error of the registry, the newer
    text. Source: rows 172 and 173.
    """
    return ServiceError(
        code="TAG_INVALID",
        message=(
            f"The image tag '{tag}' already exists in the '{repository}' repository and cannot be "
            "overwritten because the tag is immutable."
        ),
    )


def not_of_this_account(registry: str, account: str) -> ServiceError:
    """A registryId of another account. The words are ours; unverified is nothing, for AWS asks that
    account's policies.
    """
    return invalid_parameter(
        "registryId", f"the local ECR has the account {account} alone, and not {registry}"
    )


def too_many_tags(arn: str) -> ServiceError:
    """More than 50 tags on a repository. The words are unverified."""
    return ServiceError(
        code="TooManyTagsException", message=f"The resource {arn} cannot have more than 50 tags"
    )
