"""Processor and ScriptProcessor: a program over data, by the names of SageMaker SDK v2."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from sagedock.client.check import problems_in, unknown_instance_type
from sagedock.client.processing_run import ProcessingResult, ProcessingRun
from sagedock.client.refusals import explained, with_remedy
from sagedock.client.session import Session
from sagedock.client.show import Show, to_stdout
from sagedock.client.source import Source
from sagedock.contract import paths
from sagedock.errors import InvalidRequest, SagedockError
from sagedock.jobs import (
    ProcessingInput,
    ProcessingJob,
    ProcessingOutput,
    Tags,
    base_name_of_image,
    unique_name,
)

__all__ = ["Processor", "ScriptProcessor"]

#: Stands for the default bucket while a request is checked, before AWS is asked for its name.
_SOME_BUCKET = "sagemaker-default-bucket"
_NOTHING_OUTLIVES = (
    "no local SageMaker outlives this program: the job is stopped when the program ends. Start one "
    "with `sagedock local up --detach` first, or wait for the job"
)
_CODE = "code"


@dataclass(kw_only=True)
class _Machines:
    """In which image, on what, and as whom jobs are run."""

    image_uri: str
    role: str
    instance_type: str
    instance_count: int = 1
    volume_size_in_gb: int = 30
    volume_kms_key: str | None = None
    output_kms_key: str | None = None
    max_runtime_in_seconds: int | None = None
    base_job_name: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    encrypt_inter_container_traffic: bool = False
    enable_network_isolation: bool = False
    subnets: Sequence[str] = ()
    security_group_ids: Sequence[str] = ()
    tags: Tags = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    session: Session = field(default_factory=Session)
    show: Show = to_stdout
    latest_job: ProcessingRun | None = field(default=None, init=False)

    def wait(self, *, logs: bool = True) -> ProcessingResult:
        """Wait for the latest job, showing its states and, if asked, its lines.

        Raises JobFailed if it ended otherwise than Completed.
        """
        return self._latest().wait(logs=logs)

    def stop(self) -> None:
        """Ask the service to stop the latest job."""
        self._latest().stop()

    def _latest(self) -> ProcessingRun:
        if self.latest_job is None:
            raise SagedockError("this processor has no job yet: call run() first")
        return self.latest_job

    def _named(self, job_name: str | None) -> str:
        base = self.base_job_name or base_name_of_image(self.image_uri or "")
        return job_name or unique_name(base, datetime.now(UTC))

    def _job(self, name: str, **said: Any) -> ProcessingJob:
        """Return the job; ``said`` are the fields of one call of ``run``."""
        return ProcessingJob(
            name=name,
            image_uri=self.image_uri,
            role=self.role,
            instance_type=self.instance_type,
            instance_count=self.instance_count,
            volume_size_in_gb=self.volume_size_in_gb,
            volume_kms_key=self.volume_kms_key,
            output_kms_key=self.output_kms_key,
            max_runtime_in_seconds=self.max_runtime_in_seconds,
            env=self.env,
            encrypt_inter_container_traffic=self.encrypt_inter_container_traffic,
            enable_network_isolation=self.enable_network_isolation,
            subnets=self.subnets,
            security_group_ids=self.security_group_ids,
            tags=self.tags,
            extra=self.extra,
            **said,
        )

    def _run(
        self, job: ProcessingJob, files: Mapping[str, Path], *, wait: bool, logs: bool
    ) -> ProcessingResult:
        """Check the job, upload what is on this machine (``files`` by their place in the folder of
        the input ``code``), create it, and wait if asked.
        """
        self._check(job)
        with explained(self.session.target):
            self._start(job, files)
        if wait:
            return self.wait(logs=logs)
        if self.session.place.ends_with_program:
            self.show(_NOTHING_OUTLIVES)
        return self._latest().result()

    def _check(self, job: ProcessingJob) -> None:
        problems = [*_missing_files(job.inputs)]
        (request,) = _in_bucket(job, _SOME_BUCKET).requests()
        problems += (with_remedy(line, self.session.target) for line in problems_in(request))
        if problems:
            raise InvalidRequest(problems)
        if warning := unknown_instance_type(request):
            self.show(warning)

    def _start(self, job: ProcessingJob, files: Mapping[str, Path]) -> None:
        bucket = _SOME_BUCKET
        if _needs_bucket(job):
            bucket = self.session.default_bucket()
        for each in job.inputs:
            if (path := _local_path(each)) is None:
                continue
            prefix = _input_prefix(job.name, each)
            if each.input_name == _CODE and files:
                self._send(files, bucket, prefix)
                continue
            self.show(f"uploading {path} to s3://{bucket}/{prefix}")
            self.session.upload(path, prefix, bucket=bucket)
        (request,) = _in_bucket(job, bucket).requests()
        self.session.client("sagemaker").create_processing_job(**request.parameters)
        self.latest_job = ProcessingRun(job.name, self.session, self.show)
        self.show(f"created the processing job {job.name}")

    def _send(self, files: Mapping[str, Path], bucket: str, prefix: str) -> None:
        for name, path in files.items():
            self.session.client("s3").upload_file(str(path), bucket, prefix + name)


@dataclass(kw_only=True)
class Processor(_Machines):
    """Runs an image's own program over data, on AWS or on the local SageMaker.

    The parameters are those of SageMaker SDK v2's ``Processor``, and ``entrypoint`` replaces the
    image's. ``extra`` is in API casing and is laid over the request last. ``show`` takes each line:
    states, and the job's log.
    """

    entrypoint: Sequence[str] = ()

    def run(
        self,
        inputs: Sequence[ProcessingInput] = (),
        outputs: Sequence[ProcessingOutput] = (),
        arguments: Sequence[str] = (),
        *,
        wait: bool = True,
        logs: bool = True,
        job_name: str | None = None,
    ) -> ProcessingResult:
        """Run a job. Inputs that are paths of this machine are uploaded first; outputs without a
        destination go to the default bucket.

        The request is checked before anything is sent. With ``wait`` the result is returned once
        the job completed, and the job's lines are shown if ``logs`` asks for them; else at once.
        Raises InvalidRequest with every problem, or JobFailed with the service's FailureReason.
        """
        job = self._job(
            self._named(job_name),
            entrypoint=self.entrypoint,
            arguments=arguments,
            inputs=_with_names(inputs),
            outputs=_outputs_with_names(outputs),
        )
        return self._run(job, {}, wait=wait, logs=logs)


@dataclass(kw_only=True)
class ScriptProcessor(_Machines):
    """Runs a script of yours over data, by ``command`` in an image that need not know it.

    The other parameters are those of ``Processor``.
    """

    command: Sequence[str] = ("python3",)

    def run(
        self,
        code: str | Path,
        inputs: Sequence[ProcessingInput] = (),
        outputs: Sequence[ProcessingOutput] = (),
        arguments: Sequence[str] = (),
        *,
        source_dir: str | Path | None = None,
        wait: bool = True,
        logs: bool = True,
        job_name: str | None = None,
    ) -> ProcessingResult:
        """Run ``code``, a file of this machine or an S3 URI; see ``Processor.run``.

        With ``source_dir`` it is a path in that folder, which is uploaded whole, less what tools
        leave there. The script finds it as it is; nothing is installed.
        """
        source = Source(
            entry_point=str(code), source_dir=None if source_dir is None else str(source_dir)
        )
        origin = source.source_dir or str(code)
        is_local = "://" not in origin
        if is_local and (problems := [*_code_problems(source)]):
            raise InvalidRequest(problems)
        program = source.entry_point if source.source_dir else PurePosixPath(str(code)).name
        folder = f"{paths.PROCESSING}/input/{_CODE}"
        given = ProcessingInput(source=origin, destination=folder, input_name=_CODE)
        job = self._job(
            self._named(job_name),
            entrypoint=[*self.command, f"{folder}/{program}"],
            arguments=arguments,
            inputs=(*_with_names(inputs), given),
            outputs=_outputs_with_names(outputs),
        )
        return self._run(job, source.members() if is_local else {}, wait=wait, logs=logs)


def _code_problems(source: Source) -> Iterator[str]:
    """Yield what is wrong with a script of this machine."""
    folder = Path(source.source_dir) if source.source_dir else None
    path = Path(source.entry_point) if folder is None else folder / source.entry_point
    if folder is not None and not folder.is_dir():
        yield f"source_dir: {folder}: no such folder: check the path"
    elif not path.is_file():
        inside = "" if folder is None else f" inside source_dir ({folder})"
        yield f"code: {path}: no such file{inside}: check the path"
    elif folder is not None and not path.resolve().is_relative_to(folder.resolve()):
        yield f"code: {source.entry_point}: leads out of source_dir: give a path in it"


def _with_names(inputs: Sequence[ProcessingInput]) -> tuple[ProcessingInput, ...]:
    return tuple(
        replace(each, input_name=each.input_name or f"input-{number}")
        for number, each in enumerate(inputs, 1)
    )


def _outputs_with_names(outputs: Sequence[ProcessingOutput]) -> tuple[ProcessingOutput, ...]:
    return tuple(
        replace(each, output_name=each.output_name or f"output-{number}")
        for number, each in enumerate(outputs, 1)
    )


def _local_path(given: ProcessingInput) -> Path | None:
    """Return the file or folder of this machine that an input names, None for any other."""
    if given.source.startswith("file://"):
        return Path(given.source.removeprefix("file://"))
    return None if "://" in given.source else Path(given.source)


def _missing_files(inputs: Sequence[ProcessingInput]) -> Iterator[str]:
    """Yield a problem for each input whose file or folder is not there, or holds no file."""
    for each in inputs:
        path = _local_path(each)
        if path is None or path.is_file():
            continue
        if not path.is_dir():
            yield (
                f"inputs[{each.input_name!r}].source: {path}: no such file or folder: give an S3 "
                "URI (s3://bucket/prefix/) or a path that exists"
            )
        elif not any(found.is_file() for found in path.rglob("*")):
            yield (
                f"inputs[{each.input_name!r}].source: {path}: the folder holds no file: put the "
                "data there"
            )


def _needs_bucket(job: ProcessingJob) -> bool:
    return any(_local_path(each) is not None for each in job.inputs) or any(
        each.destination is None for each in job.outputs
    )


def _input_prefix(name: str, given: ProcessingInput) -> str:
    return f"{name}/input/{given.input_name}/"


def _in_bucket(job: ProcessingJob, bucket: str) -> ProcessingJob:
    """Return the job with what is on this machine, or has no place, in ``bucket``."""

    def moved(given: ProcessingInput) -> ProcessingInput:
        path = _local_path(given)
        if path is None:
            return given
        prefix = f"s3://{bucket}/{_input_prefix(job.name, given)}"
        is_prefix = given.s3_data_type == "S3Prefix"
        return replace(given, source=prefix if is_prefix else prefix + path.name)

    return replace(
        job,
        inputs=tuple(map(moved, job.inputs)),
        outputs=tuple(
            replace(
                each,
                destination=each.destination
                or f"s3://{bucket}/{job.name}/output/{each.output_name}",
            )
            for each in job.outputs
        ),
    )
