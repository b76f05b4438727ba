"""Models, endpoint configurations and endpoints: rules across their fields."""

from collections.abc import Iterator

from sagedock.api.rules.components import CREATE_CONFIG as HOSTS
from sagedock.api.rules.hosting_deployment import RULES as DEPLOYMENT
from sagedock.api.rules.hosting_kinds import RULES as KINDS
from sagedock.api.rules.rule import BROKEN, Finding, Request, Rule, repeated
from sagedock.api.rules.sources import API, GITHUB, GUIDE
from sagedock.api.rules.tags import RULES as TAGS

__all__ = ["CREATE_CONFIG", "CREATE_ENDPOINT", "CREATE_MODEL", "UPDATE_ENDPOINT", "UPDATE_WEIGHTS"]

_UNCOMPRESSED = GUIDE + "large-model-inference-uncompressed.html"


def _containers(request: Request) -> Iterator[Request]:
    if (primary := request.get("PrimaryContainer")) is not None:
        yield primary
    yield from request.get("Containers") or ()


def _missing_parts(request: Request) -> Finding:
    has_primary = request.get("PrimaryContainer") is not None
    return BROKEN if has_primary == bool(request.get("Containers")) else None


def _no_image(request: Request) -> Finding:
    lacks = any(
        not each.get("Image") and not each.get("ModelPackageName") for each in _containers(request)
    )
    return BROKEN if lacks else None


def _image_of_package(request: Request) -> Finding:
    data = ("Image", "ModelDataUrl", "ModelDataSource", "AdditionalModelDataSources")
    both = any(
        each.get("ModelPackageName") and any(each.get(name) for name in data)
        for each in _containers(request)
    )
    return BROKEN if both else None


def _two_sources(request: Request) -> Finding:
    both = any(
        each.get("ModelDataUrl") and each.get("ModelDataSource") for each in _containers(request)
    )
    return BROKEN if both else None


def _s3_sources(request: Request) -> Iterator[Request]:
    for each in _containers(request):
        if source := (each.get("ModelDataSource") or {}).get("S3DataSource"):
            yield source
        for more in each.get("AdditionalModelDataSources") or ():
            yield more["S3DataSource"]


def _same_channels(request: Request) -> Finding:
    for each in _containers(request):
        more = each.get("AdditionalModelDataSources") or ()
        if found := repeated(source["ChannelName"] for source in more):
            return found
    return None


def _channel_no_folder(request: Request) -> Finding:
    for each in _containers(request):
        for source in each.get("AdditionalModelDataSources") or ():
            if source["ChannelName"] in (".", ".."):
                return {"name": source["ChannelName"]}
    return None


def _of_many_models(request: Request) -> list[Request]:
    return [each for each in _containers(request) if each.get("Mode") == "MultiModel"]


def _two_of_many_models(request: Request) -> Finding:
    return BROKEN if len(_of_many_models(request)) > 1 else None


def _many_models_without_prefix(request: Request) -> Finding:
    lacks = any(
        not each.get("ModelDataUrl") or each.get("ModelDataSource")
        for each in _of_many_models(request)
    )
    return BROKEN if lacks else None


def _hostnames(request: Request) -> list[str | None]:
    containers = request.get("Containers") or ()
    names = [each.get("ContainerHostname") or None for each in containers]
    return names if len(names) > 1 else []


def _some_hostnames(request: Request) -> Finding:
    names = _hostnames(request)
    return BROKEN if any(names) and not all(names) else None


def _same_hostnames(request: Request) -> Finding:
    return repeated(name for name in _hostnames(request) if name)


def _direct_without_hostnames(request: Request) -> Finding:
    mode = (request.get("InferenceExecutionConfig") or {}).get("Mode")
    names = _hostnames(request)
    return BROKEN if mode == "Direct" and names and not any(names) else None


def _prefix_without_slash(request: Request) -> Finding:
    for source in _s3_sources(request):
        if source["S3DataType"] == "S3Prefix" and not source["S3Uri"].endswith("/"):
            return {"uri": source["S3Uri"]}
    return None


def _compressed_prefix(request: Request) -> Finding:
    for source in _s3_sources(request):
        if source["S3DataType"] == "S3Prefix" and source["CompressionType"] == "Gzip":
            return {"uri": source["S3Uri"]}
    return None


def _variants(request: Request) -> Iterator[Request]:
    yield from request.get("ProductionVariants") or ()
    yield from request.get("ShadowProductionVariants") or ()


def _same_variants(request: Request) -> Finding:
    return repeated(each["VariantName"] for each in _variants(request))


def _variant_without_instances(request: Request) -> Finding:
    for each in _variants(request):
        elsewhere = each.get("ServerlessConfig") or each.get("InstancePools")
        if not elsewhere and not (each.get("InstanceType") and each.get("InitialInstanceCount")):
            return {"name": each["VariantName"]}
    return None


def _too_many_for_shadows(request: Request) -> Finding:
    shadows = request.get("ShadowProductionVariants") or ()
    several = len(shadows) > 1 or len(request.get("ProductionVariants") or ()) > 1
    return BROKEN if shadows and several else None


def _scaled_variant_with_a_model(request: Request) -> Finding:
    mixed = any(
        each.get("ManagedInstanceScaling") and "ModelName" in each for each in _variants(request)
    )
    return BROKEN if mixed else None


def _same_desires(request: Request) -> Finding:
    return repeated(each["VariantName"] for each in request.get("DesiredWeightsAndCapacities", ()))


CREATE_MODEL: tuple[Rule, ...] = (
    Rule(
        fields=("PrimaryContainer", "Containers"),
        finding=_missing_parts,
        message="You must provide exactly one of PrimaryContainer and Containers.",
        source=API + "API_CreateModel.html",
        verified=False,
    ),
    Rule(
        fields=("PrimaryContainer", "Containers"),
        finding=_no_image,
        message="Each container definition must provide an Image or a ModelPackageName.",
        source=API + "API_ContainerDefinition.html",
        verified=False,
    ),
    Rule(
        fields=("PrimaryContainer", "Containers"),
        finding=_image_of_package,
        message=(
            "A container definition with a ModelPackageName cannot provide an Image or model data."
        ),
        source=API + "API_ContainerDefinition.html",
        verified=False,
    ),
    Rule(
        fields=("PrimaryContainer", "Containers"),
        finding=_two_sources,
        message="A container definition cannot provide both ModelDataUrl and ModelDataSource.",
        source=API + "API_ContainerDefinition.html",
        verified=False,
    ),
    Rule(
        fields=("PrimaryContainer", "Containers"),
        finding=_prefix_without_slash,
        message='S3Uri "{uri}" of an S3Prefix must end with a forward slash.',
        source=_UNCOMPRESSED,
        verified=False,
    ),
    Rule(
        fields=("PrimaryContainer", "Containers"),
        finding=_compressed_prefix,
        message='CompressionType Gzip needs S3DataType S3Object: "{uri}" is an S3Prefix.',
        source=API + "API_S3ModelDataSource.html",
        verified=False,
    ),
    Rule(
        fields=("Containers",),
        finding=_two_of_many_models,
        message=(
            "More than one container in MultiModel mode is not supported with inference pipeline."
        ),
        source=GITHUB + "OElesin/sagemaker-autopilot-step-functions/issues/10",
        verified=True,
    ),
    Rule(
        fields=("PrimaryContainer", "Containers"),
        finding=_many_models_without_prefix,
        message="A container in MultiModel mode must provide a ModelDataUrl, and no "
        "ModelDataSource.",
        source=API + "API_ContainerDefinition.html",
        verified=False,
    ),
    Rule(
        fields=("Containers",),
        finding=_some_hostnames,
        message="ContainerHostname must be specified for every container, or for none.",
        source=API + "API_ContainerDefinition.html",
        verified=False,
    ),
    Rule(
        fields=("Containers",),
        finding=_same_hostnames,
        message="ContainerHostname must be unique within a model: {names}",
        source=API + "API_ContainerDefinition.html",
        verified=False,
    ),
    Rule(
        fields=("Containers", "InferenceExecutionConfig"),
        finding=_direct_without_hostnames,
        message="ContainerHostname must be specified for every container of a model that is "
        "invoked directly.",
        source=GUIDE + "multi-container-create.html",
        verified=False,
    ),
    Rule(
        fields=("PrimaryContainer", "Containers"),
        finding=_same_channels,
        message="ChannelName must be unique within AdditionalModelDataSources: {names}",
        source=API + "API_AdditionalModelDataSource.html",
        verified=False,
    ),
    Rule(
        fields=("PrimaryContainer", "Containers"),
        finding=_channel_no_folder,
        message='ChannelName "{name}" can be no folder of its own.',
        source=API + "API_AdditionalModelDataSource.html",
        verified=False,
    ),
    *TAGS,
)
CREATE_CONFIG: tuple[Rule, ...] = (
    Rule(
        fields=("ProductionVariants", "ShadowProductionVariants"),
        finding=_same_variants,
        message="Variant names must be unique within an endpoint configuration: {names}",
        source=API + "API_ProductionVariant.html",
        verified=False,
    ),
    Rule(
        fields=("ProductionVariants", "ShadowProductionVariants"),
        finding=_too_many_for_shadows,
        message="With ShadowProductionVariants there must be one production variant and one shadow "
        "variant.",
        source=API + "API_CreateEndpointConfig.html",
        verified=False,
    ),
    Rule(
        fields=("ProductionVariants",),
        finding=_scaled_variant_with_a_model,
        message="ManagedInstanceScaling is not supported with the given EndpointConfig setup.",
        source=GITHUB + "DIAGNijmegen/rse-grand-challenge/pull/4659",
        verified=True,
    ),
    Rule(
        fields=("ProductionVariants", "ShadowProductionVariants"),
        finding=_variant_without_instances,
        message="Variant {name} must have an InstanceType and an InitialInstanceCount.",
        source=API + "API_ProductionVariant.html",
        verified=False,
    ),
    *KINDS,
    *HOSTS,
    *TAGS,
)
CREATE_ENDPOINT: tuple[Rule, ...] = (*DEPLOYMENT, *TAGS)
UPDATE_ENDPOINT: tuple[Rule, ...] = DEPLOYMENT
UPDATE_WEIGHTS: tuple[Rule, ...] = (
    Rule(
        fields=("DesiredWeightsAndCapacities",),
        finding=_same_desires,
        message="Each variant can be updated once in a request: {names}",
        source=API + "API_UpdateEndpointWeightsAndCapacities.html",
        verified=False,
    ),
)
