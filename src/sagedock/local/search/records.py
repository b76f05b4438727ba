"""What Search finds, kind by kind: a stored resource as a record of the service's model.

Of a document those members are taken that the record's shape has: so that one line adds a kind.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sagedock.api.model import Shape, service_model
from sagedock.local import experiments, hosting, registry, training
from sagedock.local.platform import Platform
from sagedock.local.resources import Key, Resource

__all__ = ["SEARCHED", "Record", "Searched", "records"]

Document = Mapping[str, Any]

_MODEL, _ENDPOINT = "model", "endpoint"


@dataclass(frozen=True, kw_only=True)
class Record:
    """One resource as it is searched: ``values`` are of the record's shape."""

    resource: Resource
    values: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Searched:
    """One kind: the member of SearchRecord, the kind in the store, the member with its ARN; and how
    a record is made where that takes more.
    """

    member: str
    kind: str
    arn: str
    made: "Callable[[Platform, Searched, Resource], dict[str, Any]]"

    @property
    def shape(self) -> Shape:
        """The shape of a record."""
        return service_model("sagemaker").shape_for("SearchRecord").members[self.member]


def records(platform: Platform, region: str, searched: Searched) -> Iterator[Record]:
    """Yield all of a kind in a region, in the order of their creation."""
    for resource in platform.resources.every(region, searched.kind):
        yield Record(resource=resource, values=searched.made(platform, searched, resource))


def _plain(platform: Platform, searched: Searched, resource: Resource) -> dict[str, Any]:
    """Return the members that the shape has, and the resource's tags."""
    return _tagged(platform, searched.shape, resource.document, resource.document[searched.arn])


def _tagged(platform: Platform, shape: Shape, document: Document, arn: str) -> dict[str, Any]:
    found = {name: document[name] for name in shape.members if document.get(name) is not None}
    return {**found, "Tags": platform.tags.list(arn)} if "Tags" in shape.members else found


def _package(platform: Platform, searched: Searched, resource: Resource) -> dict[str, Any]:
    """A version has the tags of its group. Source: the model's words on CreateModelPackage."""
    document = resource.document
    arn = document["ModelPackageArn"]
    if "ModelPackageVersion" in document:
        arn = arn.rpartition("/")[0].replace(f":{registry.PACKAGE}/", f":{registry.GROUP}/")
    return _tagged(platform, searched.shape, document, arn)


def _model(platform: Platform, searched: Searched, resource: Resource) -> dict[str, Any]:
    """A model is shown with the endpoints that serve it, as the model dashboard has it."""
    shape = searched.shape.members["Model"]
    model = _tagged(platform, shape, resource.document, resource.document[searched.arn])
    endpoints = [
        {name: each.document[name] for name in hosting.SUMMARIES[_ENDPOINT]}
        for each in platform.resources.every(resource.key.region, _ENDPOINT)
        if resource.key.name in _models_of(platform, each)
    ]
    return {"Model": model, "Endpoints": endpoints}


def _models_of(platform: Platform, endpoint: Resource) -> set[str]:
    config = platform.resources.get(
        hosting.config_key(endpoint.key.region, endpoint.document["EndpointConfigName"])
    )
    variants = [] if config is None else config.document.get("ProductionVariants") or ()
    return {each["ModelName"] for each in variants if each.get("ModelName")}


def _trial(platform: Platform, searched: Searched, resource: Resource) -> dict[str, Any]:
    """A trial is shown with its components."""
    components = [
        {
            "TrialComponentName": each.key.name,
            "TrialComponentArn": each.document["TrialComponentArn"],
            "CreationTime": each.document["CreationTime"],
        }
        for each in platform.resources.every(resource.key.region, experiments.COMPONENT.name)
        if resource.key.name in experiments.trials_of(each.document)
    ]
    record = _plain(platform, searched, resource)
    return {**record, "TrialComponentSummaries": components} if components else record


def _component(platform: Platform, searched: Searched, resource: Resource) -> dict[str, Any]:
    """A component is shown with its trials, and with the job that is its source. Source: the
    model's words on DisassociateTrialComponent ("Results.TrialComponent.Parents").
    """
    region = resource.key.region
    document = experiments.described_component(platform, resource)
    record = _tagged(platform, searched.shape, document, document[searched.arn])
    parents = []
    for name in experiments.trials_of(resource.document):
        trial = platform.resources.alike(Key(region=region, kind=experiments.TRIAL.name, name=name))
        if trial is not None:
            parents.append({"TrialName": name, "ExperimentName": trial.document["ExperimentName"]})
    return {**record, "Parents": parents}


def _searched(member: str, kind: str, arn: str, **made: Any) -> Searched:
    return Searched(member=member, kind=kind, arn=arn, **{"made": _plain, **made})


#: By the value of Resource. Of other resources there are none here, and none is found.
SEARCHED: Mapping[str, Searched] = {
    "Endpoint": _searched("Endpoint", _ENDPOINT, "EndpointArn"),
    "Experiment": _searched("Experiment", experiments.EXPERIMENT.name, "ExperimentArn"),
    "ExperimentTrial": _searched("Trial", experiments.TRIAL.name, "TrialArn", made=_trial),
    "ExperimentTrialComponent": _searched(
        "TrialComponent", experiments.COMPONENT.name, "TrialComponentArn", made=_component
    ),
    "Model": _searched("Model", _MODEL, "ModelArn", made=_model),
    "ModelPackage": _searched("ModelPackage", registry.PACKAGE, "ModelPackageArn", made=_package),
    "ModelPackageGroup": _searched("ModelPackageGroup", registry.GROUP, "ModelPackageGroupArn"),
    "Pipeline": _searched("Pipeline", "pipeline", "PipelineArn"),
    "PipelineExecution": _searched(
        "PipelineExecution", "pipeline-execution", "PipelineExecutionArn"
    ),
    "TrainingJob": _searched("TrainingJob", training.KIND, "TrainingJobArn"),
}
