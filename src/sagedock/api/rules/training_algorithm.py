"""CreateTrainingJob: the image or the algorithm, and its metrics."""

from sagedock.api.rules.image_names import is_in_ecr, is_name
from sagedock.api.rules.rule import BROKEN, Finding, Request, Rule, part, repeated
from sagedock.api.rules.sources import API, GITHUB, GUIDE

__all__ = ["RULES"]


def _image(request: Request) -> str:
    return str(part(request, "AlgorithmSpecification").get("TrainingImage") or "")


def _from_vpc(request: Request) -> bool:
    config = part(part(request, "AlgorithmSpecification"), "TrainingImageConfig")
    return config.get("TrainingRepositoryAccessMode") == "Vpc"


def _image_or_algorithm(request: Request) -> Finding:
    algorithm = part(request, "AlgorithmSpecification")
    given = [name for name in ("TrainingImage", "AlgorithmName") if algorithm.get(name)]
    return BROKEN if algorithm and len(given) != 1 else None


def _malformed_image(request: Request) -> Finding:
    image = _image(request)
    return BROKEN if image and not is_name(image) else None


def _foreign_image(request: Request) -> Finding:
    image = _image(request)
    foreign = is_name(image) and not is_in_ecr(image)
    return BROKEN if foreign and not _from_vpc(request) else None


def _vpc_image_without_vpc(request: Request) -> Finding:
    return BROKEN if _from_vpc(request) and not request.get("VpcConfig") else None


def _repeated_metrics(request: Request) -> Finding:
    metrics = part(request, "AlgorithmSpecification").get("MetricDefinitions") or ()
    return repeated(metric["Name"] for metric in metrics)


RULES: tuple[Rule, ...] = (
    Rule(
        fields=("AlgorithmSpecification",),
        finding=_image_or_algorithm,
        message="Exactly one of TrainingImage and AlgorithmName must be specified.",
        source=API + "API_AlgorithmSpecification.html",
        verified=False,
    ),
    Rule(
        fields=("AlgorithmSpecification.TrainingImage",),
        finding=_malformed_image,
        message=(
            "Invalid training image. Please provide a valid Amazon Elastic Container Registry path "
            "of the Docker image to run."
        ),
        source=GITHUB + "aws/sagemaker-python-sdk/issues/2063",  # row 177 of the rest
        verified=True,
    ),
    Rule(
        fields=("AlgorithmSpecification",),
        finding=_foreign_image,
        message=(
            "TrainingImageConfig with TrainingRepositoryAccessMode set to VPC must be provided "
            "when using a training image from a private Docker registry. Please provide"
            "TrainingImageConfig and TrainingRepositoryAccessMode set to VPC when using a "
            "training image from a private Docker registry."
        ),
        source=GITHUB + "zenml-io/zenml/issues/3749",  # row 18 of the jobs; the blank is AWS's
        verified=True,
    ),
    Rule(
        fields=("AlgorithmSpecification.TrainingImageConfig", "VpcConfig"),
        finding=_vpc_image_without_vpc,
        message="VpcConfig must be provided when TrainingRepositoryAccessMode is set to Vpc.",
        source=GUIDE + "docker-containers-adapt-your-own-private-registry.html",
        verified=False,
    ),
    Rule(
        fields=("AlgorithmSpecification.MetricDefinitions",),
        finding=_repeated_metrics,
        message="Metric names must be unique. Duplicate metric names: [{names}]",
        source=GUIDE + "training-metrics.html",
        verified=False,
    ),
)
