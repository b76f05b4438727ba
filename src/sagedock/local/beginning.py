"""How a job begins, of whatever kind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sagedock.api import ServiceError
from sagedock.local.caller import Caller
from sagedock.local.experiments import JobKind, track, untrack
from sagedock.local.platform import Platform
from sagedock.local.refusal import ENDING, Refused
from sagedock.local.resources import Key, Resource

__all__ = ["Beginning", "new_job"]


def new_job(
    key: Key, document: Mapping[str, Any], request: Mapping[str, Any], created: float
) -> Resource:
    """Return a job as it is when it is created; ``created`` is in epoch seconds."""
    return Resource(
        key=key,
        created=created,
        modified=created,
        status="InProgress",
        document=document,
        request=request,
    )


class _Jobs(Protocol):
    def start(self, job: Resource, /) -> bool:
        """Start a job; False where the server is ending."""


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """Stores jobs of one kind and has them start, or refuses them with nothing changed.

    ``forget`` removes a job with its tags. Those of a ``tracked`` kind are components of the trial
    that they name.
    """

    platform: Platform
    jobs: _Jobs
    forget: Callable[[Resource], object]
    tracked: JobKind | None = None

    def begin(self, caller: Caller, job: Resource, arn: str, taken: ServiceError) -> None:
        """Begin a job; ``taken`` refuses a second one of its name. Raises Refused."""
        with self.platform.resources.together():
            if not self.platform.resources.add(job):
                raise Refused(taken)
            self.platform.tags.add(arn, job.request.get("Tags", ()))
            if self.tracked:
                track(self.platform, caller, self.tracked, arn, job.request)
        if not self.jobs.start(job):
            if self.tracked:
                untrack(self.platform, caller, self.tracked, job.request)
            self.forget(job)
            raise Refused(ENDING)
