"""Model packages and their groups: rules across their fields."""

from collections.abc import Iterator

from sagedock.api.rules.rule import BROKEN, Finding, Request, Rule, part, repeated
from sagedock.api.rules.sources import API, GITHUB
from sagedock.api.rules.tags import RULES as TAGS

__all__ = ["CREATE_PACKAGE", "UPDATE_PACKAGE"]

_CREATE = API + "API_CreateModelPackage.html"
_TYPES = ("SupportedTransformInstanceTypes", "SupportedRealtimeInferenceInstanceTypes")


def _named_by_nothing(request: Request) -> Finding:
    named = request.get("ModelPackageName") or request.get("ModelPackageGroupName")
    return None if named else BROKEN


def _named_twice(request: Request) -> Finding:
    both = request.get("ModelPackageName") and request.get("ModelPackageGroupName")
    return BROKEN if both else None


def _is_versioned(request: Request) -> bool:
    return bool(request.get("ModelPackageGroupName"))


def _containers(request: Request) -> Iterator[Request]:
    yield from part(request, "InferenceSpecification").get("Containers") or ()
    for each in request.get("AdditionalInferenceSpecifications") or ():
        yield from each["Containers"]
    for each in request.get("AdditionalInferenceSpecificationsToAdd") or ():
        yield from each["Containers"]


def _environment_without_version(request: Request) -> Finding:
    has = any(each.get("Environment") for each in _containers(request))
    unversioned = bool(request.get("ModelPackageName"))
    return BROKEN if unversioned and has else None


def _approval_without_version(request: Request) -> Finding:
    given = request.get("ModelApprovalStatus") and request.get("ModelPackageName")
    return BROKEN if given else None


def _tags_of_version(request: Request) -> Finding:
    return BROKEN if _is_versioned(request) and request.get("Tags") else None


def _marketplace_of_version(request: Request) -> Finding:
    return BROKEN if _is_versioned(request) and request.get("CertifyForMarketplace") else None


def _two_origins(request: Request) -> Finding:
    both = request.get("InferenceSpecification") and request.get("SourceAlgorithmSpecification")
    return BROKEN if both else None


def _no_instance_types(request: Request) -> Finding:
    specification = part(request, "InferenceSpecification")
    if _is_versioned(request) or not specification:
        return None
    lacking = [name for name in _TYPES if not specification.get(name)]
    return {"name": lacking[0]} if lacking else None


def _two_sources(request: Request) -> Finding:
    both = any(
        each.get("ModelDataUrl") and each.get("ModelDataSource") for each in _containers(request)
    )
    return BROKEN if both else None


def _same_specifications(request: Request) -> Finding:
    given = request.get("AdditionalInferenceSpecifications") or ()
    return repeated(each["Name"] for each in given)


_SPECIFICATION = Rule(
    fields=("InferenceSpecification",),
    finding=_two_sources,
    message="A container definition cannot provide both ModelDataUrl and ModelDataSource.",
    source=API + "API_ModelPackageContainerDefinition.html",
    verified=False,
)
CREATE_PACKAGE: tuple[Rule, ...] = (
    Rule(
        fields=("ModelPackageName", "ModelPackageGroupName"),
        finding=_named_by_nothing,
        message="Missing ARN",
        source=GITHUB + "aws/sagemaker-python-sdk/issues/2696",
        verified=True,
    ),
    Rule(
        fields=("ModelPackageName", "ModelPackageGroupName"),
        finding=_named_twice,
        message=(
            "Both ModelPackageName and ModelPackageGroupName are provided in the input. Cannot "
            "determine which one to use."
        ),
        source=GITHUB + "getmoto/moto/pull/7165",
        verified=False,
    ),
    Rule(
        fields=("InferenceSpecification", "ModelPackageName"),
        finding=_environment_without_version,
        message=(
            "1 validation errors detected:Environment variable map cannot be specified when using "
            "non-versioned ModelPackages"
        ),
        source=_CREATE,
        verified=True,
    ),
    Rule(
        fields=("ModelApprovalStatus", "ModelPackageName"),
        finding=_approval_without_version,
        message="ModelApprovalStatus cannot be specified when using non-versioned ModelPackages",
        source=_CREATE,
        verified=False,
    ),
    Rule(
        fields=("Tags", "ModelPackageGroupName"),
        finding=_tags_of_version,
        message=(
            "Tags cannot be specified for a versioned ModelPackage: it has those of its "
            "ModelPackageGroup"
        ),
        source=_CREATE,
        verified=False,
    ),
    Rule(
        fields=("CertifyForMarketplace", "ModelPackageGroupName"),
        finding=_marketplace_of_version,
        message="CertifyForMarketplace cannot be specified for a versioned ModelPackage",
        source=_CREATE,
        verified=False,
    ),
    Rule(
        fields=("InferenceSpecification", "SourceAlgorithmSpecification"),
        finding=_two_origins,
        message=(
            "Only one of InferenceSpecification and SourceAlgorithmSpecification can be specified"
        ),
        source=_CREATE,
        verified=False,
    ),
    Rule(
        fields=("InferenceSpecification", "ModelPackageName"),
        finding=_no_instance_types,
        message="{name} must be specified when using non-versioned ModelPackages",
        source=API + "API_InferenceSpecification.html",
        verified=False,
    ),
    Rule(
        fields=("AdditionalInferenceSpecifications",),
        finding=_same_specifications,
        message="Names of additional inference specifications must be unique: {names}",
        source=API + "API_AdditionalInferenceSpecificationDefinition.html",
        verified=False,
    ),
    _SPECIFICATION,
    *TAGS,
)
UPDATE_PACKAGE: tuple[Rule, ...] = (_SPECIFICATION,)
