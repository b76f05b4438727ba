"""Asynchronous and serverless endpoint configurations: what they cannot have beside that."""

from collections.abc import Iterator

from sagedock.api.rules.rule import BROKEN, Finding, Request, Rule
from sagedock.api.rules.sources import API, GITHUB, GUIDE

__all__ = ["RULES"]

_VARIANTS = ("ProductionVariants", "ShadowProductionVariants")
_SERVERLESS = GUIDE + "serverless-endpoints.html"
_MEMORY_STEP_MB = 1024
#: "If your EndpointConfig is asynchronous, you can have a single instance-based production
#: variant", and a single serverless one otherwise: an author of the service's own constructs.
_SINGLE = GITHUB + "aws/aws-cdk-rfcs/pull/433"
_INSTANCES = ("InstanceType", "InitialInstanceCount", "InstancePools", "ManagedInstanceScaling")


def _variants(request: Request) -> list[Request]:
    return [each for member in _VARIANTS for each in request.get(member) or ()]


def _serverless(request: Request) -> Iterator[Request]:
    return (each for each in _variants(request) if each.get("ServerlessConfig"))


def _is_serverless(request: Request) -> bool:
    return any(_serverless(request))


def _asynchronous_without_one_variant(request: Request) -> Finding:
    is_broken = request.get("AsyncInferenceConfig") and len(_variants(request)) > 1
    return BROKEN if is_broken else None


def _asynchronous_and_serverless(request: Request) -> Finding:
    is_broken = request.get("AsyncInferenceConfig") and _is_serverless(request)
    return BROKEN if is_broken else None


def _serverless_beside_others(request: Request) -> Finding:
    return BROKEN if _is_serverless(request) and len(_variants(request)) > 1 else None


def _serverless_with_instances(request: Request) -> Finding:
    for each in _serverless(request):
        if any(each.get(name) for name in _INSTANCES):
            return {"name": each["VariantName"]}
    return None


def _odd_memory(request: Request) -> Finding:
    for each in _serverless(request):
        if each["ServerlessConfig"]["MemorySizeInMB"] % _MEMORY_STEP_MB:
            return {"name": each["VariantName"]}
    return None


def _more_provisioned(request: Request) -> Finding:
    for each in _serverless(request):
        config = each["ServerlessConfig"]
        if config.get("ProvisionedConcurrency", 0) > config["MaxConcurrency"]:
            return {"name": each["VariantName"]}
    return None


def _excluded(request: Request) -> Finding:
    if not _is_serverless(request):
        return None
    capture = request.get("DataCaptureConfig")
    wishes = {
        "data capture": capture and capture.get("EnableCapture", True),
        "network isolation": request.get("EnableNetworkIsolation"),
        "VPC configuration": request.get("VpcConfig"),
    }
    named = [name for name, wanted in wishes.items() if wanted]
    return {"names": ", ".join(named)} if named else None


RULES: tuple[Rule, ...] = (
    Rule(
        fields=("AsyncInferenceConfig", *_VARIANTS),
        finding=_asynchronous_without_one_variant,
        message="Multiple variants are not supported when specifying an AsyncInferenceConfig.",
        source=_SINGLE,
        verified=False,
    ),
    Rule(
        fields=("AsyncInferenceConfig", "ProductionVariants"),
        finding=_asynchronous_and_serverless,
        message="Serverless variants are not supported when specifying an AsyncInferenceConfig.",
        source=_SINGLE,
        verified=False,
    ),
    Rule(
        fields=_VARIANTS,
        finding=_serverless_beside_others,
        message="Multiple variants are not supported for serverless endpoints.",
        source=_SERVERLESS,
        verified=False,
    ),
    Rule(
        fields=_VARIANTS,
        finding=_serverless_with_instances,
        message="Variant {name} cannot have both a ServerlessConfig and instances.",
        source=API + "API_ProductionVariant.html",
        verified=False,
    ),
    Rule(
        fields=_VARIANTS,
        finding=_odd_memory,
        message=("MemorySizeInMB of variant {name} must be 1024, 2048, 3072, 4096, 5120 or 6144."),
        source=API + "API_ProductionVariantServerlessConfig.html",
        verified=False,
    ),
    Rule(
        fields=_VARIANTS,
        finding=_more_provisioned,
        message="ProvisionedConcurrency of variant {name} must not exceed its MaxConcurrency.",
        source=API + "API_ProductionVariantServerlessConfig.html",
        verified=False,
    ),
    Rule(
        fields=("ProductionVariants", "DataCaptureConfig", "EnableNetworkIsolation", "VpcConfig"),
        finding=_excluded,
        message="Not supported for serverless endpoints: {names}.",
        source=_SERVERLESS,
        verified=False,
        excludes=True,
    ),
)
