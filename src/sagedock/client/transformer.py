"""Transformer: a model run over many objects of S3."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from sagedock.api import log_groups, states
from sagedock.client.check import problems_in
from sagedock.client.hosting_check import problems_in_types
from sagedock.client.interrupted import begun_when_followed, stopped_by_ctrl_c
from sagedock.client.logs import JobLogs
from sagedock.client.refusals import explained, with_remedy
from sagedock.client.session import Session
from sagedock.client.show import Show, nowhere, to_stdout
from sagedock.client.waiting import wait_until_ended
from sagedock.errors import InvalidRequest, JobFailed, SagedockError
from sagedock.jobs import Tags, TransformJob, unique_name
from sagedock.jobs.transform import SplitType

if TYPE_CHECKING:
    from sagedock.client.model import Model

__all__ = ["Transformer"]

#: Stands for the default bucket while a request is checked, before AWS is asked for its name.
_SOME_BUCKET = "sagemaker-default-bucket"
_INPUT = "input"
_Strategy = Literal["SingleRecord", "MultiRecord"]
_Assembly = Literal["None", "Line"]


@dataclass(kw_only=True)
class Transformer:
    """Runs a model over objects. The parameters are SageMaker SDK v2's: ``max_payload`` in MB.

    With ``model`` that is created as ``model_name`` with the first job, unless it was before, and
    deleted again where the job cannot be created. ``extra`` is in API casing and is laid over the
    request last. Raises InvalidRequest for a strategy that there is not.
    """

    model_name: str
    instance_type: str
    model: "Model | None" = field(default=None, repr=False)
    instance_count: int = 1
    output_path: str | None = None
    strategy: _Strategy | None = None
    assemble_with: _Assembly | None = None
    accept: str | None = None
    max_concurrent_transforms: int | None = None
    max_payload: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    output_kms_key: str | None = None
    volume_kms_key: str | None = None
    base_job_name: str | None = None
    invocation_timeout: int | None = None
    invocation_max_retries: int | None = None
    tags: Tags = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    session: Session = field(default_factory=Session)
    show: Show = to_stdout
    latest_transform_job: str | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        chosen = {
            "strategy": (self.strategy, get_args(_Strategy)),
            "assemble_with": (self.assemble_with, get_args(_Assembly)),
        }
        problems = [
            f"{word}: {value!r}: give {' or '.join(choices)}"
            for word, (value, choices) in chosen.items()
            if value is not None and value not in choices
        ]
        if problems:
            raise InvalidRequest(problems)

    def transform(
        self,
        data: str | Path,
        *,
        data_type: Literal["S3Prefix", "ManifestFile"] = "S3Prefix",
        content_type: str | None = None,
        compression_type: Literal["None", "Gzip"] | None = None,
        split_type: SplitType | None = None,
        job_name: str | None = None,
        input_filter: str | None = None,
        output_filter: str | None = None,
        join_source: Literal["None", "Input"] | None = None,
        wait: bool = True,
        logs: bool = True,
    ) -> str:
        """Run the model over ``data``: an S3 URI, or a path that is uploaded first.

        Returns where the answers are: an object ``<name>.out`` for each one of the input. The
        request is checked before anything is sent. Raises InvalidRequest with every problem, or
        JobFailed with the service's FailureReason.
        """
        name = job_name or unique_name(self.base_job_name or self.model_name, datetime.now(UTC))
        local = None if "://" in str(data) else Path(data)
        job = self._job(
            name,
            data=str(data),
            data_type=data_type,
            content_type=content_type,
            compression_type=compression_type,
            split_type=split_type,
            input_filter=input_filter,
            output_filter=output_filter,
            join_source=join_source,
        )
        self._check(_in_bucket(job, _SOME_BUCKET, local), local)
        with explained(self.session.target), self._model() as self.model_name:
            self._start(replace(job, model_name=self.model_name), local)
        if wait:
            self.wait(logs=logs)
        return self.output

    def wait(self, *, logs: bool = True) -> None:
        """Wait for the latest job, showing its states and, if asked, its lines.

        Raises JobFailed if it ended otherwise than Completed. Ctrl-C stops the job, and is raised
        once it has ended; a second one at once.
        """
        name = self._latest()
        found = stopped_by_ctrl_c(
            begun_when_followed(partial(self._following, name, logs=logs)),
            what=f"the transform job {name}",
            stop=self.stop,
            left=_left,
            show=self.show,
        )
        status = found["TransformJobStatus"]
        if status != "Completed":
            raise JobFailed(name, status, found.get("FailureReason", ""))
        self.show(f"the answers are below {found['TransformOutput']['S3OutputPath']}")

    def _following(self, name: str, *, logs: bool) -> Callable[[], Mapping[str, Any]]:
        """Return what waits for the end; called again, it goes on where it was."""
        job_logs = JobLogs(
            self.session.client("logs"),
            group=log_groups.TRANSFORM_JOBS,
            job_name=name,
            show=self.show if logs else nowhere,
        )

        def follow() -> Mapping[str, Any]:
            with explained(self.session.target):
                return wait_until_ended(
                    self._describe,
                    ended=lambda one: states.is_terminal(
                        "transform-job", one["TransformJobStatus"]
                    ),
                    read_logs=job_logs.read if logs else lambda: 0,
                    pace=self.session.place.pace,
                    show=self.show,
                )

        return follow

    def stop(self) -> None:
        """Ask the service to stop the latest job."""
        with explained(self.session.target):
            self._sagemaker.stop_transform_job(TransformJobName=self._latest())

    @property
    def output(self) -> str:
        """Where the latest job's answers are."""
        with explained(self.session.target):
            where: str = self._describe()["TransformOutput"]["S3OutputPath"]
        return where

    def _job(self, name: str, **said: Any) -> TransformJob:
        """Return the job; ``said`` are the fields of one call of ``transform``."""
        return TransformJob(
            name=name,
            model_name=self.model_name,
            output_path=self.output_path or "",
            instance_type=self.instance_type,
            instance_count=self.instance_count,
            strategy=self.strategy,
            assemble_with=self.assemble_with,
            accept=self.accept,
            max_concurrent_transforms=self.max_concurrent_transforms,
            max_payload=self.max_payload,
            invocation_timeout_s=self.invocation_timeout,
            invocation_max_retries=self.invocation_max_retries,
            environment=self.environment,
            output_kms_key=self.output_kms_key,
            volume_kms_key=self.volume_kms_key,
            tags=self.tags,
            extra=self.extra,
            **said,
        )

    def _check(self, job: TransformJob, local: Path | None) -> None:
        problems = []
        if local is not None and not local.exists():
            problems.append(f"data: {local}: no such file or folder: check the path")
        (request,) = job.requests()
        problems += (with_remedy(line, self.session.target) for line in problems_in(request))
        problems = problems or [*problems_in_types([request], self.session)]
        if problems:
            raise InvalidRequest(problems)

    def _model(self) -> AbstractContextManager[str]:
        return self.model.created(self.model_name) if self.model else nullcontext(self.model_name)

    def _start(self, job: TransformJob, local: Path | None) -> None:
        """Upload what is on this machine, and create the job."""
        bucket = _SOME_BUCKET
        if local is not None or not job.output_path:
            bucket = self.session.default_bucket()
        job = _in_bucket(job, bucket, local)
        if local is not None:
            self.show(f"uploading {local} to {job.data}")
            self.session.upload(local, f"{job.name}/{_INPUT}", bucket=bucket)
        (request,) = job.requests()
        self._sagemaker.create_transform_job(**request.parameters)
        self.latest_transform_job = job.name
        self.show(f"created the transform job {job.name}")

    def _describe(self) -> Mapping[str, Any]:
        name = self._latest()
        answer: Mapping[str, Any] = self._sagemaker.describe_transform_job(TransformJobName=name)
        return answer

    def _latest(self) -> str:
        if self.latest_transform_job is None:
            raise SagedockError("this transformer has no job yet: call transform() first")
        return self.latest_transform_job

    @property
    def _sagemaker(self) -> Any:
        return self.session.client("sagemaker")


def _in_bucket(job: TransformJob, bucket: str, local: Path | None) -> TransformJob:
    """Return the job with its places in ``bucket`` where they are not said."""
    where = f"s3://{bucket}/{job.name}"
    return replace(
        job,
        data=f"{where}/{_INPUT}/" if local is not None else job.data,
        output_path=job.output_path or f"{where}/output",
    )


def _left(description: Mapping[str, Any]) -> str:
    """Return what is left of a job that Ctrl-C stopped."""
    status, where = description["TransformJobStatus"], description["TransformOutput"]
    return (
        f"the transform job {description['TransformJobName']} ended {status}; the answers that "
        f"were written stay below {where['S3OutputPath']}"
    )
