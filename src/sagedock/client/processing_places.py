"""Where the inputs and outputs of a processing job are: on this machine, or in S3."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from sagedock.jobs import ProcessingInput, ProcessingJob
from sagedock.jobs.pipeline import Execution, Join, Reference

__all__ = [
    "in_bucket",
    "in_each_execution",
    "input_prefix",
    "local_path",
    "missing_files",
    "needs_bucket",
]


def local_path(given: ProcessingInput) -> Path | None:
    """Return the file or folder of this machine that an input names, None for any other."""
    if isinstance(given.source, Reference):
        return None
    if given.source.startswith("file://"):
        return Path(given.source.removeprefix("file://"))
    return None if "://" in given.source else Path(given.source)


def missing_files(inputs: Sequence[ProcessingInput]) -> Iterator[str]:
    """Yield a problem for each input whose file or folder is not there, or holds no file."""
    for each in inputs:
        path = local_path(each)
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


def needs_bucket(job: ProcessingJob) -> bool:
    """Say whether anything of a job goes to the default bucket."""
    return any(local_path(each) is not None for each in job.inputs) or any(
        each.destination is None for each in job.outputs
    )


def input_prefix(name: str, given: ProcessingInput) -> str:
    """Return where an input of the job ``name`` is uploaded."""
    return f"{name}/input/{given.input_name}/"


def in_each_execution(job: ProcessingJob, bucket: Callable[[], str]) -> ProcessingJob:
    """Return a job of a pipeline's step with places for its outputs, of each execution its own."""
    outputs = tuple(
        each
        if each.destination is not None
        else replace(
            each,
            destination=Join(
                [
                    f"s3://{bucket()}/{job.name}/",
                    Execution.PIPELINE_EXECUTION_ID,
                    f"/output/{each.output_name}",
                ]
            ),
        )
        for each in job.outputs
    )
    return replace(job, outputs=outputs)


def in_bucket(job: ProcessingJob, bucket: str) -> ProcessingJob:
    """Return the job with what is on this machine, or has no place, in ``bucket``."""

    def moved(given: ProcessingInput) -> ProcessingInput:
        path = local_path(given)
        if path is None:
            return given
        prefix = f"s3://{bucket}/{input_prefix(job.name, given)}"
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
