"""Estimator: a training job by the names that users of SageMaker SDK v2 know."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from sagedock.client.attached import parameters_of
from sagedock.client.check import problems_in, unknown_instance_type
from sagedock.client.content import named_by_content
from sagedock.client.deployment import VARIANT_OPTIONS, options_of, refuse_unknown
from sagedock.client.inputs import (
    AnyChannel,
    Inputs,
    as_channels,
    local_path,
    moved,
    problems_in_files,
)
from sagedock.client.model import Model
from sagedock.client.predictor import Predictor
from sagedock.client.refusals import explained, with_remedy
from sagedock.client.result import TrainingResult
from sagedock.client.session import Session
from sagedock.client.show import Show, to_stdout
from sagedock.client.source import ARCHIVE, Source
from sagedock.client.storage import split_uri
from sagedock.client.training_run import TrainingRun
from sagedock.errors import InvalidRequest, JobFailed, SagedockError
from sagedock.jobs import (
    InstanceGroup,
    Script,
    TrainingJob,
    base_name_of_image,
    unique_name,
)
from sagedock.jobs.pipeline import Reference

__all__ = ["Estimator"]

#: Stands for the default bucket while a request is checked, before AWS is asked for its name.
_SOME_BUCKET = "sagemaker-default-bucket"

#: The repository of our own image for training, which has nothing that serves.
_TRAINS_ONLY = "sagedock-training"
_NOTHING_OUTLIVES = (
    "no local SageMaker outlives this program: the job is stopped when the program ends. Start one "
    "with `sagedock local up --detach` first, or wait for the job"
)


@dataclass(kw_only=True)
class Estimator:
    """Trains in a container of yours, on AWS or on the local SageMaker.

    The parameters are those of SageMaker SDK v2's ``Estimator``: ``max_run`` and ``max_wait`` in
    seconds, ``volume_size`` in GB. With an ``entry_point`` hyperparameters are sent as JSON, and
    the program is packed and uploaded; ``distribution`` names what starts it on several hosts
    (torch_distributed, mpi). ``extra`` is in API casing and is laid over the request last.
    ``show`` takes each line: states, and the job's log.
    """

    image_uri: str
    role: str
    instance_type: str | None = None
    instance_count: int = 1
    instance_groups: Sequence[InstanceGroup] = ()
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    entry_point: str | None = None
    source_dir: str | None = None
    distribution: Mapping[str, Any] = field(default_factory=dict)
    dependencies: Sequence[str] = ()
    metric_definitions: Sequence[Mapping[str, str]] = ()
    output_path: str | None = None
    base_job_name: str | None = None
    environment: Mapping[str, str | Reference] = field(default_factory=dict)
    max_run: int = 24 * 60 * 60
    use_spot_instances: bool = False
    max_wait: int | None = None
    max_retry_attempts: int | None = None
    checkpoint_s3_uri: str | None = None
    checkpoint_local_path: str | None = None
    input_mode: Literal["File", "Pipe", "FastFile"] = "File"
    volume_size: int = 30
    volume_kms_key: str | None = None
    output_kms_key: str | None = None
    disable_output_compression: bool = False
    keep_alive_period_in_seconds: int | None = None
    container_entry_point: Sequence[str | Reference] = ()
    container_arguments: Sequence[str | Reference] = ()
    container_log_level: int = 20
    encrypt_inter_container_traffic: bool = False
    enable_network_isolation: bool = False
    subnets: Sequence[str] = ()
    security_group_ids: Sequence[str] = ()
    tags: Mapping[str, str] | Sequence[Mapping[str, str]] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    session: Session = field(default_factory=Session)
    show: Show = to_stdout
    latest_training_job: TrainingRun | None = field(default=None, init=False)

    @classmethod
    def attach(
        cls, name: str, *, session: Session | None = None, show: Show = to_stdout
    ) -> "Estimator":
        """Return an estimator for the training job ``name``, without waiting for its end.

        Raises InvalidRequest if there is no such job.
        """
        session = session or Session()
        run = TrainingRun(name, session, show)
        estimator = cls(**parameters_of(run.describe()), session=session, show=show)
        estimator.latest_training_job = run
        return estimator

    def set_hyperparameters(self, **hyperparameters: Any) -> None:
        """Set hyperparameters beside those that are there; those of the same name are replaced."""
        self.hyperparameters = {**self.hyperparameters, **hyperparameters}

    def fit(
        self,
        inputs: Inputs = None,
        wait: bool = True,
        logs: bool | Literal["All", "None"] = True,
        job_name: str | None = None,
    ) -> TrainingResult:
        """Train on ``inputs``: S3 URIs, Channels, or paths that are uploaded first, by channel.

        The request is checked before anything is sent. With ``wait`` the result is returned once
        the job completed, and the job's lines are shown if ``logs`` asks for them; else at once.
        Raises InvalidRequest with every problem, or JobFailed with the service's FailureReason.
        """
        name = job_name or unique_name(self._base_name(), datetime.now(UTC))
        channels = as_channels(inputs)
        self._check(name, channels)
        with explained(self.session.target):
            self._start(name, channels)
        if wait:
            return self.wait(logs=logs)
        if self.session.place.ends_with_program:
            self.show(_NOTHING_OUTLIVES)
        return self._run().result()

    def job(self, inputs: Inputs = None) -> TrainingJob:
        """Return the training job without creating it, for a step of a pipeline; what is on this
        machine is uploaded, to a place that follows from its content. Inputs, hyperparameters and
        the rest may be references.

        Raises InvalidRequest with every problem, before anything is uploaded.
        """
        channels = as_channels(inputs)
        self._check(self._base_name(), channels)
        with explained(self.session.target):
            return self.placed(channels)

    def placed(self, channels: Mapping[str, AnyChannel]) -> TrainingJob:
        """Upload what is on this machine to a place that follows from its content, and return the
        job that reads it from S3: what is the same again has the same place.
        """
        return self.uploaded(self._place(channels), channels)

    def placement(self, channels: Mapping[str, AnyChannel]) -> TrainingJob:
        """Return the job that ``placed`` would, without uploading anything."""
        bucket = self._bucket() or self.session.default_bucket()
        return self._job(self._place(channels), channels, bucket)

    def _place(self, channels: Mapping[str, AnyChannel]) -> str:
        """Return the name by its content of what is on this machine."""
        source = self._source()
        local = [] if source is None or source.is_packed else [*source.members().values()]
        local += [path for each in channels.values() if (path := local_path(each)) is not None]
        return named_by_content(self._base_name(), local)

    def wait(self, logs: bool | Literal["All", "None"] = True) -> TrainingResult:
        """Wait for the latest training job; see ``fit``."""
        return self._run().wait(logs=logs in (True, "All"))

    def stop(self) -> None:
        """Ask the service to stop the latest training job."""
        self._run().stop()

    def model(self, image_uri: str | None = None, **parameters: Any) -> Model:
        """Return the latest training job's model, served by ``image_uri``: this estimator's own
        image unless given. ``parameters`` are Model's: entry_point, source_dir, environment, ...
        """
        own: dict[str, Any] = {
            "role": self.role,
            "enable_network_isolation": self.enable_network_isolation,
            "subnets": self.subnets,
            "security_group_ids": self.security_group_ids,
            "tags": self.tags,
            "session": self.session,
            "show": self.show,
        }
        return Model(
            image_uri=image_uri or self.image_uri, model_data=self.model_data, **own | parameters
        )

    def deploy(
        self,
        initial_instance_count: int | None = None,
        instance_type: str | None = None,
        *,
        image_uri: str | None = None,
        entry_point: str | None = None,
        source_dir: str | None = None,
        environment: Mapping[str, str] | None = None,
        **options: Any,
    ) -> Predictor:
        """Serve the latest training job's model, and return what calls it.

        ``image_uri`` is the image that serves it, this estimator's own unless given; ``options``
        are those of ``Model.deploy``. Raises as that does.
        """
        known = options_of(Estimator.deploy) | options_of(Model.deploy) | VARIANT_OPTIONS
        refuse_unknown(options, known)
        if image_uri is None and base_name_of_image(self.image_uri) == _TRAINS_ONLY:
            raise InvalidRequest(
                [
                    f"image_uri: {self.image_uri} trains, and has no program that serves: give "
                    "image_uri= of an image that serves, such as sagedock-serving"
                ]
            )
        model = self.model(
            image_uri,
            entry_point=entry_point,
            source_dir=source_dir,
            environment=environment or {},
        )
        try:
            return model.deploy(initial_instance_count, instance_type, **options)
        except JobFailed as error:
            if image_uri is not None:
                raise
            remedy = (
                f"{error.remedy}\nimage_uri: {self.image_uri}, which trained the model, was to "
                "serve it: if it does not do both, give image_uri= of an image that serves"
            ).strip()
            raise JobFailed(error.name, error.status, error.reason, remedy=remedy) from error

    @property
    def model_data(self) -> str:
        """The S3 URI of the latest training job's model.tar.gz, or of its uncompressed folder."""
        result = self._run().result()
        if result.model_data is None:
            raise SagedockError(
                f"{result.name} has no model: it is {result.status}; a model is there once the "
                "job completed"
            )
        return result.model_data

    def _run(self) -> TrainingRun:
        if self.latest_training_job is None:
            raise SagedockError("this estimator has no training job yet: call fit() first")
        return self.latest_training_job

    def _base_name(self) -> str:
        return self.base_job_name or base_name_of_image(self.image_uri or "")

    def _source(self) -> Source | None:
        if self.entry_point is None:
            return None
        return Source(
            entry_point=self.entry_point,
            source_dir=self.source_dir,
            dependencies=self.dependencies,
        )

    def planned(
        self, name: str, channels: Mapping[str, AnyChannel]
    ) -> tuple[TrainingJob, list[str]]:
        """Return the job as it would be sent, and what is wrong with the files and values that it
        is made of; it has none of the values that cannot be sent. Nothing is asked or sent.
        """
        problems = [*problems_in_files(channels)]
        if source := self._source():
            problems += source.problems()
        elif self.source_dir or self.dependencies:
            problems.append("entry_point: is missing: name the program to run inside source_dir")
        job = self._job(name, channels, self._bucket() or _SOME_BUCKET)
        try:
            job.requests()
        except InvalidRequest as error:
            problems += error.problems
            job = replace(job, hyperparameters={}, distribution={})
        return job, problems

    def _check(self, name: str, channels: Mapping[str, AnyChannel]) -> None:
        """Raise InvalidRequest with all that is wrong with the job, its files included."""
        job, problems = self.planned(name, channels)
        (request,) = job.requests()
        problems += (with_remedy(line, self.session.target) for line in problems_in(request))
        if problems:
            raise InvalidRequest(problems)
        if warning := unknown_instance_type(request):
            self.show(warning)

    def _start(self, name: str, channels: Mapping[str, AnyChannel]) -> None:
        """Upload what is on this machine, and create the job."""
        (request,) = self.uploaded(name, channels).requests()
        self.session.client("sagemaker").create_training_job(**request.parameters)
        self.latest_training_job = TrainingRun(name, self.session, self.show)
        self.show(f"created the training job {name}")

    def uploaded(self, name: str, channels: Mapping[str, AnyChannel]) -> TrainingJob:
        """Upload what is on this machine, and return the job that reads it from S3."""
        bucket = self._bucket() or self.session.default_bucket()
        for channel_name, channel in channels.items():
            if (path := local_path(channel)) is not None:
                prefix = _input_prefix(name, channel_name)
                self.show(f"uploading {path} to s3://{bucket}/{prefix}")
                self.session.upload(path, prefix, bucket=bucket)
        source = self._source()
        if source and not source.is_packed:
            with tempfile.TemporaryFile() as archive:
                source.write(archive)
                archive.seek(0)
                self.session.client("s3").upload_fileobj(archive, bucket, _source_key(name))
        return self._job(name, channels, bucket)

    def _bucket(self) -> str | None:
        """Return the bucket of ``output_path``, where the job's own files go too."""
        path = self.output_path or ""
        return split_uri(path)[0] if path.startswith("s3://") and path != "s3://" else None

    def _job(self, name: str, channels: Mapping[str, AnyChannel], bucket: str) -> TrainingJob:
        return TrainingJob(
            name=name,
            image_uri=self.image_uri,
            role=self.role,
            instance_type=self.instance_type,
            instance_count=self.instance_count,
            instance_groups=self.instance_groups,
            volume_size_gb=self.volume_size,
            volume_kms_key=self.volume_kms_key,
            keep_alive_period_s=self.keep_alive_period_in_seconds,
            output_path=self.output_path or f"s3://{bucket}/",
            output_kms_key=self.output_kms_key,
            disable_output_compression=self.disable_output_compression,
            max_run_s=self.max_run,
            max_wait_s=self.max_wait,
            max_retry_attempts=self.max_retry_attempts,
            use_spot_instances=self.use_spot_instances,
            hyperparameters=self.hyperparameters,
            script=self._script(name, bucket),
            distribution=self.distribution,
            environment=self.environment,
            inputs=_in_s3(channels, name, bucket),
            input_mode=self.input_mode,
            metric_definitions=self.metric_definitions,
            checkpoint_s3_uri=self.checkpoint_s3_uri,
            checkpoint_local_path=self.checkpoint_local_path,
            container_entry_point=self.container_entry_point,
            container_arguments=self.container_arguments,
            encrypt_inter_container_traffic=self.encrypt_inter_container_traffic,
            enable_network_isolation=self.enable_network_isolation,
            subnets=self.subnets,
            security_group_ids=self.security_group_ids,
            tags=self.tags,
            extra=self.extra,
        )

    def _script(self, name: str, bucket: str) -> Script | None:
        source = self._source()
        if source is None:
            return None
        packed = source.source_dir if source.is_packed else None
        return Script(
            program=source.program,
            submit_directory=packed or f"s3://{bucket}/{_source_key(name)}",
            region=self.session.region,
            container_log_level=self.container_log_level,
        )


def _source_key(name: str) -> str:
    return f"{name}/source/{ARCHIVE}"


def _input_prefix(name: str, channel: str) -> str:
    return f"{name}/input/{channel}/"


def _in_s3(channels: Mapping[str, AnyChannel], name: str, bucket: str) -> dict[str, AnyChannel]:
    """Return the channels with every path replaced by where it is uploaded to."""
    return {
        channel_name: moved(channel, f"s3://{bucket}/{_input_prefix(name, channel_name)}")
        for channel_name, channel in channels.items()
    }
