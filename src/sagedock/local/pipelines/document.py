"""What an execution is described with, and its steps' records.

A document's members that begin with an underscore are its own: no answer has them.
"""

from collections.abc import Mapping
from typing import Any

__all__ = [
    "PIPELINE_SUMMARY",
    "STEPS",
    "SUMMARY",
    "described",
    "execution_document",
    "pipeline_document",
    "public",
    "summary_members",
]

Document = Mapping[str, Any]

STEPS = "_Steps"
#: The members of an execution that ListPipelineExecutions answers; names differ, see below.
SUMMARY = (
    "PipelineExecutionArn",
    "StartTime",
    "PipelineExecutionStatus",
    "PipelineExecutionDescription",
    "PipelineExecutionDisplayName",
    "PipelineExecutionFailureReason",
)
PIPELINE_SUMMARY = (
    "PipelineArn",
    "PipelineName",
    "PipelineDisplayName",
    "PipelineDescription",
    "RoleArn",
    "CreationTime",
    "LastModifiedTime",
    "LastExecutionTime",
)
#: Those that only lists have.
_LISTED = frozenset({"StartTime", "PipelineExecutionFailureReason", "LastExecutionTime"})


def public(record: Document) -> dict[str, Any]:
    """Return a record, or a document, without what is ours."""
    return {name: value for name, value in record.items() if not name.startswith("_")}


def described(document: Document) -> dict[str, Any]:
    """Return what Describe answers of a document."""
    return {name: value for name, value in public(document).items() if name not in _LISTED}


def pipeline_document(request: Document, arn: str, text: str, at: float) -> dict[str, Any]:
    """Return the first document of a pipeline created ``at`` (epoch seconds); ``text`` is its
    definition.
    """
    document = {
        "PipelineArn": arn,
        "PipelineName": request["PipelineName"],
        "PipelineDisplayName": request.get("PipelineDisplayName", request["PipelineName"]),
        "PipelineDefinition": text,
        "RoleArn": request["RoleArn"],
        "PipelineStatus": "Active",
        "CreationTime": at,
        "LastModifiedTime": at,
        "CreatedBy": {},
        "LastModifiedBy": {},
    }
    for name in ("PipelineDescription", "ParallelismConfiguration"):
        if name in request:
            document[name] = request[name]
    return document


def execution_document(
    request: Document, pipeline: Document, arn: str, at: float
) -> dict[str, Any]:
    """Return the first document of an execution started ``at`` (epoch seconds)."""
    parallelism = request.get("ParallelismConfiguration", pipeline.get("ParallelismConfiguration"))
    document = {
        "PipelineArn": pipeline["PipelineArn"],
        "PipelineExecutionArn": arn,
        "PipelineExecutionDisplayName": request.get(
            "PipelineExecutionDisplayName", f"execution-{int(at * 1000)}"
        ),
        "PipelineExecutionStatus": "Executing",
        "CreationTime": at,
        "LastModifiedTime": at,
        "StartTime": at,
        "CreatedBy": {},
        "LastModifiedBy": {},
        STEPS: {},
    }
    if parallelism is not None:
        document["ParallelismConfiguration"] = parallelism
    for name in ("PipelineExecutionDescription", "SelectiveExecutionConfig", "RoleArn"):
        if name in request:
            document[name] = request[name]
    return document


def summary_members() -> Mapping[str, tuple[str, ...]]:
    """Return the members that lists answer, by kind."""
    return {"pipeline": PIPELINE_SUMMARY, "pipeline-execution": SUMMARY}
