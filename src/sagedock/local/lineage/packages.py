"""The lineage of a model package, made when it is registered: what it is of, and whence.

Source: the guide's lineage-tracking-auto-creation, and of types and names a table of a pipeline's
lineage that AWS published (amazon-sagemaker-examples, BERT reviews). Of a model that a training job
made, the job's own lineage is made with it; on AWS every job has that at once. Whatever is there
already is used as it is. What the number in a group's name means is unverified.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sagedock.local.caller import Caller
from sagedock.local.experiments import TRAINING, component_of_job
from sagedock.local.experiments.names import Kind, Shelf
from sagedock.local.lineage.associations import associate
from sagedock.local.lineage.entities import ACTION, ARTIFACT, CONTEXT, artifact_key, new_entity
from sagedock.local.platform import Platform
from sagedock.local.resources import Key, Resource

__all__ = ["record_package"]

Document = Mapping[str, Any]
_LONGEST_NAME = 120
_IN, _OUT, _OF = "ContributedTo", "Produced", "AssociatedWith"


def record_package(platform: Platform, caller: Caller, package: Document) -> None:
    """Make the lineage of a package that is described so, in the transaction of its creation."""
    _Record(platform=platform, caller=caller, at=package["CreationTime"]).package(package)


@dataclass(frozen=True, kw_only=True)
class _Record:
    """What is made at one time (epoch seconds); each function returns an entity's ARN."""

    platform: Platform
    caller: Caller
    at: float

    def package(self, package: Document) -> str:
        arn = self._artifact(package["ModelPackageArn"], "Model")
        for container in package.get("InferenceSpecification", {}).get("Containers", ()):
            self._associate(self._artifact(container["Image"], "Image"), arn, _IN)
            if (uri := _model_data(container)) is not None:
                self._associate(self._model(uri), arn, _IN)
        if "ModelPackageGroupName" in package:
            self._associate(self._approval(package), arn, _IN)
            self._associate(arn, self._group(package), _OF)
        return arn

    def _model(self, uri: str) -> str:
        """Return the artifact of a model, with the training job that made it, if one did."""
        arn = self._artifact(uri, "Model")
        job = self._job_of(uri)
        if job is not None:
            self._associate(self._trained(job), arn, _OUT)
        return arn

    def _job_of(self, uri: str) -> Resource | None:
        """Return the training job whose model is at ``uri``: its name is a part of that."""
        for name in reversed(uri.split("/")):
            key = Key(region=self.caller.region, kind=TRAINING.kind, name=name)
            job = self.platform.resources.get(key) if name else None
            made = job.document.get("ModelArtifacts", {}) if job is not None else {}
            if made.get("S3ModelArtifacts") == uri:
                return job
        return None

    def _trained(self, job: Resource) -> str:
        """Return the trial component of a training job, with what that was given."""
        request, source = job.request, job.document["TrainingJobArn"]
        arn = component_of_job(self.platform, self.caller, TRAINING, source, request)
        if image := request["AlgorithmSpecification"].get("TrainingImage"):
            self._associate(self._artifact(image, "Image"), arn, _IN)
        for uri in _data(request):
            self._associate(self._artifact(uri, "DataSet"), arn, _IN)
        return arn

    def _group(self, package: Document) -> str:
        group: str = package["ModelPackageGroupName"]
        source = self.caller.arn("model-package-group", group)
        said = {"ContextName": f"{group}-1-aws-model-group", "ContextType": "ModelGroup"}
        return self._named(CONTEXT, source, said)

    def _approval(self, package: Document) -> str:
        status = package["ModelApprovalStatus"]
        tail = f"-{package['ModelPackageVersion']}-{status}-{int(self.at)}-aws-model-group"
        group = package["ModelPackageGroupName"][: _LONGEST_NAME - len(tail)]
        said = {"ActionName": f"{group}{tail}", "ActionType": "Approval", "Status": "Completed"}
        return self._named(ACTION, package["ModelPackageArn"], said)

    def _artifact(self, uri: str, type_: str) -> str:
        source = {"SourceUri": uri}
        name = artifact_key(source)
        return self._entity(ARTIFACT, name, {"Source": source, "ArtifactType": type_})

    def _named(self, kind: Kind, source: str, said: Document) -> str:
        return self._entity(kind, said[kind.named], {**said, "Source": {"SourceUri": source}})

    def _entity(self, kind: Kind, name: str, said: Document) -> str:
        shelf = Shelf(platform=self.platform, kind=kind)
        found = self.platform.resources.alike(shelf.key(self.caller, name))
        if found is not None:
            return str(found.document[kind.arn])
        made = new_entity(kind, said, name, shelf.arn(self.caller, name), self.at)
        return shelf.add(self.caller, made)

    def _associate(self, source: str, destination: str, type_: str) -> None:
        associate(self.platform.resources, self.caller, (source, destination), type_, self.at)


def _model_data(container: Document) -> str | None:
    source = container.get("ModelDataSource", {}).get("S3DataSource", {})
    found: str | None = container.get("ModelDataUrl", source.get("S3Uri"))
    return found


def _data(request: Document) -> Iterator[str]:
    for channel in request.get("InputDataConfig") or ():
        if (source := channel["DataSource"].get("S3DataSource")) is not None:
            yield source["S3Uri"]
