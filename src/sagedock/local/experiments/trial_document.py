"""What Describe answers of experiments and trials."""

from collections.abc import Mapping
from typing import Any

__all__ = ["new_experiment", "new_trial", "renamed"]

Document = Mapping[str, Any]


def new_experiment(request: Document, arn: str, at: float) -> dict[str, Any]:
    """Return the document of an experiment created ``at`` (epoch seconds)."""
    said = {name: request[name] for name in ("DisplayName", "Description") if name in request}
    return {
        "ExperimentName": request["ExperimentName"],
        "ExperimentArn": arn,
        "DisplayName": request["ExperimentName"],
        **_made(at),
        **said,
    }


def new_trial(request: Document, arn: str, at: float) -> dict[str, Any]:
    """Return the document of a trial created ``at`` (epoch seconds)."""
    said = {
        name: request[name] for name in ("DisplayName", "MetadataProperties") if name in request
    }
    return {
        "TrialName": request["TrialName"],
        "TrialArn": arn,
        "DisplayName": request["TrialName"],
        "ExperimentName": request["ExperimentName"],
        **_made(at),
        **said,
    }


def renamed(document: Document, request: Document, at: float) -> dict[str, Any]:
    """Return ``document`` with another display name and description, where they are said; an empty
    description is none.
    """
    said = {name: request[name] for name in ("DisplayName", "Description") if name in request}
    changed = {**document, **said, "LastModifiedTime": at}
    if not changed.get("Description"):
        changed.pop("Description", None)
    return changed


def _made(at: float) -> dict[str, Any]:
    return {
        "CreationTime": at,
        "CreatedBy": {},
        "LastModifiedTime": at,
        "LastModifiedBy": {},
    }
