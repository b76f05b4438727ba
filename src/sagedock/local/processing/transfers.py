"""What the platform brings into a job's containers and takes out of them, as data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sagedock.contract import paths
from sagedock.local.training.inputs import Input
from sagedock.local.uris import S3Uri

__all__ = ["Download", "Upload", "downloads", "uploads"]

Request = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Download:
    """Objects, and the folder ``below`` /opt/ml/processing where containers find them."""

    below: str
    source: Input


@dataclass(frozen=True, kw_only=True)
class Upload:
    """The folder ``below`` /opt/ml/processing whose files go to ``uri``, a folder; ``at_once``
    says that they do while the job runs.
    """

    below: str
    uri: S3Uri
    at_once: bool


def downloads(request: Request, hosts: Sequence[str]) -> tuple[Download, ...]:
    """Return what is brought before the containers start. Where the request does not say how, data
    is replicated, in File mode (unverified).
    """
    return tuple(
        Download(
            below=_below(each["S3Input"]["LocalPath"]),
            source=Input(
                name=each["InputName"],
                mode="File",
                hosts=tuple(hosts),
                uri=S3Uri.parse(each["S3Input"]["S3Uri"]),
                data_type=each["S3Input"]["S3DataType"],
                sharded=each["S3Input"].get("S3DataDistributionType") == "ShardedByS3Key",
            ),
        )
        for each in request.get("ProcessingInputs", ())
        if not each.get("AppManaged")
    )


def uploads(request: Request) -> tuple[Upload, ...]:
    """Return what is taken out, while the containers run or at their end."""
    return tuple(
        Upload(
            below=_below(each["S3Output"]["LocalPath"]),
            uri=_folder(each["S3Output"]["S3Uri"]),
            at_once=each["S3Output"]["S3UploadMode"] == "Continuous",
        )
        for each in request.get("ProcessingOutputConfig", {}).get("Outputs", ())
        if not each.get("AppManaged")
    )


def _below(path: str) -> str:
    """Return the path below /opt/ml/processing, slashes that are doubled or at its end left out."""
    return "/".join(filter(None, path.removeprefix(paths.PROCESSING.path).split("/")))


def _folder(uri: str) -> S3Uri:
    where = S3Uri.parse(uri)
    key = where.key.strip("/")
    return S3Uri(bucket=where.bucket, key=f"{key}/" if key else "")
