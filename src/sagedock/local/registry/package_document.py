"""What DescribeModelPackage answers, from the creation of a package on.

Sources: rows 133 and 134 of the fidelity corpus' page on the rest, and the developer guide's
model-registry-details. That a package is Completed at once is unverified: nothing is validated or
scanned here.
"""

import json
from collections.abc import Mapping
from typing import Any

__all__ = [
    "PACKAGE_SUMMARY",
    "batch_summary",
    "changed_fields",
    "described_package",
    "new_package",
    "updated",
]

Document = Mapping[str, Any]

#: The members of a package's document that ListModelPackages answers.
PACKAGE_SUMMARY = (
    "ModelPackageName",
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "CreationTime",
    "ModelPackageStatus",
    "ModelApprovalStatus",
    "ModelLifeCycle",
    "ModelPackageRegistrationType",
)
#: Those that BatchDescribeModelPackage answers.
_BATCH = (
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "CreationTime",
    "InferenceSpecification",
    "ModelPackageStatus",
    "ModelApprovalStatus",
    "ModelPackageRegistrationType",
)
#: Members of the request that Describe echoes when they were sent.
_ECHOED = (
    "ModelPackageDescription",
    "ModelPackageRegistrationType",
    "MetadataProperties",
    "ModelMetrics",
    "Domain",
    "Task",
    "SamplePayloadUrl",
    "CustomerMetadataProperties",
    "DriftCheckBaselines",
    "SkipModelValidation",
    "SourceUri",
    "SecurityConfig",
    "ModelCard",
    "ModelLifeCycle",
)
#: Members that an update replaces, and what an event calls them. Source of the names: the guide's
#: automating-sagemaker-with-eventbridge; of those that it does not list, unverified.
_REPLACED = {
    "ModelApprovalStatus": "ModelApprovalStatus",
    "ApprovalDescription": "ApprovalDescription",
    "InferenceSpecification": "InferenceSpecification",
    "ModelCard": "ModelCard",
    "ModelLifeCycle": "ModelLifeCycle",
    "ModelPackageRegistrationType": "ModelPackageRegistrationType",
    "SourceUri": "sourceUri",
}
_MERGED = {
    "CustomerMetadataProperties": "CustomerMetadataProperties",
    "AdditionalInferenceSpecifications": "AdditionalInferenceSpecifications",
}
#: What is left of a model card whose content is not to be decrypted. Source: the model's words on
#: DescribeModelPackage's ModelCard.
_CARD_FIELDS = {
    "model_overview": ("model_id", "model_name"),
    "intended_uses": ("risk_rating",),
    "model_package_details": ("model_package_group_name", "model_package_arn"),
}


def new_package(
    request: Document, specifications: Document, arn: str, at: float, *, version: int | None
) -> dict[str, Any]:
    """Return the document of a package created ``at`` (epoch seconds), with the specifications
    (InferenceSpecification, AdditionalInferenceSpecifications) that are recorded of it.
    """
    if version is None:
        named = {"ModelPackageName": request["ModelPackageName"]}
    else:
        named = {
            "ModelPackageGroupName": request["ModelPackageGroupName"],
            "ModelPackageVersion": version,
            "ModelApprovalStatus": request.get("ModelApprovalStatus", "PendingManualApproval"),
        }
    return {
        **named,
        "ModelPackageArn": arn,
        "CreationTime": at,
        **specifications,
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "CertifyForMarketplace": False,
        "CreatedBy": {},
        "LastModifiedTime": at,
        **{name: request[name] for name in _ECHOED if name in request},
    }


def described_package(document: Document, *, metadata_only: bool) -> dict[str, Any]:
    """Return what Describe answers of a document."""
    card = document.get("ModelCard")
    if not metadata_only or not card or "ModelCardContent" not in card:
        return dict(document)
    content = _sanitized(card["ModelCardContent"])
    return {**document, "ModelCard": {**card, "ModelCardContent": content}}


def batch_summary(document: Document) -> dict[str, Any]:
    """Return what BatchDescribeModelPackage answers of a document."""
    return {name: document[name] for name in _BATCH if name in document}


def updated(document: Document, request: Document, at: float) -> dict[str, Any]:
    """Return ``document`` as UpdateModelPackage changes it; specifications are recorded ones.

    That CustomerMetadataProperties are merged is unverified; members that are to be removed are not
    there afterwards, also where they are sent again.
    """
    changes = {name: request[name] for name in _REPLACED if name in request}
    properties = {
        **document.get("CustomerMetadataProperties", {}),
        **request.get("CustomerMetadataProperties", {}),
    }
    for name in request.get("CustomerMetadataPropertiesToRemove", ()):
        properties.pop(name, None)
    more = [
        *document.get("AdditionalInferenceSpecifications", ()),
        *request.get("AdditionalInferenceSpecificationsToAdd", ()),
    ]
    merged = {"CustomerMetadataProperties": properties, "AdditionalInferenceSpecifications": more}
    kept = {name: value for name, value in document.items() if name not in merged}
    return {
        **kept,
        **{name: value for name, value in merged.items() if value},
        **changes,
        "LastModifiedTime": at,
        "LastModifiedBy": {},
    }


def changed_fields(before: Document, after: Document) -> list[str]:
    """Return what an event calls the members that an update changed."""
    known = {**_REPLACED, **_MERGED}
    return [told for name, told in known.items() if before.get(name) != after.get(name)]


def _sanitized(content: str) -> str:
    try:
        card = json.loads(content)
    except (ValueError, RecursionError):
        return "{}"
    kept: dict[str, Any] = {}
    for part, names in _CARD_FIELDS.items():
        found = card.get(part) if isinstance(card, dict) else None
        left = {name: found[name] for name in names if name in found} if found else {}
        if left:
            kept[part] = left
    return json.dumps(kept)
