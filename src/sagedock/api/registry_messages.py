"""Refusals about the model registry that need the world.

As in ``messages``: each names its source (rows are those of the fidelity corpus' page on the rest),
and ``unverified`` marks words that nobody was seen to receive.
"""

from sagedock.api.messages import not_carried_out, validation
from sagedock.api.service_error import ServiceError

__all__ = [
    "artefact_unreadable",
    "group_exists",
    "group_has_versions",
    "group_not_found",
    "no_inference_specification",
    "no_such_specification",
    "package_exists",
    "package_not_approved",
    "package_not_found",
    "package_not_versioned",
    "policy_malformed",
    "policy_not_found",
    "register_elsewhere",
    "same_specification_names",
    "source_not_found",
    "too_many_properties",
    "too_many_specifications",
]


def register_elsewhere(what: str) -> ServiceError:
    """What AWS would register, and nothing here does. The words are ours; unverified is nothing,
    for AWS never says this.
    """
    return not_carried_out(what, "Leave it out locally, or register the model on AWS.")


def group_exists(arn: str) -> ServiceError:
    """CreateModelPackageGroup of a name that is taken. Source: row 126, which has the beginning
    only.
    """
    return validation(f"Model Package Group already exists: {arn}")


def group_not_found(arn: str) -> ServiceError:
    """No such group, whoever names it. Source: row 128; for operations but Describe unverified."""
    return validation(f"ModelPackageGroup {arn} does not exist.")


def group_has_versions(arn: str) -> ServiceError:
    """DeleteModelPackageGroup of one with versions. The code is the model's; the words are
    unverified.
    """
    return ServiceError(
        code="ConflictException",
        message=(
            f"ModelPackageGroup {arn} cannot be deleted because it has model packages. Delete "
            "them first."
        ),
    )


def package_exists(arn: str) -> ServiceError:
    """CreateModelPackage of an unversioned one whose name is taken. The code is the model's; the
    words are unverified.
    """
    return ServiceError(code="ConflictException", message=f"Model Package already exists: {arn}")


def package_not_found(arn: str) -> ServiceError:
    """No such package, whoever names it. Sources: row 129, and a pasted answer of
    DescribeModelPackage in a public file; for CreateModel unverified.
    """
    return validation(f"ModelPackage {arn} does not exist.")


def package_not_versioned(arn: str) -> ServiceError:
    """UpdateModelPackage of an unversioned one: the model says that it updates a versioned model.
    The words are unverified.
    """
    return validation(f"ModelPackage {arn} is not versioned, and cannot be updated.")


def package_not_approved(arn: str, status: str) -> ServiceError:
    """A version that is to be deployed without being approved. That it must be: the model's words
    on ModelApprovalStatus ("must be set to Approved to deploy the model"); the words, and that
    CreateModel says so already, are unverified.
    """
    return validation(
        f"ModelPackage {arn} cannot be deployed: its ModelApprovalStatus is {status}, and must be "
        "Approved."
    )


def no_inference_specification(arn: str) -> ServiceError:
    """A package that is to be deployed, and says not how. Unverified."""
    return validation(f"ModelPackage {arn} has no InferenceSpecification to deploy.")


def no_such_specification(arn: str, name: str) -> ServiceError:
    """InferenceSpecificationName names none of a package's additional ones. Unverified."""
    return validation(f"ModelPackage {arn} has no additional inference specification {name}.")


def artefact_unreadable(bucket: str, key: str) -> ServiceError:
    """CreateModelPackage of data that is not there, or cannot be read. Source: row 154."""
    return validation(f"Access denied for bucket: {bucket}, object key: {key}")


def source_not_found(uri: str) -> ServiceError:
    """SourceUri is the ARN of a model or package that is not there. Unverified."""
    return validation(f"SourceUri {uri} does not exist.")


def too_many_specifications(arn: str) -> ServiceError:
    """UpdateModelPackage that leaves more than 15. Source of the number: the model's words on
    AdditionalInferenceSpecificationsToAdd; the words of the refusal are unverified.
    """
    return validation(
        f"ModelPackage {arn} can have at most 15 additional inference specifications."
    )


def same_specification_names(names: str) -> ServiceError:
    """Two additional specifications of one name. Source of the rule: the model's words on
    AdditionalInferenceSpecificationDefinition.Name; the words of the refusal are unverified.
    """
    return validation(f"Names of additional inference specifications must be unique: {names}")


def too_many_properties(arn: str) -> ServiceError:
    """UpdateModelPackage that leaves more than 50 CustomerMetadataProperties. Source of the number:
    the model's; the words of the refusal are unverified.
    """
    return validation(f"ModelPackage {arn} can have at most 50 customer metadata properties.")


def policy_not_found(arn: str) -> ServiceError:
    """A group without a policy. Source: hashicorp/terraform-provider-aws, which looks for the
    beginning; the end is unverified.
    """
    return validation(f"Cannot find resource policy for {arn}")


def policy_malformed(arn: str) -> ServiceError:
    """ResourcePolicy is no JSON object. Unverified."""
    return validation(f"Resource policy for {arn} is not a valid JSON policy document.")
