"""Create, Describe, List, Stop, Delete and UpdateTrainingJob."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sagedock.api import messages
from sagedock.errors import ImageNotFound
from sagedock.local.beginning import Beginning, new_job
from sagedock.local.caller import Caller
from sagedock.local.experiments import TRAINING
from sagedock.local.host_logs import HostLogs
from sagedock.local.input_data import input_refusal
from sagedock.local.listing import Listing
from sagedock.local.moments import epoch_s
from sagedock.local.platform import Platform
from sagedock.local.refusal import Refused
from sagedock.local.resources import Key, Resource
from sagedock.local.training import lifecycle
from sagedock.local.training.collect import LOG_GROUP
from sagedock.local.training.document import new_document, training_job_arn
from sagedock.local.training.jobs import TrainingJobs
from sagedock.local.training.metrics import forget_metrics
from sagedock.local.training.quotas import quota_refusal, too_many_instances
from sagedock.local.training.steps import KIND, TERMINAL
from sagedock.local.training.unsupported import unsupported

__all__ = ["SUMMARY", "TrainingOperations"]

Request = Mapping[str, Any]
Answer = dict[str, Any]

#: The members of a job's document that ListTrainingJobs answers.
SUMMARY = (
    "TrainingJobName",
    "TrainingJobArn",
    "CreationTime",
    "TrainingEndTime",
    "LastModifiedTime",
    "TrainingJobStatus",
    "SecondaryStatus",
    "WarmPoolStatus",
)
_LISTING = Listing(kind=KIND, member="TrainingJobSummaries")


class TrainingOperations:
    """The operations on training jobs. Requests arrive checked against the service's model."""

    def __init__(self, platform: Platform, jobs: TrainingJobs) -> None:
        self._platform = platform
        self._jobs = jobs
        self._beginning = Beginning(
            platform=platform, jobs=jobs, forget=self._forget, tracked=TRAINING
        )

    #: Those that only read the store.
    quick = frozenset({"DescribeTrainingJob", "ListTrainingJobs"})

    def table(self) -> Mapping[str, Callable[[Caller, Request], Answer | bytes]]:
        """Return each operation's name with what carries it out."""
        return {
            "CreateTrainingJob": self.create,
            "DeleteTrainingJob": self.delete,
            "DescribeTrainingJob": self.describe,
            "ListTrainingJobs": self.list,
            "StopTrainingJob": self.stop,
            "UpdateTrainingJob": self.update,
        }

    def create(self, caller: Caller, request: Request) -> Answer:
        """Start a job, or refuse it with nothing changed."""
        name = request["TrainingJobName"]
        arn = training_job_arn(caller, name)
        key = _key(caller, name)
        if self._platform.resources.get(key) is not None:
            raise Refused(messages.training_job_in_use(arn))
        self.require(caller, request)
        created = epoch_s(time.time())
        job = new_job(key, new_document(request, arn, created), request, created)
        self._beginning.begin(caller, job, arn, messages.training_job_in_use(arn))
        return {"TrainingJobArn": arn}

    def require(self, caller: Caller, request: Request, *, at_once: int = 1) -> None:
        """Refuse a job that could not be carried out, whatever its name is, or for which, and as
        many like it as are to run ``at_once``, there is no quota.
        """
        if refusal := too_many_instances(request):
            raise Refused(refusal)
        self._platform.trust.require(request["RoleArn"], caller.account)
        self._refuse_what_is_absent(caller, request)
        if refusal := quota_refusal(self._platform, caller, request, at_once=at_once):
            raise Refused(refusal)

    def describe(self, caller: Caller, request: Request) -> Answer:
        """Answer the job's document as it is now."""
        return dict(self._found(caller, request).document)

    def list(self, caller: Caller, request: Request) -> bytes:
        """Answer a page of summaries, as JSON."""
        return _LISTING.page(self._platform.resources, caller, request)

    def stop(self, caller: Caller, request: Request) -> Answer:
        """Begin to stop a job; one that has ended is refused, one that is stopping is not."""
        job = self._platform.resources.change(_key(caller, request["TrainingJobName"]), _stopping)
        if job is None:
            raise Refused(messages.training_job_not_found())
        self._jobs.stop(job.key)
        return {}

    def delete(self, caller: Caller, request: Request) -> Answer:
        """Delete an ended job and its logs; what it stored in S3 stays."""
        job = self._found(caller, request)
        if job.status not in TERMINAL:
            raise Refused(messages.training_job_not_deletable(job.status))
        # Its name may be used again at once: no clean-up of the old job may come after that.
        self._jobs.wait_until_gone(job.key)
        self._jobs.pools.release(job.key)
        if not self._forget(job):
            raise Refused(messages.training_job_not_found())
        return {}

    def update(self, caller: Caller, request: Request) -> Answer:
        """Change what may change: profiler, remote debugging, the warm pool's keep-alive."""
        members = ("ProfilerConfig", "ProfilerRuleConfigurations", "RemoteDebugConfig")
        changes = {name: request[name] for name in members if name in request}

        def changed(job: Resource) -> Resource:
            resources = {**job.document["ResourceConfig"], **request.get("ResourceConfig", {})}
            document = {**job.document, **changes, "ResourceConfig": resources}
            return replace(job, document=document)

        job = self._platform.resources.change(_key(caller, request["TrainingJobName"]), changed)
        if job is None:
            raise Refused(messages.training_job_not_found())
        keep_alive_s = request.get("ResourceConfig", {}).get("KeepAlivePeriodInSeconds")
        if keep_alive_s is not None:
            self._jobs.pools.update(job.key, keep_alive_s)
        return {"TrainingJobArn": job.document["TrainingJobArn"]}

    def _forget(self, job: Resource) -> bool:
        """Delete ``job``, and return True; False if another call did so before. Then its name may
        be a new job's.
        """
        logs, resources = self._platform.logs, self._platform.resources
        with resources.together():
            now = resources.get(job.key)
            if now is None or now.created != job.created:
                return False
            forget_metrics(self._platform, job.key, job.request)
            HostLogs(logs=logs, region=job.key.region, group=LOG_GROUP, job=job.key.name).forget()
            self._platform.tags.remove_all(job.document["TrainingJobArn"])
            resources.delete(job.key)
        return True

    def _found(self, caller: Caller, request: Request) -> Resource:
        job = self._platform.resources.get(_key(caller, request["TrainingJobName"]))
        if job is None:
            raise Refused(messages.training_job_not_found())
        return job

    def _refuse_what_is_absent(self, caller: Caller, request: Request) -> None:
        """Refuse a request that needs an image or data that is not there, or what we lack."""
        if refusal := unsupported(request, self._platform.settings.file_systems):
            raise Refused(refusal)
        try:
            self._platform.images.find(request["AlgorithmSpecification"]["TrainingImage"])
        except ImageNotFound as error:
            raise Refused(
                messages.image_not_found(request["AlgorithmSpecification"]["TrainingImage"])
            ) from error
        for channel in request.get("InputDataConfig", ()):
            source = channel["DataSource"].get("S3DataSource")
            role = request["RoleArn"]
            if source and (refusal := input_refusal(self._platform, caller, role, source)):
                raise Refused(refusal)


def _key(caller: Caller, name: str) -> Key:
    return Key(region=caller.region, kind=KIND, name=name)


def _stopping(job: Resource) -> Resource:
    if job.status in TERMINAL:
        raise Refused(messages.cannot_stop("training job", job.status))
    if job.status == "Stopping":
        return job
    document = lifecycle.begin_stop(job.document, time.time())
    return replace(job, document=document, status="Stopping", modified=document["LastModifiedTime"])
