"""After the containers ended: artefacts to S3, and the failure file."""

import errno
from collections.abc import Mapping, Sequence
from typing import Any

from sagedock.contract import limits, paths
from sagedock.local.platform import Platform
from sagedock.local.s3 import S3Error
from sagedock.local.training import reasons
from sagedock.local.training.artifacts import ArtifactClash, pack, read_file
from sagedock.local.training.watch import Watched
from sagedock.local.uris import S3Uri

__all__ = ["LOG_GROUP", "UploadFailed", "failure_reason", "model_uri", "upload"]

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
_BYTES_PER_CHARACTER = 4


class UploadFailed(Exception):
    """The artefacts could not be stored; the text says why."""


def model_uri(request: Mapping[str, Any]) -> S3Uri:
    """Return where model.tar.gz goes: <S3OutputPath>/<job>/output/model.tar.gz."""
    return _output(request) / "model.tar.gz"


def upload(platform: Platform, request: Mapping[str, Any], containers: Sequence[str]) -> bool:
    """Store model.tar.gz and output.tar.gz, where there is anything; say whether there is a model.

    Raises UploadFailed.
    """
    model = _store(platform, containers, paths.MODEL.path, model_uri(request))
    _store(platform, containers, paths.OUTPUT_DATA.path, _output(request) / "output.tar.gz")
    return model


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


def _store(platform: Platform, containers: Sequence[str], path: str, target: S3Uri) -> bool:
    try:
        packed = pack(platform.engine, containers, path, platform.scratch_folder)
        if packed is None:
            return False
        platform.objects.put_file(target.bucket, target.key, packed, "application/gzip")
    except ArtifactClash as clash:
        raise UploadFailed(f"several hosts wrote {path}/{clash}: names must not clash") from clash
    except S3Error as error:
        raise UploadFailed(error.message) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise UploadFailed("Insufficient disk space") from error
        raise
    return True
