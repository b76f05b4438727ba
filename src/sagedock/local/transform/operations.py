"""Create, Describe, List and StopTransformJob."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from sagedock.api import messages
from sagedock.local.beginning import Beginning, new_job
from sagedock.local.caller import Caller
from sagedock.local.experiments import TRANSFORM
from sagedock.local.hosting.names import MODEL as HOSTED_MODEL
from sagedock.local.hosting.names import Shelf
from sagedock.local.input_data import input_refusal
from sagedock.local.listing import Listing
from sagedock.local.moments import epoch_s
from sagedock.local.platform import Platform
from sagedock.local.quotas import over_quota
from sagedock.local.refusal import Refused
from sagedock.local.registry import deployable
from sagedock.local.resources import Key, Resource
from sagedock.local.transform.document import described, new_document, stopping
from sagedock.local.transform.jobs import TransformJobs
from sagedock.local.transform.names import (
    KIND,
    MODEL,
    TERMINAL,
    transform_job_arn,
)
from sagedock.local.transform.record import with_document
from sagedock.local.transform.unsupported import unsupported

__all__ = ["TransformOperations"]

Request = Mapping[str, Any]
Answer = dict[str, Any]

_LISTING = Listing(kind=KIND, member="TransformJobSummaries")


class TransformOperations:
    """The operations on transform jobs. Requests arrive checked against the service's model."""

    #: Those that only read the store.
    quick = frozenset({"DescribeTransformJob", "ListTransformJobs"})

    def __init__(self, platform: Platform, jobs: TransformJobs) -> None:
        self._platform = platform
        self._jobs = jobs
        self._beginning = Beginning(
            platform=platform, jobs=jobs, forget=self._forget, tracked=TRANSFORM
        )
        self._models = Shelf(platform=platform, kind=HOSTED_MODEL)

    def table(self) -> Mapping[str, Callable[[Caller, Request], Answer | bytes]]:
        """Return each operation's name with what carries it out."""
        return {
            "CreateTransformJob": self.create,
            "DescribeTransformJob": self.describe,
            "ListTransformJobs": self.list,
            "StopTransformJob": self.stop,
        }

    def create(self, caller: Caller, request: Request) -> Answer:
        """Start a job, or refuse it with nothing changed."""
        name = request["TransformJobName"]
        arn = transform_job_arn(caller, name)
        key = _key(caller, name)
        if self._platform.resources.alike(key) is not None:  # it has the same ARN
            raise Refused(messages.transform_job_in_use(arn))
        found = self._models.found(caller, request["ModelName"]).document
        model = deployable(self._platform.resources, caller, found)
        source = request["TransformInput"]["DataSource"]["S3DataSource"]
        for refusal in (
            unsupported(request, model),
            self._platform.trust.refusal(model.get("ExecutionRoleArn"), caller.account),
            input_refusal(self._platform, caller, model.get("ExecutionRoleArn", ""), source),
            over_quota(self._platform, caller, KIND, request, _instances),
        ):
            if refusal:
                raise Refused(refusal)
        created = epoch_s(time.time())
        document = new_document(request, arn, created)
        job = new_job(key, document, {**request, MODEL: model}, created)
        self._beginning.begin(caller, job, arn, messages.transform_job_in_use(arn))
        return {"TransformJobArn": arn}

    def describe(self, caller: Caller, request: Request) -> Answer:
        """Answer the job's document as it is now."""
        key = _key(caller, request["TransformJobName"])
        job = self._platform.resources.alike(key)  # it may come from an ARN
        if job is None:
            raise Refused(messages.transform_job_not_found(request["TransformJobName"]))
        return described(job.document)

    def list(self, caller: Caller, request: Request) -> bytes:
        """Answer a page of summaries, as JSON."""
        return _LISTING.page(self._platform.resources, caller, request)

    def stop(self, caller: Caller, request: Request) -> Answer:
        """Begin to stop a job; one that has ended is refused, one that is stopping is not."""
        name = request["TransformJobName"]
        found = self._platform.resources.alike(_key(caller, name))
        key = _key(caller, name) if found is None else found.key
        job = self._platform.resources.change(key, _stopping)
        if job is None:
            raise Refused(messages.transform_job_to_stop_not_found(name))
        self._jobs.stop(job.key)
        return {}

    def _forget(self, job: Resource) -> None:
        with self._platform.resources.together():
            self._platform.tags.remove_all(job.document["TransformJobArn"])
            self._platform.resources.delete(job.key)


def _instances(request: Request) -> Mapping[str, int]:
    """Return how many instances a job has, by their quota. Source of its name: row 108 of the
    fidelity corpus.
    """
    resources = request["TransformResources"]
    return {f"{resources['InstanceType']} for transform job usage": resources["InstanceCount"]}


def _key(caller: Caller, name: str) -> Key:
    return Key(region=caller.region, kind=KIND, name=name)


def _stopping(job: Resource) -> Resource:
    if job.status in TERMINAL:
        raise Refused(messages.cannot_stop("transform job", job.status))
    if job.status == "Stopping":
        return job
    return with_document(job, stopping(job.document, epoch_s(time.time())))
