"""What EventBridge is told of a model package.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
("SageMaker model package state change"). That UpdatedModelPackageFields is left out where nothing
was updated, and what is told of a deletion, is unverified.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sagedock.local.events import iso_time

__all__ = ["STATE_CHANGE", "event_detail"]

STATE_CHANGE = "SageMaker Model Package State Change"

#: What an event leaves out of a package's document.
_UNTOLD = ("CreatedBy", "LastModifiedBy")
_TIMES = ("CreationTime", "LastModifiedTime")


def event_detail(document: Mapping[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """Return an event's detail of a package whose ``fields`` were updated."""
    told = {name: value for name, value in document.items() if name not in _UNTOLD}
    times = {name: iso_time(told[name]) for name in _TIMES if name in told}
    return {**told, **times, **({"UpdatedModelPackageFields": list(fields)} if fields else {})}
