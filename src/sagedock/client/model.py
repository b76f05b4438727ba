"""Model: an image and its model, deployed to an endpoint or run over many objects."""

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from sagedock.client.check import problems_in
from sagedock.client.deployment import (
    SOME_NAME,
    VARIANT_OPTIONS,
    checkable,
    options_of,
    problems_in_instances,
    problems_in_names,
    refuse_unknown,
)
from sagedock.client.endpoint import Endpoint
from sagedock.client.hosting_check import problems_in_hosting
from sagedock.client.model_archive import CODE_FOLDER, write_model_archive
from sagedock.client.model_package import ModelPackage, ModelPackageGroup
from sagedock.client.predictor import Predictor
from sagedock.client.refusals import explained, with_remedy
from sagedock.client.serializers import Deserializer, Serializer
from sagedock.client.session import Session
from sagedock.client.show import Show, to_stdout
from sagedock.client.source import Source
from sagedock.client.storage import require_object
from sagedock.contract import paths, variables
from sagedock.errors import InvalidRequest
from sagedock.jobs import (
    Approval,
    AsyncInference,
    DataCapture,
    EndpointDeployment,
    HostedModel,
    ModelContainer,
    ModelVersion,
    ProductionVariant,
    Request,
    Serverless,
    Tags,
    base_name_of_image,
    unique_name,
    unique_stamp,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sagedock.client.transformer import Transformer

__all__ = ["Model"]

_ARCHIVE = "model.tar.gz"
#: Stands for where the archive will be while a request is checked.
_SOMEWHERE = "s3://sagemaker-default-bucket"


@dataclass(kw_only=True)
class Model:
    """A model that serves in a container of yours, on AWS or on the local SageMaker.

    The parameters are those of SageMaker SDK v2's ``Model``. ``model_data`` is the S3 URI of a
    model.tar.gz or of a folder (``.../``), or a model.tar.gz of this machine. With an
    ``entry_point`` the program is packed into the model.tar.gz, as its code/. ``extra`` is in API
    casing and is laid over CreateModel last. ``name`` is what CreateModel is told; one is made of
    the image's unless given.
    """

    image_uri: str
    role: str
    model_data: str | Path | None = None
    name: str | None = None
    entry_point: str | None = None
    source_dir: str | None = None
    dependencies: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    mode: Literal["SingleModel", "MultiModel"] = "SingleModel"
    container_log_level: int = 20
    enable_network_isolation: bool = False
    subnets: Sequence[str] = ()
    security_group_ids: Sequence[str] = ()
    tags: Tags = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    session: Session = field(default_factory=Session)
    show: Show = to_stdout
    _created: str | None = field(default=None, init=False, repr=False)

    def create(self) -> str:
        """Create the model, unless that was done, and return its name.

        The request is checked before anything is sent. Raises InvalidRequest with every problem.
        """
        return self._created_as(self._new_name())

    @contextmanager
    def created(self, name: str) -> "Iterator[str]":
        """Have the model there for what is done inside, as ``name`` if it must be made: it is
        deleted again where that fails.
        """
        is_new = self._created is None
        made = self._created_as(name)
        with ExitStack() as undo:
            if is_new:
                undo.callback(self.delete)
            yield made
            undo.pop_all()

    def _created_as(self, name: str) -> str:
        if self._created is None:
            self._check(name)
            with explained(self.session.target):
                if told := problems_in_names(self._sagemaker, model=name):
                    raise InvalidRequest(told)
            return self._create(name)
        return self._created

    def deploy(
        self,
        initial_instance_count: int | None = None,
        instance_type: str | None = None,
        *,
        endpoint_name: str | None = None,
        serializer: Serializer | None = None,
        deserializer: Deserializer | None = None,
        serverless: Serverless | None = None,
        async_inference: AsyncInference | None = None,
        data_capture: DataCapture | None = None,
        wait: bool = True,
        **variant: Any,
    ) -> Predictor:
        """Serve the model at an endpoint, and return what calls it, once it serves if ``wait``.

        ``variant`` are further fields of ProductionVariant, as volume_size. Raises InvalidRequest
        with every problem, before anything is sent, or JobFailed with FailureReason. Nothing that
        is there is changed: names that are taken are refused. Ctrl-C ends the wait, not the
        deployment: what is left is told.
        """
        refuse_unknown(variant, options_of(Model.deploy) | VARIANT_OPTIONS)
        name = endpoint_name or unique_name(base_name_of_image(self.image_uri), datetime.now(UTC))
        only = ProductionVariant(
            model_name=self._created or self.name or name,
            instance_type=instance_type,
            initial_instance_count=initial_instance_count,
            serverless=serverless,
            **variant,
        )
        deployment = EndpointDeployment(
            name=name,
            variants=[only],
            async_inference=async_inference,
            data_capture=data_capture,
            tags=self.tags,
        )
        self._start(deployment)
        predictor = Predictor(
            name,
            session=self.session,
            serializer=serializer,
            deserializer=deserializer,
            show=self.show,
        )
        if wait:
            self._wait(predictor.endpoint)
        return predictor

    def transformer(self, instance_type: str, **parameters: Any) -> "Transformer":
        """Return what runs the model over objects; ``parameters`` are Transformer's own.

        The model is created with the first job, once that was checked.
        """
        from sagedock.client.transformer import Transformer

        made = Transformer(
            model_name=self._created or self._new_name(),
            instance_type=instance_type,
            model=self,
            **{"session": self.session, "show": self.show, **parameters},
        )
        if self._created is None:
            self._check(made.model_name)
        return made

    def register(
        self, group: str, *, approval: Approval = "PendingManualApproval", **version: Any
    ) -> ModelPackage:
        """Register it as the next version of ``group``, which is made if it is not there.

        ``version`` are further fields of ModelVersion, as content_types, metrics, metadata. Raises
        InvalidRequest with every problem, before anything is sent.
        """
        known = [each.name for each in fields(ModelVersion)]
        refuse_unknown(version, frozenset(known) - {"containers"}, of="register")
        hosted = self._hosted(SOME_NAME, self._s3_data(_SOMEWHERE))
        wanted = ModelVersion(
            group=group, containers=hosted.containers, approval=approval, **version
        )
        many = "mode: MultiModel: the registry has no such models: register each by itself"
        self._check(SOME_NAME, wanted.requests(), [many] if self.mode == "MultiModel" else [])
        own = ModelPackageGroup(name=group, session=self.session, show=self.show)
        with explained(self.session.target), ExitStack() as undo:
            hosted = self._hosted(SOME_NAME, self._data_in_s3(group))
            (request,) = replace(wanted, containers=hosted.containers).requests()
            if own.create():
                undo.callback(own.delete)
            arn = self._sagemaker.create_model_package(**request.parameters)["ModelPackageArn"]
            undo.pop_all()
        package = ModelPackage(arn=arn, session=self.session, show=self.show)
        self.show(f"registered version {package.version} of {group}: {approval}")
        return package

    def delete(self) -> None:
        """Delete the model that was created here; its archive in S3 stays."""
        if self._created is not None:
            with explained(self.session.target):
                self._sagemaker.delete_model(ModelName=self._created)
            self._created = None

    def _new_name(self) -> str:
        return self.name or unique_name(base_name_of_image(self.image_uri), datetime.now(UTC))

    def _start(self, deployment: EndpointDeployment) -> None:
        """Create what a deployment is made of; all of it is checked before anything is sent.

        What was made for it here is deleted again where the service refuses the rest.
        """
        name, own = deployment.name, self._created or self.name
        self._check_all(deployment, own)
        config, endpoint = deployment.requests()
        with explained(self.session.target), ExitStack() as undo:
            new = None if self._created else own or name
            word = "name" if own else "endpoint_name"
            if told := problems_in_names(self._sagemaker, endpoint=name, model=new, word=word):
                raise InvalidRequest(told)
            if new:
                self._create(new)
                undo.callback(self.delete)
            self._sagemaker.create_endpoint_config(**config.parameters)
            undo.callback(self._sagemaker.delete_endpoint_config, EndpointConfigName=name)
            try:
                self._sagemaker.create_endpoint(**endpoint.parameters)
            except KeyboardInterrupt:  # it may be there: what it is made of stays
                undo.pop_all()
                self._tell_what_is_left(Endpoint(name, session=self.session))
                raise
            undo.pop_all()
        self.show(f"created the endpoint {name}")

    def _wait(self, endpoint: Endpoint) -> None:
        try:
            endpoint.wait()
        except KeyboardInterrupt:
            self._tell_what_is_left(endpoint)
            raise

    def _tell_what_is_left(self, endpoint: Endpoint) -> None:
        self.show(
            f"interrupted: {endpoint.name} goes on {self.session.lasts}. Await it: "
            f"{endpoint!r}.wait(); delete it, its configuration and its model: "
            f"{endpoint!r}.delete(models=True)"
        )

    def _create(self, name: str) -> str:
        with explained(self.session.target):
            data = self._data_in_s3(name)
            (request,) = self._hosted(name, data).requests()
            self._sagemaker.create_model(**request.parameters)
        self.show(f"created the model {name}")
        self._created = name
        return name

    def _check_all(self, deployment: EndpointDeployment, own: str | None) -> None:
        """Check a deployment; a model that is named as its endpoint is says nothing of its own."""
        instances = [line for each in deployment.variants for line in problems_in_instances(each)]
        right = checkable(deployment)
        if own is None:
            variants = [replace(each, model_name=SOME_NAME) for each in right.variants]
            right = replace(right, variants=variants)
        self._check(own or SOME_NAME, right.requests(), instances)

    def _check(self, name: str, more: Sequence[Request] = (), known: Sequence[str] = ()) -> None:
        """Raise InvalidRequest with ``known`` problems and all that is wrong with the model, its
        files and ``more``.
        """
        problems = [*known, *self._problems_in_files()]
        requests = (*self._hosted(name, self._s3_data(_SOMEWHERE)).requests(), *more)
        for request in requests:
            problems += (with_remedy(line, self.session.target) for line in problems_in(request))
        problems = problems or [*problems_in_hosting(requests, self.session)]
        if problems:
            raise InvalidRequest(list(dict.fromkeys(problems)))

    def _problems_in_files(self) -> "Iterator[str]":
        if source := self._source():
            yield from source.problems()
            if str(self.model_data or "").endswith("/"):
                yield (
                    "entry_point: is packed into a model.tar.gz, and model_data is a folder: put "
                    "the program into the folder's code/, and leave entry_point out"
                )
        elif self.source_dir or self.dependencies:
            yield "entry_point: is missing: name the program to run inside source_dir"
        if (path := self._local_data()) and not path.is_file():
            yield f"model_data: {path}: no such file: give a model.tar.gz or an S3 URI"

    def _source(self) -> Source | None:
        if self.entry_point is None:
            return None
        return Source(
            entry_point=self.entry_point,
            source_dir=self.source_dir,
            dependencies=self.dependencies,
        )

    def _local_data(self) -> Path | None:
        data = self.model_data
        return None if data is None or str(data).startswith("s3://") else Path(data)

    def _s3_data(self, folder: str) -> str | None:
        """Return where the model is in S3 once what is on this machine was uploaded below it."""
        if self._local_data() or self.entry_point:
            return f"{folder}/{_ARCHIVE}"
        return None if self.model_data is None else str(self.model_data)

    def _data_in_s3(self, name: str) -> str | None:
        """Upload what is on this machine, and return where the model is.

        Each upload has a place of its own: a model that serves may be read again at any time.
        """
        local, source = self._local_data(), self._source()
        if local is None and source is None:
            return self._s3_data(_SOMEWHERE)
        bucket, folder = self.session.default_bucket(), f"{name}/{unique_stamp(datetime.now(UTC))}"
        where = self._s3_data(f"s3://{bucket}/{folder}")
        with self._archive(local, source) as archive:
            self.show(f"uploading the model to {where}")
            self.session.client("s3").upload_fileobj(archive, bucket, f"{folder}/{_ARCHIVE}")
        return where

    @contextmanager
    def _archive(self, local: Path | None, source: Source | None) -> "Iterator[IO[bytes]]":
        if source is None and local is not None:
            with local.open("rb") as file:
                yield file
            return
        with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as file:
            if local is None and self.model_data is not None:
                require_object(self.session.client("s3"), str(self.model_data), word="model_data")
                (local,) = self.session.download(str(self.model_data), folder)
            if source is not None:
                write_model_archive(file, local, source)
            file.seek(0)
            yield file

    def _hosted(self, name: str, data: str | None) -> HostedModel:
        container = ModelContainer(
            image_uri=self.image_uri,
            model_data=data,
            environment={**self._script_environment(), **self.environment},
            mode=self.mode,
        )
        return HostedModel(
            name=name,
            role=self.role,
            containers=[container],
            enable_network_isolation=self.enable_network_isolation,
            subnets=self.subnets,
            security_group_ids=self.security_group_ids,
            tags=self.tags,
            extra=self.extra,
        )

    def _script_environment(self) -> dict[str, str]:
        """Return what tells the inference toolkits where the program is; see SDK v2's ``Model``."""
        source = self._source()
        if source is None:
            return {}
        return {
            variables.SAGEMAKER_PROGRAM.name: source.program,
            variables.SAGEMAKER_SUBMIT_DIRECTORY.name: f"{paths.MODEL}/{CODE_FOLDER}",
            "SAGEMAKER_CONTAINER_LOG_LEVEL": str(self.container_log_level),
            variables.SAGEMAKER_REGION.name: self.session.region,
        }

    @property
    def _sagemaker(self) -> Any:
        return self.session.client("sagemaker")
