"""What Search finds, kind by kind: a stored resource as a record of the service's model.

Of a document those members are taken that the record's shape has: so that one line adds a kind.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sagedock.api.model import Shape, service_model
from sagedock.local import experiments, hosting, registry, training
from sagedock.local.platform import Platform
from sagedock.local.resources import Resource

__all__ = ["SEARCHED", "Around", "Record", "Searched", "records"]

Document = Mapping[str, Any]

_MODEL, _ENDPOINT, _PIPELINE = "model", "endpoint", "pipeline"


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
    made: "Callable[[Around, Searched, Resource], dict[str, Any]]"

    @property
    def shape(self) -> Shape:
        """The shape of a record."""
        return service_model("sagemaker").shape_for("SearchRecord").members[self.member]


@dataclass(frozen=True, kw_only=True)
class Around:
    """What the records of a region are made with beside their resources: each is read once."""

    platform: Platform
    region: str

    @cached_property
    def endpoints(self) -> Mapping[str, list[dict[str, Any]]]:
        """The endpoints that serve a model, by its name: their summaries."""
        found = defaultdict(list)
        for each in self.platform.resources.every(self.region, _ENDPOINT):
            summary = {name: each.document[name] for name in hosting.SUMMARIES[_ENDPOINT]}
            for model in self._models_of(each):
                found[model].append(summary)
        return found

    @cached_property
    def components(self) -> Mapping[str, list[dict[str, Any]]]:
        """The components of a trial, by its name, as it is shown with them."""
        found = defaultdict(list)
        for each in self.platform.resources.every(self.region, experiments.COMPONENT.name):
            summary = {
                "TrialComponentName": each.key.name,
                "TrialComponentArn": each.document["TrialComponentArn"],
                "CreationTime": each.document["CreationTime"],
            }
            for trial in experiments.trials_of(each.document):
                found[trial].append(summary)
        return found

    @cached_property
    def trials(self) -> Mapping[str, str]:
        """The experiments of trials, by the trials' names."""
        kind = experiments.TRIAL.name
        every = self.platform.resources.every(self.region, kind)
        return {each.key.name: each.document["ExperimentName"] for each in every}

    def _models_of(self, endpoint: Resource) -> set[str]:
        config = self.platform.resources.get(
            hosting.config_key(self.region, endpoint.document["EndpointConfigName"])
        )
        variants = [] if config is None else config.document.get("ProductionVariants") or ()
        return {each["ModelName"] for each in variants if each.get("ModelName")}


def records(platform: Platform, region: str, searched: Searched) -> Iterator[Record]:
    """Yield all of a kind in a region, in the order of their creation."""
    around = Around(platform=platform, region=region)
    for resource in platform.resources.every(region, searched.kind):
        yield Record(resource=resource, values=searched.made(around, searched, resource))


def _plain(around: Around, searched: Searched, resource: Resource) -> dict[str, Any]:
    """Return the members that the shape has, and the resource's tags."""
    return _tagged(around, searched.shape, resource.document, resource.document[searched.arn])


def _tagged(around: Around, shape: Shape, document: Document, arn: str) -> dict[str, Any]:
    found = {name: document[name] for name in shape.members if document.get(name) is not None}
    tags = {"Tags": around.platform.tags.list(arn)} if "Tags" in shape.members else {}
    return {**found, **tags}


def _package(around: Around, searched: Searched, resource: Resource) -> dict[str, Any]:
    """A version has the tags of its group. Source: the model's words on CreateModelPackage."""
    document = resource.document
    arn = document["ModelPackageArn"]
    if "ModelPackageVersion" in document:
        arn = arn.rpartition("/")[0].replace(f":{registry.PACKAGE}/", f":{registry.GROUP}/")
    return _tagged(around, searched.shape, document, arn)


def _model(around: Around, searched: Searched, resource: Resource) -> dict[str, Any]:
    """A model is shown with the endpoints that serve it, as the model dashboard has it."""
    shape = searched.shape.members["Model"]
    model = _tagged(around, shape, resource.document, resource.document[searched.arn])
    return {"Model": model, "Endpoints": around.endpoints.get(resource.key.name, [])}


def _endpoint(around: Around, searched: Searched, resource: Resource) -> dict[str, Any]:
    """An endpoint is shown as Describe answers it."""
    document = hosting.answered(resource.document)
    return _tagged(around, searched.shape, document, document[searched.arn])


def _trial(around: Around, searched: Searched, resource: Resource) -> dict[str, Any]:
    """A trial is shown with its components."""
    components = around.components.get(resource.key.name, [])
    record = _plain(around, searched, resource)
    return {**record, "TrialComponentSummaries": components} if components else record


def _component(around: Around, searched: Searched, resource: Resource) -> dict[str, Any]:
    """A component is shown with its trials. Source: the model's words on
    DisassociateTrialComponent ("Results.TrialComponent.Parents").
    """
    document = experiments.described_component(around.platform, resource)
    record = _tagged(around, searched.shape, document, document[searched.arn])
    parents = [
        {"TrialName": name, "ExperimentName": around.trials[name]}
        for name in experiments.trials_of(resource.document)
        if name in around.trials
    ]
    return {**record, "Parents": parents}


def _pipeline(around: Around, searched: Searched, resource: Resource) -> dict[str, Any]:
    """A pipeline is shown with the time of its last execution."""
    record = _plain(around, searched, resource)
    last = resource.document.get("LastExecutionTime")
    return record if last is None else {**record, "LastRunTime": last}


def _execution(around: Around, searched: Searched, resource: Resource) -> dict[str, Any]:
    """An execution is shown with its parameters."""
    record = _plain(around, searched, resource)
    return {**record, "PipelineParameters": resource.request.get("Parameters", [])}


def _searched(member: str, kind: str, arn: str, **more: Any) -> Searched:
    return Searched(member=member, kind=kind, arn=arn, **{"made": _plain, **more})


#: By the value of Resource. Of other resources there are none here, and none is found.
SEARCHED: Mapping[str, Searched] = {
    "Endpoint": _searched("Endpoint", _ENDPOINT, "EndpointArn", made=_endpoint),
    "Experiment": _searched("Experiment", experiments.EXPERIMENT.name, "ExperimentArn"),
    "ExperimentTrial": _searched("Trial", experiments.TRIAL.name, "TrialArn", made=_trial),
    "ExperimentTrialComponent": _searched(
        "TrialComponent", experiments.COMPONENT.name, "TrialComponentArn", made=_component
    ),
    "Model": _searched("Model", _MODEL, "ModelArn", made=_model),
    "ModelPackage": _searched("ModelPackage", registry.PACKAGE, "ModelPackageArn", made=_package),
    "ModelPackageGroup": _searched("ModelPackageGroup", registry.GROUP, "ModelPackageGroupArn"),
    "Pipeline": _searched("Pipeline", _PIPELINE, "PipelineArn", made=_pipeline),
    "PipelineExecution": _searched(
        "PipelineExecution",
        "pipeline-execution",
        "PipelineExecutionArn",
        made=_execution,
    ),
    "TrainingJob": _searched("TrainingJob", training.KIND, "TrainingJobArn"),
}
