"""What autoscaling needs of whoever runs endpoints: how many copies there are, and other numbers.

``Fleets`` is the whole of it. What it scales lives elsewhere, and publishes invocations in
CloudWatch's namespace ``AWS/SageMaker`` under the names of ``sagedock.api.scaling.PREDEFINED``
(``InvocationsPerInstance``, ``InvocationsPerCopy``), with the time at which each was counted, and
at the latest 10 seconds later, by the clock of the time scale. Zeros are published by ``measures``.
"""

import uuid
from dataclasses import dataclass
from typing import Protocol

from sagedock.api import ServiceError
from sagedock.api.scaling import DIMENSIONS, ScalableDimension

__all__ = ["CannotScale", "Fleet", "Fleets", "ScalableResource"]


class CannotScale(Exception):
    """A resource does not take the number; the text says why, in the service's words."""

    @classmethod
    def refused(cls, error: ServiceError) -> "CannotScale":
        """Return that SageMaker refused the number. Source of the form: the developer guide's
        endpoint-scaling-query-history.
        """
        told = (
            "Service: AmazonSageMaker",
            f"Status Code: {error.http_status}",
            f"Error Code: {error.code}",
            f"Request ID: {uuid.uuid4()}",
        )
        return cls(f"{error.message} ({'; '.join(told)})")


@dataclass(frozen=True, kw_only=True)
class ScalableResource:
    """What is scaled: a variant of an endpoint, or an inference component.

    ``resource_id`` fits ``dimension``: ask ``known`` first.
    """

    region: str
    resource_id: str
    dimension: str

    @property
    def known(self) -> bool:
        """Whether the dimension can be scaled here, and the resource ID is one of it."""
        kind = DIMENSIONS.get(self.dimension)
        return kind is not None and kind.resource.fullmatch(self.resource_id) is not None

    @property
    def kind(self) -> ScalableDimension:
        """The dimension's row."""
        return DIMENSIONS[self.dimension]

    @property
    def endpoint(self) -> str | None:
        """The endpoint's name, of a variant."""
        return self._part("endpoint")

    @property
    def variant(self) -> str | None:
        """The variant's name."""
        return self._part("variant")

    @property
    def component(self) -> str | None:
        """The inference component's name."""
        return self._part("component")

    @property
    def metric_dimensions(self) -> dict[str, str]:
        """The CloudWatch dimensions of what it publishes. Source: monitoring-cloudwatch."""
        if self.component is not None:
            return {"InferenceComponentName": self.component}
        return {"EndpointName": self.endpoint or "", "VariantName": self.variant or ""}

    def _part(self, name: str) -> str | None:
        found = self.kind.resource.fullmatch(self.resource_id)
        return found.groupdict().get(name) if found else None


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """A resource as it is now.

    ``desired`` is what was asked for last, ``current`` what runs. ``busy`` while it is being
    created or changed, so that it takes no number. ``instance_type`` of a variant. ``in_flight`` is
    how many requests the busiest copy holds now, None where nobody knows.
    """

    desired: int
    current: int
    busy: bool = False
    instance_type: str | None = None
    in_flight: int | None = None
    #: Whether its invocations are counted in CloudWatch: those of a backlog are not.
    is_counted: bool = True


class Fleets(Protocol):
    """The endpoints' side. Both methods are called from any thread, and return at once."""

    def find(self, resource: ScalableResource) -> Fleet | None:
        """Return a resource as it is now; None only where it does not exist, or is being deleted:
        then its target is deregistered.
        """
        ...

    def set_desired(self, resource: ScalableResource, count: int) -> None:
        """Begin to start or drain copies, until ``count`` of them run.

        From here on ``find`` answers that number as ``desired``, and is busy until it is reached
        or given up; given up, the old number is desired again. Raises CannotScale, with nothing
        changed, where the resource does not take it.
        """
        ...
