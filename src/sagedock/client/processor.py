"""Processor and ScriptProcessor: a program over data, by the names of SageMaker SDK v2."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from sagedock.client.check import problems_in, unknown_instance_type
from sagedock.client.content import named_by_content
from sagedock.client.processing_places import (
    in_bucket,
    in_each_execution,
    input_prefix,
    local_path,
    missing_files,
    needs_bucket,
)
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
from sagedock.jobs.pipeline import Reference

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
    env: Mapping[str, str | Reference] = field(default_factory=dict)
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
        problems = [*missing_files(job.inputs)]
        (request,) = in_bucket(job, _SOME_BUCKET).requests()
        problems += (with_remedy(line, self.session.target) for line in problems_in(request))
        if problems:
            raise InvalidRequest(problems)
        if warning := unknown_instance_type(request):
            self.show(warning)

    def _start(self, job: ProcessingJob, files: Mapping[str, Path]) -> None:
        (request,) = self._uploaded(job, files).requests()
        self.session.client("sagemaker").create_processing_job(**request.parameters)
        self.latest_job = ProcessingRun(job.name, self.session, self.show)
        self.show(f"created the processing job {job.name}")

    def _prepared(self, job: ProcessingJob, files: Mapping[str, Path]) -> ProcessingJob:
        """Check the job, and upload what is on this machine; return it with all in S3."""
        self._check(job)
        data = [
            path
            for each in job.inputs
            if not (files and each.input_name == _CODE) and (path := local_path(each)) is not None
        ]
        local = [*files.values(), *data]
        base = self.base_job_name or base_name_of_image(self.image_uri or "")
        job = replace(job, name=named_by_content(base, local))
        with explained(self.session.target):
            return self._uploaded(in_each_execution(job, self.session.default_bucket), files)

    def _uploaded(self, job: ProcessingJob, files: Mapping[str, Path]) -> ProcessingJob:
        bucket = _SOME_BUCKET
        if needs_bucket(job):
            bucket = self.session.default_bucket()
        for each in job.inputs:
            if (path := local_path(each)) is None:
                continue
            prefix = input_prefix(job.name, each)
            if each.input_name == _CODE and files:
                self._send(files, bucket, prefix)
                continue
            self.show(f"uploading {path} to s3://{bucket}/{prefix}")
            self.session.upload(path, prefix, bucket=bucket)
        return in_bucket(job, bucket)

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

    entrypoint: Sequence[str | Reference] = ()

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
        Ctrl-C stops a job that is waited for. Raises InvalidRequest with every problem, or
        JobFailed with the service's FailureReason.
        """
        job = self._said(inputs, outputs, arguments, job_name)
        return self._run(job, {}, wait=wait, logs=logs)

    def job(
        self,
        inputs: Sequence[ProcessingInput] = (),
        outputs: Sequence[ProcessingOutput] = (),
        arguments: Sequence[Any] = (),
    ) -> ProcessingJob:
        """Return the job without creating it, for a step of a pipeline; what is on this machine is
        uploaded, to a place that follows from its content, and each execution has places of its own
        for outputs. Sources, destinations and arguments may be references. Raises InvalidRequest.
        """
        return self._prepared(self._said(inputs, outputs, arguments, None), {})

    def _said(
        self,
        inputs: Sequence[ProcessingInput],
        outputs: Sequence[ProcessingOutput],
        arguments: Sequence[Any],
        job_name: str | None,
    ) -> ProcessingJob:
        _require_lists(entrypoint=self.entrypoint, arguments=arguments)
        return self._job(
            self._named(job_name),
            entrypoint=self.entrypoint,
            arguments=arguments,
            inputs=_with_names(inputs),
            outputs=_outputs_with_names(outputs),
        )


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
        job, files = self._said(code, source_dir, inputs, outputs, arguments, job_name)
        return self._run(job, files, wait=wait, logs=logs)

    def job(
        self,
        code: str | Path,
        inputs: Sequence[ProcessingInput] = (),
        outputs: Sequence[ProcessingOutput] = (),
        arguments: Sequence[Any] = (),
        *,
        source_dir: str | Path | None = None,
    ) -> ProcessingJob:
        """Return the job without creating it, for a step of a pipeline; see ``Processor.job``."""
        return self._prepared(*self._said(code, source_dir, inputs, outputs, arguments, None))

    def _said(
        self,
        code: str | Path,
        source_dir: str | Path | None,
        inputs: Sequence[ProcessingInput],
        outputs: Sequence[ProcessingOutput],
        arguments: Sequence[Any],
        job_name: str | None,
    ) -> tuple[ProcessingJob, Mapping[str, Path]]:
        """Return the job, and the files of this machine that its program is made of."""
        _require_lists(command=self.command, arguments=arguments)
        if not self.command:
            raise InvalidRequest(
                ['command: is empty: name what runs the script, e.g. command=["python3"]']
            )
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
        return job, source.members() if is_local else {}


def _require_lists(**given: Sequence[Any]) -> None:
    """Raise InvalidRequest for one value in the place of a list: a text is a list, of letters."""
    problems = [
        f"{name}: {value!r} is one text: give a list of words, {name}={value.split()!r}"
        for name, value in given.items()
        if isinstance(value, str)
    ]
    problems += (
        f"{name}: {value!r} is one value: give a list of words, {name}=[...]"
        for name, value in given.items()
        if isinstance(value, Reference)
    )
    if problems:
        raise InvalidRequest(problems)


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
