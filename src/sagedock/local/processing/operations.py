"""Create, Describe, List, Stop and DeleteProcessingJob."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sagedock.api import ServiceError, messages, processing_messages
from sagedock.local.beginning import Beginning, new_job
from sagedock.local.caller import Caller
from sagedock.local.experiments import PROCESSING
from sagedock.local.input_data import input_refusal
from sagedock.local.listing import Listing
from sagedock.local.moments import epoch_s
from sagedock.local.platform import Platform
from sagedock.local.processing.document import new_document, stopping
from sagedock.local.processing.jobs import ProcessingJobs
from sagedock.local.processing.names import KIND, TERMINAL, host_logs, processing_job_arn
from sagedock.local.processing.record import with_document
from sagedock.local.processing.unsupported import unsupported
from sagedock.local.processing.usage import forget_usage
from sagedock.local.quotas import over_quota
from sagedock.local.refusal import Refused
from sagedock.local.resources import Key, Resource

__all__ = ["ProcessingOperations"]

Request = Mapping[str, Any]
Answer = dict[str, Any]

_LISTING = Listing(kind=KIND, member="ProcessingJobSummaries")


class ProcessingOperations:
    """The operations on processing jobs. Requests arrive checked against the service's model."""

    #: Those that only read the store.
    quick = frozenset({"DescribeProcessingJob", "ListProcessingJobs"})

    def __init__(self, platform: Platform, jobs: ProcessingJobs) -> None:
        self._platform = platform
        self._jobs = jobs
        self._beginning = Beginning(
            platform=platform, jobs=jobs, forget=self._forget, tracked=PROCESSING
        )

    def table(self) -> Mapping[str, Callable[[Caller, Request], Answer | bytes]]:
        """Return each operation's name with what carries it out."""
        return {
            "CreateProcessingJob": self.create,
            "DeleteProcessingJob": self.delete,
            "DescribeProcessingJob": self.describe,
            "ListProcessingJobs": self.list,
            "StopProcessingJob": self.stop,
        }

    def create(self, caller: Caller, request: Request) -> Answer:
        """Start a job, or refuse it with nothing changed. Whether there is an image shows when it
        is pulled: row 82 of the fidelity corpus.
        """
        name = request["ProcessingJobName"]
        arn = processing_job_arn(caller, name)
        key = _key(caller, name)
        if self._platform.resources.alike(key) is not None:  # it has the same ARN
            raise Refused(processing_messages.processing_job_in_use(arn))
        for refusal in self._refusals(caller, request):
            if refusal:
                raise Refused(refusal)
        created = epoch_s(time.time())
        job = new_job(key, new_document(request, arn, created), request, created)
        self._beginning.begin(caller, job, arn, processing_messages.processing_job_in_use(arn))
        return {"ProcessingJobArn": arn}

    def describe(self, caller: Caller, request: Request) -> Answer:
        """Answer the job's document as it is now."""
        return dict(self._found(caller, request).document)

    def list(self, caller: Caller, request: Request) -> bytes:
        """Answer a page of summaries, as JSON."""
        return _LISTING.page(self._platform.resources, caller, request)

    def stop(self, caller: Caller, request: Request) -> Answer:
        """Begin to stop a job; one that has ended is refused, one that is stopping is not."""
        name = request["ProcessingJobName"]
        found = self._platform.resources.alike(_key(caller, name))
        key = _key(caller, name) if found is None else found.key
        job = self._platform.resources.change(key, _stopping)
        if job is None:
            raise Refused(processing_messages.processing_job_to_stop_not_found(name))
        self._jobs.stop(job.key)
        return {}

    def delete(self, caller: Caller, request: Request) -> Answer:
        """Delete an ended job and its logs; what it stored in S3 stays."""
        job = self._found(caller, request)
        if job.status not in TERMINAL:
            raise Refused(processing_messages.processing_job_not_deletable(job.status))
        # Its name may be used again at once: no clean-up of the old job may come after that.
        self._jobs.wait_until_gone(job.key)
        if not self._forget(job):
            raise Refused(processing_messages.processing_job_not_found(job.key.name))
        return {}

    def _forget(self, job: Resource) -> bool:
        """Delete ``job``, and return True; False if another call did so before. Then its name may
        be a new job's.
        """
        resources = self._platform.resources
        with resources.together():
            now = resources.get(job.key)
            if now is None or now.created != job.created:
                return False
            forget_usage(self._platform, job)
            host_logs(self._platform, job.key).forget()
            self._platform.tags.remove_all(job.document["ProcessingJobArn"])
            resources.delete(job.key)
        return True

    def _found(self, caller: Caller, request: Request) -> Resource:
        name = request["ProcessingJobName"]
        job = self._platform.resources.alike(_key(caller, name))  # it may come from an ARN
        if job is None:
            raise Refused(processing_messages.processing_job_not_found(name))
        return job

    def _refusals(self, caller: Caller, request: Request) -> Iterator[ServiceError | None]:
        """Yield what refuses a job, one by one: each expects that none before it does."""
        yield unsupported(request)
        yield self._platform.trust.refusal(request["RoleArn"], caller.account)
        yield self._data_refusal(caller, request)
        yield over_quota(self._platform, caller, KIND, request, _instances)

    def _data_refusal(self, caller: Caller, request: Request) -> ServiceError | None:
        """Return the refusal of the first input that is not there: the words are those of training
        jobs (unverified).
        """
        for each in request.get("ProcessingInputs", ()):
            if not each.get("AppManaged"):
                source, role = each["S3Input"], request["RoleArn"]
                if refusal := input_refusal(self._platform, caller, role, source):
                    return refusal
        return None


def _instances(request: Request) -> Mapping[str, int]:
    """Return how many instances a job has, by their quota. Source of its name: row 70 of the
    fidelity corpus.
    """
    cluster = request["ProcessingResources"]["ClusterConfig"]
    quota = f"{cluster['InstanceType']} for processing job usage"
    return {quota: cluster.get("InstanceCount", 1)}


def _key(caller: Caller, name: str) -> Key:
    return Key(region=caller.region, kind=KIND, name=name)


def _stopping(job: Resource) -> Resource:
    if job.status in TERMINAL:
        raise Refused(messages.cannot_stop("processing job", job.status))
    if job.status == "Stopping":
        return job
    return with_document(job, stopping(job.document, epoch_s(time.time())))
