"""What processing jobs cannot do here: refused clearly, never quietly left out."""

from collections.abc import Iterator, Mapping
from typing import Any

from sagedock.api import ServiceError, messages
from sagedock.local.uris import S3Uri

__all__ = ["unsupported"]

Request = Mapping[str, Any]

#: The longest name of a file or folder, in bytes.
_LONGEST_NAME = 255


def unsupported(request: Request) -> ServiceError | None:
    """Return the refusal of a job that would not run here as on AWS, or None."""
    wishes = [*_of_cluster(request), *_of_inputs(request), *_of_outputs(request)]
    if not wishes:
        return None
    instead = "Leave it out locally, or run the job on AWS."
    return messages.not_carried_out("; ".join(wishes), instead)


def _of_cluster(request: Request) -> Iterator[str]:
    if request["ProcessingResources"]["ClusterConfig"].get("InstancePreferences"):
        yield "ProcessingResources.ClusterConfig.InstancePreferences"


def _of_inputs(request: Request) -> Iterator[str]:
    for number, each in enumerate(request.get("ProcessingInputs", ())):
        at = f"ProcessingInputs[{number}]"
        if "DatasetDefinition" in each:
            yield f"{at}.DatasetDefinition"
            continue
        source = each["S3Input"]
        if source.get("S3InputMode") == "Pipe":
            yield f"{at}.S3Input.S3InputMode Pipe (File mode is there)"
        if not each.get("AppManaged") and _is_no_place(source["LocalPath"]):
            yield f"{at}.S3Input.LocalPath {source['LocalPath']}"


def _of_outputs(request: Request) -> Iterator[str]:
    outputs = request.get("ProcessingOutputConfig", {}).get("Outputs", ())
    for number, each in enumerate(outputs):
        at = f"ProcessingOutputConfig.Outputs[{number}]"
        if "FeatureStoreOutput" in each:
            yield f"{at}.FeatureStoreOutput"
        elif not each.get("AppManaged"):
            target = each["S3Output"]
            if _is_no_place(target["LocalPath"]):
                yield f"{at}.S3Output.LocalPath {target['LocalPath']}"
            bucket = S3Uri.parse(target["S3Uri"]).bucket
            if not bucket or ":" in bucket:
                yield f"{at}.S3Output.S3Uri {target['S3Uri']}"


def _is_no_place(path: str) -> bool:
    """Say whether no folder of this machine can stand for a path."""
    parts = path.split("/")
    return "\0" in path or any(
        part in (".", "..") or len(part.encode(errors="replace")) > _LONGEST_NAME for part in parts
    )
