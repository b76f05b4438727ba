"""What DescribeTransformJob answers, from the creation of a job to its end.

Sources: rows 136 and 137 of the fidelity corpus. LastModifiedTime is for lists only.
"""

from collections.abc import Mapping
from typing import Any

__all__ = ["SUMMARY", "begun", "described", "ended", "new_document", "stopping"]

Document = Mapping[str, Any]

#: The members of a job's document that ListTransformJobs answers.
SUMMARY = (
    "TransformJobName",
    "TransformJobArn",
    "CreationTime",
    "TransformEndTime",
    "LastModifiedTime",
    "TransformJobStatus",
    "FailureReason",
)
#: Members of the request that Describe echoes when they were sent.
_ECHOED = (
    "MaxConcurrentTransforms",
    "ModelClientConfig",
    "MaxPayloadInMB",
    "BatchStrategy",
    "Environment",
    "ExperimentConfig",
)
#: When the job began on its instances: told once it has ended (row 136).
_BEGUN = "_Begun"
_KEPT = ("LastModifiedTime", _BEGUN)


def new_document(request: Document, arn: str, at: float) -> dict[str, Any]:
    """Return the first document of a job created ``at`` (epoch seconds)."""
    source, target = request["TransformInput"], request["TransformOutput"]
    processing = {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}
    return {
        "TransformJobName": request["TransformJobName"],
        "TransformJobArn": arn,
        "TransformJobStatus": "InProgress",
        "ModelName": request["ModelName"],
        "TransformInput": {"CompressionType": "None", "SplitType": "None", **source},
        "TransformOutput": {"AssembleWith": "None", "KmsKeyId": "", **target},
        "TransformResources": request["TransformResources"],
        "DataProcessing": {**processing, **request.get("DataProcessing", {})},
        "CreationTime": at,
        "LastModifiedTime": at,
        **{name: request[name] for name in _ECHOED if name in request},
    }


def described(document: Document) -> dict[str, Any]:
    """Return what Describe answers of a document."""
    return {name: value for name, value in document.items() if name not in _KEPT}


def begun(document: Document, at: float) -> dict[str, Any]:
    """Return ``document`` of a job that has its instances; the first time counts."""
    return {_BEGUN: at, **document}


def stopping(document: Document, at: float) -> dict[str, Any]:
    """Return ``document`` right after StopTransformJob."""
    return {**document, "TransformJobStatus": "Stopping", "LastModifiedTime": at}


def ended(document: Document, status: str, at: float, reason: str | None) -> dict[str, Any]:
    """Return ``document`` of a job that ended in ``status``."""
    changed = {
        **document,
        "TransformJobStatus": status,
        "TransformEndTime": at,
        "LastModifiedTime": at,
    }
    if _BEGUN in document:
        changed["TransformStartTime"] = document[_BEGUN]
    if reason is not None:
        changed["FailureReason"] = reason
    return changed
