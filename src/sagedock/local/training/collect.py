"""After the containers ended: artefacts to S3, and the failure file."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sagedock.api import log_groups
from sagedock.contract import limits, paths
from sagedock.local.container_files import read_file
from sagedock.local.platform import Platform
from sagedock.local.training import reasons
from sagedock.local.training.artifacts import ArtifactClash, pack
from sagedock.local.training.extracted import extracted
from sagedock.local.training.watch import Watched
from sagedock.local.uploads import UploadFailed, uploading
from sagedock.local.uris import S3Uri

__all__ = ["LOG_GROUP", "failure_reason", "model_uri", "upload"]

LOG_GROUP = log_groups.TRAINING_JOBS
_BYTES_PER_CHARACTER = 4


def model_uri(request: Mapping[str, Any]) -> S3Uri:
    """Return where the model goes: <S3OutputPath>/<job>/output/model.tar.gz.

    Uncompressed it is a folder, <S3OutputPath>/<job>/output/model/; that it ends with a slash is
    what models made of it need. Source:
    https://docs.aws.amazon.com/sagemaker/latest/dg/large-model-inference-uncompressed.html
    """
    return _output(request) / ("model/" if _is_uncompressed(request) else "model.tar.gz")


def upload(platform: Platform, request: Mapping[str, Any], containers: Sequence[str]) -> bool:
    """Store the model and the other output, where there is any; say whether there is a model.

    That is model.tar.gz and output.tar.gz, or the files themselves below model/ and data/ (data/
    is unverified). Raises UploadFailed.
    """
    output, model = _output(request), model_uri(request)
    if _is_uncompressed(request):
        has_model = _store_files(platform, containers, paths.MODEL.path, model)
        _store_files(platform, containers, paths.OUTPUT_DATA.path, output / "data/")
        return has_model
    has_model = _store(platform, containers, paths.MODEL.path, model)
    _store(platform, containers, paths.OUTPUT_DATA.path, output / "output.tar.gz")
    return has_model


def failure_reason(platform: Platform, containers: Mapping[str, str], watched: Watched) -> str:
    """Return the reason of the host that failed first: its failure file, and its exit code."""
    host = watched.failed_first
    if host is None:
        raise LookupError("no host failed")
    limit = int(limits.FAILURE_REASON_CHARACTERS) * _BYTES_PER_CHARACTER
    text = read_file(platform.engine, containers[host], paths.FAILURE.path, limit)
    return reasons.container_failure(watched.exits[host], text)


def _output(request: Mapping[str, Any]) -> S3Uri:
    root = S3Uri.parse(request["OutputDataConfig"]["S3OutputPath"])
    job: str = request["TrainingJobName"]
    return root / job / "output"


def _is_uncompressed(request: Mapping[str, Any]) -> bool:
    return bool(request["OutputDataConfig"].get("CompressionType") == "NONE")


def _store(platform: Platform, containers: Sequence[str], path: str, target: S3Uri) -> bool:
    with _upload_of(path):
        packed = pack(platform.engine, containers, path, platform.scratch_folder)
        if packed is None:
            return False
        platform.objects.put_file(target.bucket, target.key, packed, "application/gzip")
    return True


def _store_files(platform: Platform, containers: Sequence[str], path: str, folder: S3Uri) -> bool:
    """Store the files below ``path`` below ``folder``; say whether there were any."""
    with (
        _upload_of(path),
        extracted(platform.engine, containers, path, platform.scratch_folder) as files,
    ):
        for name, file in files.items():
            key = folder.key + name
            try:
                platform.objects.put_file(folder.bucket, key, file)
            except UnicodeEncodeError as error:
                raise UploadFailed(f"{path}/{name!r} is no UTF-8: no object can be so") from error
    return bool(files)


@contextmanager
def _upload_of(path: str) -> Iterator[None]:
    """Raise UploadFailed, in the service's words, where what lies at ``path`` cannot be stored."""
    try:
        with uploading():
            yield
    except ArtifactClash as clash:
        raise UploadFailed(f"several hosts wrote {path}/{clash}: names must not clash") from clash
