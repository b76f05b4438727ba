"""ModelPackageGroup and ModelPackage: versions of a model, approved and deployed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

from sagedock.client.check import problems_in
from sagedock.client.existing import found
from sagedock.client.refusals import explained
from sagedock.client.session import Session
from sagedock.client.show import Show, to_stdout
from sagedock.errors import InvalidRequest
from sagedock.jobs import Approval, ModelGroup, Tags

if TYPE_CHECKING:
    from sagedock.client.model import Model
    from sagedock.client.predictor import Predictor

__all__ = ["ModelPackage", "ModelPackageGroup"]

_APPROVED: Approval = "Approved"
_REJECTED: Approval = "Rejected"


@dataclass(kw_only=True)
class ModelPackage:
    """One version of a model in the registry, by its ARN. Nothing is asked before it is needed."""

    arn: str
    session: Session = field(default_factory=Session, repr=False)
    show: Show = field(default=to_stdout, repr=False)

    @property
    def group(self) -> str:
        """The name of its group, as the ARN has it."""
        return self.arn.rpartition(":model-package/")[2].partition("/")[0]

    @property
    def version(self) -> int:
        """Its number. Raises InvalidRequest for a package without version."""
        number = self.arn.rpartition("/")[2]
        if not number.isdigit():
            raise InvalidRequest([f"arn: {self.arn} has no version: give one of a group"])
        return int(number)

    @property
    def approval(self) -> Approval:
        """Whether it may be deployed."""
        status: Approval = self.describe()["ModelApprovalStatus"]
        return status

    def describe(self) -> Mapping[str, Any]:
        """Return the answer of DescribeModelPackage. Raises InvalidRequest for an unknown one."""
        with explained(self.session.target):
            answer: Mapping[str, Any] = self._sagemaker.describe_model_package(
                ModelPackageName=self.arn
            )
        return answer

    def approve(self, description: str | None = None) -> None:
        """Let it be deployed; what waits for that is told by EventBridge, or locally by a hook."""
        self._decide(_APPROVED, description)

    def reject(self, description: str | None = None) -> None:
        """Let it not be deployed any more. Endpoints that serve it go on."""
        self._decide(_REJECTED, description)

    def update_metadata(self, **properties: str | None) -> None:
        """Set properties of your own; None removes one."""
        kept = {name: value for name, value in properties.items() if value is not None}
        removed = [name for name, value in properties.items() if value is None]
        changes = {
            **({"CustomerMetadataProperties": kept} if kept else {}),
            **({"CustomerMetadataPropertiesToRemove": removed} if removed else {}),
        }
        self._update(changes)

    def deploy(
        self,
        initial_instance_count: int | None = None,
        instance_type: str | None = None,
        *,
        role: str,
        environment: Mapping[str, str] | None = None,
        **options: Any,
    ) -> "Predictor":
        """Serve it at an endpoint; ``options`` are those of ``Model.deploy``, which see.

        Raises InvalidRequest for one that is not approved.
        """
        return self.model(role, environment=environment).deploy(
            initial_instance_count, instance_type, **options
        )

    def model(self, role: str, *, environment: Mapping[str, str] | None = None) -> "Model":
        """Return a Model of it, to deploy or to transform with."""
        from sagedock.client.model import Model

        # The image and the data are the package's: they are taken out of CreateModel again.
        package = {"ModelPackageName": self.arn, "Image": None}
        return Model(
            image_uri=self.group,  # what names are made of
            role=role,
            environment=environment or {},
            extra={"PrimaryContainer": package},
            session=self.session,
            show=self.show,
        )

    def delete(self) -> None:
        """Delete it from the registry; its image and its data stay."""
        with explained(self.session.target):
            self._sagemaker.delete_model_package(ModelPackageName=self.arn)

    def _decide(self, status: Approval, description: str | None) -> None:
        told = {} if description is None else {"ApprovalDescription": description}
        self._update({"ModelApprovalStatus": status, **told})
        self.show(f"{self.group}, version {self.version}: {status}")

    def _update(self, changes: Mapping[str, Any]) -> None:
        with explained(self.session.target):
            self._sagemaker.update_model_package(ModelPackageArn=self.arn, **changes)

    @property
    def _sagemaker(self) -> Any:
        return self.session.client("sagemaker")


@dataclass(kw_only=True)
class ModelPackageGroup:
    """The versions of one model. ``register`` and ``create`` make the group if it is not there."""

    name: str
    description: str | None = None
    tags: Tags = ()
    session: Session = field(default_factory=Session, repr=False)
    show: Show = field(default=to_stdout, repr=False)

    def create(self) -> bool:
        """Make the group, unless it is there; say whether it was made."""
        group = ModelGroup(name=self.name, description=self.description, tags=self.tags)
        (request,) = group.requests()
        if problems := problems_in(request):
            raise InvalidRequest(problems)
        with explained(self.session.target):
            if found(self._sagemaker.describe_model_package_group, **self._named):
                return False
            self._sagemaker.create_model_package_group(**request.parameters)
            self.show(f"created the model package group {self.name}")
            return True

    def register(self, model: "Model", **version: Any) -> ModelPackage:
        """Register ``model`` as the next version; ``version`` are the fields of Model.register."""
        self.create()
        return model.register(self.name, **version)

    def versions(self, approval: Approval | None = None) -> list[ModelPackage]:
        """Return the versions, the newest first; with ``approval`` those that have it."""
        if approval is not None and approval not in get_args(Approval):
            raise InvalidRequest(
                [f"approval: {approval!r}: give {' or '.join(get_args(Approval))}"]
            )
        with explained(self.session.target):
            return [
                ModelPackage(arn=each["ModelPackageArn"], session=self.session, show=self.show)
                for each in self._summaries(approval)
            ]

    def latest(self, approval: Approval | None = _APPROVED) -> ModelPackage:
        """Return the newest version that has ``approval``; None for any. Raises InvalidRequest
        where there is none.
        """
        there = self.versions(approval)
        if not there:
            what = f"no version that is {approval}" if approval else "no version"
            raise InvalidRequest([f"name: {self.name} has {what}: register one, or approve it"])
        return there[0]

    def delete(self, *, versions: bool = False) -> None:
        """Delete the group; with ``versions`` those that it has, first."""
        for each in self.versions() if versions else ():
            each.delete()
        with explained(self.session.target):
            self._sagemaker.delete_model_package_group(**self._named)

    def _summaries(self, approval: Approval | None) -> Iterator[Mapping[str, Any]]:
        wanted = {} if approval is None else {"ModelApprovalStatus": approval}
        pages = self._sagemaker.get_paginator("list_model_packages").paginate(
            **self._named, SortBy="CreationTime", SortOrder="Descending", **wanted
        )
        for page in pages:
            yield from page["ModelPackageSummaryList"]

    @property
    def _named(self) -> dict[str, str]:
        return {"ModelPackageGroupName": self.name}

    @property
    def _sagemaker(self) -> Any:
        return self.session.client("sagemaker")
