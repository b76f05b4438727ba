"""Inference components: rules across their fields."""

from collections.abc import Iterator

from sagedock.api.rules.rule import BROKEN, Finding, Request, Rule, part
from sagedock.api.rules.sources import API, GITHUB
from sagedock.api.rules.tags import RULES as TAGS

__all__ = ["CREATE_COMPONENT", "CREATE_CONFIG", "UPDATE_COMPONENT"]

_SPECIFICATION = API + "API_InferenceComponentSpecification.html"
_NEEDS = API + "API_InferenceComponentComputeResourceRequirements.html"
_CREATE = API + "API_CreateInferenceComponent.html"
#: All of it measured there, of endpoints and components.
_MEASURED = GITHUB + "stdapi-ai/stdapi.ai/issues/43"


def _specifications(request: Request) -> Iterator[Request]:
    """Yield each specification of a whole model: not those of adapters, which have a base."""
    one = request.get("Specification")
    for each in (*((one,) if one is not None else ()), *(request.get("Specifications") or ())):
        if not each.get("BaseInferenceComponentName"):
            yield each


def _is_whole(request: Request) -> bool:
    return any(_specifications(request))


def _not_one_specification(request: Request) -> Finding:
    has_one = request.get("Specification") is not None
    return BROKEN if has_one == bool(request.get("Specifications")) else None


def _two_specifications(request: Request) -> Finding:
    both = request.get("Specification") is not None and request.get("Specifications")
    return BROKEN if both else None


def _nothing_to_update(request: Request) -> Finding:
    wishes = ("Specification", "Specifications", "RuntimeConfig")
    return None if any(request.get(name) is not None for name in wishes) else BROKEN


def _not_one_model(request: Request) -> Finding:
    lacks = any(
        bool(each.get("ModelName")) == bool(each.get("Container"))
        for each in _specifications(request)
    )
    return BROKEN if lacks else None


def _container_without_image(request: Request) -> Finding:
    lacks = any(
        each.get("Container") and not each["Container"].get("Image")
        for each in _specifications(request)
    )
    return BROKEN if lacks else None


def _without_needs(request: Request) -> Finding:
    lacks = any(not each.get("ComputeResourceRequirements") for each in _specifications(request))
    return BROKEN if lacks else None


def _less_than_the_minimum(request: Request) -> Finding:
    for each in _specifications(request):
        needs = part(each, "ComputeResourceRequirements")
        least = needs.get("MinMemoryRequiredInMb", 0)
        if needs.get("MaxMemoryRequiredInMb", least) < least:
            return BROKEN
    return None


def _without_variant(request: Request) -> Finding:
    return BROKEN if _is_whole(request) and not request.get("VariantName") else None


def _without_count(request: Request) -> Finding:
    return BROKEN if _is_whole(request) and request.get("RuntimeConfig") is None else None


def _no_copy(request: Request) -> Finding:
    return BROKEN if part(request, "RuntimeConfig").get("CopyCount") == 0 else None


def _hosts(request: Request) -> list[Request]:
    """Return the variants that are to host components."""
    variants = (
        *(request.get("ProductionVariants") or ()),
        *(request.get("ShadowProductionVariants") or ()),
    )
    return [each for each in variants if not each.get("ModelName")]


def _mixed(request: Request) -> Finding:
    every = len(request.get("ProductionVariants") or ())
    every += len(request.get("ShadowProductionVariants") or ())
    return BROKEN if 0 < len(_hosts(request)) < every else None


def _hosts_without_role(request: Request) -> Finding:
    return BROKEN if _hosts(request) and not request.get("ExecutionRoleArn") else None


def _serverless_hosts(request: Request) -> Finding:
    for each in _hosts(request):
        if each.get("ServerlessConfig"):
            return {"name": each["VariantName"]}
    return None


_OF_A_SPECIFICATION: tuple[Rule, ...] = (
    Rule(
        fields=("Specification", "Specifications"),
        finding=_not_one_model,
        message="A Specification must have exactly one of ModelName and Container.",
        source=_SPECIFICATION,
        verified=False,
    ),
    Rule(
        fields=("Specification", "Specifications"),
        finding=_container_without_image,
        message="The Container of a Specification must have an Image.",
        source=API + "API_InferenceComponentContainerSpecification.html",
        verified=False,
    ),
    Rule(
        fields=("Specification", "Specifications"),
        finding=_without_needs,
        message="A Specification must have ComputeResourceRequirements.",
        source=_SPECIFICATION,
        verified=False,
    ),
    Rule(
        fields=("Specification", "Specifications"),
        finding=_less_than_the_minimum,
        message="MaxMemoryRequiredInMb must not be less than MinMemoryRequiredInMb.",
        source=_NEEDS,
        verified=False,
    ),
)
CREATE_COMPONENT: tuple[Rule, ...] = (
    Rule(
        fields=("Specification", "Specifications"),
        finding=_not_one_specification,
        message="You must provide exactly one of Specification and Specifications.",
        source=_CREATE,
        verified=False,
    ),
    *_OF_A_SPECIFICATION,
    Rule(
        fields=("VariantName", "Specification"),
        finding=_without_variant,
        message="You must provide the VariantName of an inference component.",
        source=_CREATE,
        verified=False,
    ),
    Rule(
        fields=("RuntimeConfig", "Specification"),
        finding=_without_count,
        message="You must provide the RuntimeConfig of an inference component.",
        source=_CREATE,
        verified=False,
    ),
    Rule(
        fields=("RuntimeConfig",),
        finding=_no_copy,
        message="Inference components copy count an integer larger than 0",
        source=_MEASURED,
        verified=True,
    ),
    *TAGS,
)
UPDATE_COMPONENT: tuple[Rule, ...] = (
    Rule(
        fields=("Specification", "Specifications"),
        finding=_two_specifications,
        message="You must not provide both Specification and Specifications.",
        source=API + "API_UpdateInferenceComponent.html",
        verified=False,
    ),
    Rule(
        fields=("Specification", "RuntimeConfig"),
        finding=_nothing_to_update,
        message="You must provide a Specification or a RuntimeConfig to update.",
        source=API + "API_UpdateInferenceComponent.html",
        verified=False,
    ),
    *_OF_A_SPECIFICATION,
)
#: Of configurations whose variants have no model: they host components.
CREATE_CONFIG: tuple[Rule, ...] = (
    Rule(
        fields=("ProductionVariants", "ShadowProductionVariants"),
        finding=_mixed,
        message="Variants with a ModelName and variants without one cannot be in one endpoint "
        "configuration.",
        source=API + "API_CreateEndpointConfig.html",
        verified=False,
    ),
    Rule(
        fields=("ExecutionRoleArn", "ProductionVariants"),
        finding=_hosts_without_role,
        message="ExecutionRoleArn is required for an endpoint configuration without models, which "
        "is for inference components.",
        source=_MEASURED,
        verified=False,
    ),
    Rule(
        fields=("ProductionVariants",),
        finding=_serverless_hosts,
        message="Serverless variant {name} must have a ModelName.",
        source=API + "API_ProductionVariant.html",
        verified=False,
    ),
)
