"""CreateProcessingJob."""

from collections.abc import Iterator, Sequence
from typing import Any

from sagedock.api.rules.image_names import is_in_ecr
from sagedock.api.rules.rule import Finding, Request, Rule, part, repeated
from sagedock.api.rules.sources import API, GITHUB, GUIDE
from sagedock.contract.paths import PROCESSING

__all__ = ["CREATE_PROCESSING"]

_FOLDER = f"{PROCESSING}/"
_SELECTED = ("SelectedInstanceType", "SelectedInstanceCount")


def _inputs(request: Request) -> Sequence[Request]:
    return request.get("ProcessingInputs") or ()


def _outputs(request: Request) -> Sequence[Request]:
    return part(request, "ProcessingOutputConfig").get("Outputs") or ()


def _cluster(request: Request) -> Request:
    return part(part(request, "ProcessingResources"), "ClusterConfig")


def _image_elsewhere(request: Request) -> Finding:
    image = part(request, "AppSpecification").get("ImageUri")
    return {"image": image} if image is not None and not is_in_ecr(image) else None


def _type_or_preferences(request: Request) -> Finding:
    cluster = _cluster(request)
    given = [name for name in ("InstanceType", "InstancePreferences") if cluster.get(name)]
    return {} if cluster and len(given) != 1 else None


def _chosen_already(request: Request) -> Finding:
    given = [name for name in _SELECTED if name in _cluster(request)]
    return {"members": ", ".join(given)} if given else None


def _repeated_inputs(request: Request) -> Finding:
    return repeated(each["InputName"] for each in _inputs(request))


def _repeated_outputs(request: Request) -> Finding:
    return repeated(each["OutputName"] for each in _outputs(request))


def _first(names: Iterator[str]) -> Finding:
    name = next(names, None)
    return None if name is None else {"name": name}


def _input_of_no_kind(request: Request) -> Finding:
    return _first(
        each["InputName"]
        for each in _inputs(request)
        if ("S3Input" in each) == ("DatasetDefinition" in each)
    )


def _output_of_no_kind(request: Request) -> Finding:
    return _first(
        each["OutputName"]
        for each in _outputs(request)
        if ("S3Output" in each) == ("FeatureStoreOutput" in each)
    )


def _features_without_application(request: Request) -> Finding:
    return _first(
        each["OutputName"]
        for each in _outputs(request)
        if "FeatureStoreOutput" in each and not each.get("AppManaged")
    )


def _places(request: Request) -> Iterator[tuple[str, Any]]:
    """Yield (name, LocalPath or None) of each input and output that the platform moves."""
    for each in _inputs(request):
        source = each.get("S3Input") or each.get("DatasetDefinition")
        if source is not None and not each.get("AppManaged"):
            yield each["InputName"], source.get("LocalPath")
    for each in _outputs(request):
        if "S3Output" in each and not each.get("AppManaged"):
            yield each["OutputName"], each["S3Output"].get("LocalPath")


def _placeless(request: Request) -> Finding:
    return _first(name for name, path in _places(request) if not path)


def _misplaced(request: Request) -> Finding:
    for name, path in _places(request):
        if path and not path.startswith(_FOLDER):
            return {"name": name, "path": path}
    return None


def _same_place(request: Request) -> Finding:
    paths = [
        part(each, "S3Input").get("LocalPath") for each in _inputs(request) if "S3Input" in each
    ]
    return repeated(path.rstrip("/") for path in paths if path)


def _packed_files(request: Request) -> Finding:
    return _first(
        each["InputName"]
        for each in _inputs(request)
        if part(each, "S3Input").get("S3CompressionType") == "Gzip"
        and part(each, "S3Input").get("S3InputMode") != "Pipe"
    )


CREATE_PROCESSING: tuple[Rule, ...] = (
    Rule(
        fields=("AppSpecification.ImageUri",),
        finding=_image_elsewhere,
        message=(
            "Invalid image URI {image}. Please provide a valid Amazon Elastic Container Registry "
            "path of the Docker image to run."
        ),
        # Row 72 of the jobs, where the image is no URI; of other registries it is unverified.
        source=GUIDE + "build-your-own-processing-container.html",
        verified=True,
    ),
    Rule(
        fields=("ProcessingResources.ClusterConfig",),
        finding=_type_or_preferences,
        message=(
            "Exactly one of InstanceType and InstancePreferences must be specified in ClusterConfig"
        ),
        source=API + "API_ProcessingClusterConfig.html",
        verified=False,
    ),
    Rule(
        fields=("ProcessingResources.ClusterConfig",),
        finding=_chosen_already,
        message="{members} cannot be specified in a request: the service answers it",
        source=API + "API_ProcessingClusterConfig.html",
        verified=False,
    ),
    Rule(
        fields=("ProcessingInputs",),
        finding=_repeated_inputs,
        message="InputName must be unique among ProcessingInputs. Duplicate names: [{names}]",
        source=API + "API_ProcessingInput.html",
        verified=False,
    ),
    Rule(
        fields=("ProcessingOutputConfig.Outputs",),
        finding=_repeated_outputs,
        message="OutputName must be unique among Outputs. Duplicate names: [{names}]",
        source=API + "API_ProcessingOutput.html",
        verified=False,
    ),
    Rule(
        fields=("ProcessingInputs",),
        finding=_input_of_no_kind,
        message="Exactly one of S3Input and DatasetDefinition must be specified for input {name}",
        source=API + "API_ProcessingInput.html",
        verified=False,
    ),
    Rule(
        fields=("ProcessingOutputConfig.Outputs",),
        finding=_output_of_no_kind,
        message=(
            "Exactly one of S3Output and FeatureStoreOutput must be specified for output {name}"
        ),
        source=API + "API_ProcessingOutput.html",
        verified=False,
    ),
    Rule(
        fields=("ProcessingOutputConfig.Outputs",),
        finding=_features_without_application,
        message="FeatureStoreOutput of output {name} is only supported when AppManaged is True",
        source=API + "API_ProcessingOutput.html",
        verified=False,
    ),
    Rule(
        fields=("ProcessingInputs", "ProcessingOutputConfig.Outputs"),
        finding=_placeless,
        message="LocalPath is required when AppManaged is False, and {name} has none",
        source=API + "API_ProcessingS3Input.html",
        verified=False,
    ),
    Rule(
        fields=("ProcessingInputs", "ProcessingOutputConfig.Outputs"),
        finding=_misplaced,
        message=f"LocalPath must begin with {_FOLDER}, and that of {{name}} is {{path}}",
        source=GUIDE + "byoc-input-and-output.html",
        verified=False,
    ),
    Rule(
        fields=("ProcessingInputs",),
        finding=_same_place,
        # The service sends no message at all.
        message="LocalPath must be unique among ProcessingInputs. Duplicate paths: [{names}]",
        source=GITHUB + "aws/sagemaker-python-sdk/issues/4939",
        verified=False,
    ),
    Rule(
        fields=("ProcessingInputs",),
        finding=_packed_files,
        message=(
            "S3CompressionType Gzip can only be used with S3InputMode Pipe, which input {name} "
            "has not"
        ),
        source=API + "API_ProcessingS3Input.html",
        verified=False,
    ),
)
