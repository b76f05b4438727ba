"""What DescribeProcessingJob answers, from the creation of a job to its end."""

from collections.abc import Mapping
from typing import Any

__all__ = ["SUMMARY", "begun", "deadline_s", "ended", "new_document", "stopping"]

Document = Mapping[str, Any]

#: The members of a job's document that ListProcessingJobs answers.
SUMMARY = (
    "ProcessingJobName",
    "ProcessingJobArn",
    "CreationTime",
    "ProcessingEndTime",
    "LastModifiedTime",
    "ProcessingJobStatus",
    "FailureReason",
    "ExitMessage",
)
#: Members of the request that Describe echoes when they were sent.
_ECHOED = ("Environment", "NetworkConfig", "ExperimentConfig")
#: Source: the description of ``max_runtime_in_seconds`` in the SageMaker SDK v2, of training jobs
#: API_StoppingCondition.
_DEFAULT_MAX_RUNTIME_S = 86_400


def new_document(request: Document, arn: str, at: float) -> dict[str, Any]:
    """Return the first document of a job created ``at`` (epoch seconds)."""
    document = {
        "ProcessingJobName": request["ProcessingJobName"],
        "ProcessingJobArn": arn,
        "ProcessingJobStatus": "InProgress",
        "ProcessingResources": request["ProcessingResources"],
        "StoppingCondition": {
            "MaxRuntimeInSeconds": _DEFAULT_MAX_RUNTIME_S,
            **request.get("StoppingCondition", {}),
        },
        "AppSpecification": request["AppSpecification"],
        "RoleArn": request["RoleArn"],
        "CreationTime": at,
        "LastModifiedTime": at,
        **{name: request[name] for name in _ECHOED if name in request},
    }
    if "ProcessingInputs" in request:
        document["ProcessingInputs"] = [_moved(each) for each in request["ProcessingInputs"]]
    if "ProcessingOutputConfig" in request:
        config = request["ProcessingOutputConfig"]
        outputs = [_moved(each) for each in config["Outputs"]]
        document["ProcessingOutputConfig"] = {**config, "Outputs": outputs}
    return document


def begun(document: Document, at: float) -> dict[str, Any]:
    """Return ``document`` of a job whose containers run; the first time counts."""
    return {"ProcessingStartTime": at, **document, "LastModifiedTime": at}


def stopping(document: Document, at: float) -> dict[str, Any]:
    """Return ``document`` of a job that is being stopped."""
    return {**document, "ProcessingJobStatus": "Stopping", "LastModifiedTime": at}


def ended(
    document: Document, status: str, at: float, *, reason: str | None, message: str | None
) -> dict[str, Any]:
    """Return ``document`` of a job that ended in ``status``, with its FailureReason and its
    ExitMessage.
    """
    told = {"FailureReason": reason, "ExitMessage": message}
    return {
        **document,
        "ProcessingJobStatus": status,
        "ProcessingEndTime": at,
        "LastModifiedTime": at,
        **{name: value for name, value in told.items() if value is not None},
    }


def deadline_s(document: Document) -> float:
    """Return when MaxRuntimeInSeconds is over (epoch seconds), of a job whose containers run."""
    allowed = document["StoppingCondition"]["MaxRuntimeInSeconds"]
    return float(document["ProcessingStartTime"]) + float(allowed)


def _moved(part: Document) -> dict[str, Any]:
    """Return an input or output with the default of AppManaged, which the API documents."""
    return {"AppManaged": False, **part}
