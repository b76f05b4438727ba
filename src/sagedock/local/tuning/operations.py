"""Create, Describe, List, Stop and DeleteHyperParameterTuningJob, and the list of what one ran."""

import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from sagedock import api
from sagedock.api import messages, tuning, tuning_messages
from sagedock.local.beginning import Beginning, new_job
from sagedock.local.caller import Caller
from sagedock.local.listing import Listing
from sagedock.local.moments import epoch_s
from sagedock.local.platform import Platform
from sagedock.local.refusal import Refused
from sagedock.local.resources import Key, Resource
from sagedock.local.tuning.definitions import definitions_of
from sagedock.local.tuning.document import PARENTS, SEED, described, new_document, stopping
from sagedock.local.tuning.jobs import TuningJobs
from sagedock.local.tuning.names import KIND, TERMINAL, trial_name, tuning_job_arn
from sagedock.local.tuning.record import with_document
from sagedock.local.tuning.trial import Trial
from sagedock.local.tuning.trial_pages import page_of_trials
from sagedock.local.tuning.unsupported import unsupported
from sagedock.local.tuning.warm_start import found_by_parents, refusal_of_parents
from sagedock.search import Category, Numbers

__all__ = ["TuningOperations"]

Request = Mapping[str, Any]
Answer = dict[str, Any]

_LISTING = Listing(
    kind=KIND,
    member="HyperParameterTuningJobSummaries",
    sort_by="Name",
    sort_order="Ascending",
)
_NAME = "HyperParameterTuningJobName"
_SEEDS = 2**31


class _TrainingOperations(Protocol):
    """What refuses training jobs."""

    def require(self, caller: Caller, request: Request, *, at_once: int = 1) -> None:
        """Refuse a training job that could not be carried out."""
        ...


class TuningOperations:
    """The operations on tuning jobs. Requests arrive checked against the service's model."""

    #: Those that only read the store.
    quick = frozenset({"DescribeHyperParameterTuningJob", "ListHyperParameterTuningJobs"})

    def __init__(self, platform: Platform, jobs: TuningJobs, training: _TrainingOperations) -> None:
        self._platform = platform
        self._jobs = jobs
        self._training = training
        self._beginning = Beginning(platform=platform, jobs=jobs, forget=self._forget)

    def table(self) -> Mapping[str, Callable[[Caller, Request], Answer | bytes]]:
        """Return each operation's name with what carries it out."""
        return {
            "CreateHyperParameterTuningJob": self.create,
            "DeleteHyperParameterTuningJob": self.delete,
            "DescribeHyperParameterTuningJob": self.describe,
            "ListHyperParameterTuningJobs": self.list,
            "ListTrainingJobsForHyperParameterTuningJob": self.list_training_jobs,
            "StopHyperParameterTuningJob": self.stop,
        }

    def create(self, caller: Caller, request: Request) -> Answer:
        """Start a job, or refuse it with nothing changed."""
        name = request[_NAME]
        key, arn = _key(caller, name), tuning_job_arn(caller, name)
        if self._platform.resources.alike(key) is not None:
            raise Refused(tuning_messages.tuning_job_in_use(name))
        if refusal := unsupported(request):
            raise Refused(refusal)
        if refusal := refusal_of_parents(self._platform, caller.region, request):
            raise Refused(refusal)
        self._refuse_bad_training_jobs(caller, request)
        created = epoch_s(time.time())
        seed = request["HyperParameterTuningJobConfig"].get("RandomSeed")
        wanted = {
            **request,
            SEED: secrets.randbelow(_SEEDS) if seed is None else seed,
            PARENTS: found_by_parents(self._platform, caller.region, request),
        }
        job = new_job(key, new_document(request, arn, created), wanted, created)
        self._beginning.begin(caller, job, arn, tuning_messages.tuning_job_in_use(name))
        return {"HyperParameterTuningJobArn": arn}

    def describe(self, caller: Caller, request: Request) -> Answer:
        """Answer the job's document as it is now."""
        return described(self._found(caller, request).document)

    def list(self, caller: Caller, request: Request) -> bytes:
        """Answer a page of summaries, as JSON."""
        return _LISTING.page(self._platform.resources, caller, request)

    def list_training_jobs(self, caller: Caller, request: Request) -> Answer:
        """Answer a page of the summaries of the training jobs that a tuning job launched."""
        job = self._found(caller, request)
        definitions = definitions_of(job.request, job.request[SEED])
        trials = [Trial(**each) for each in self._platform.trials.of(job.key)]
        return page_of_trials(trials, definitions, request)

    def stop(self, caller: Caller, request: Request) -> Answer:
        """Begin to stop a job; one that has ended is refused, one that is stopping is not."""
        name = request[_NAME]
        job = self._platform.resources.change(_key(caller, name), _stopping)
        if job is None:
            raise Refused(tuning_messages.tuning_job_not_found(name))
        self._jobs.stop(job.key)
        return {}

    def delete(self, caller: Caller, request: Request) -> Answer:
        """Delete an ended job; its training jobs and what they stored stay."""
        job = self._found(caller, request)
        if job.status not in TERMINAL:
            raise Refused(tuning_messages.tuning_job_not_deletable(job.status))
        self._jobs.wait_until_gone(job.key)
        if not self._forget(job):
            raise Refused(tuning_messages.tuning_job_not_found(request[_NAME]))
        return {}

    def _refuse_bad_training_jobs(self, caller: Caller, request: Request) -> None:
        """Refuse what CreateTrainingJob would refuse, later, of each job that is launched."""
        limits = request["HyperParameterTuningJobConfig"]["ResourceLimits"]
        for body, definition in zip(
            tuning.definitions(request), definitions_of(request, 0), strict=True
        ):
            values = {each.name: _longest(each) for each in definition.space.ranges}
            job = tuning.training_job(
                request,
                body,
                name=trial_name(request[_NAME], 1),
                values=values,
                tags=request.get("Tags", ()),
            )
            allow = self._platform.settings.allow_instance_types
            problems = api.problems_in_request("sagemaker", "CreateTrainingJob", job, allow=allow)
            if problems:
                raise Refused(api.validation_error("sagemaker", problems))
            self._training.require(caller, job, at_once=limits["MaxParallelTrainingJobs"])

    def _forget(self, job: Resource) -> bool:
        """Delete ``job``, and return True; False if another call did so before."""
        platform = self._platform
        with platform.resources.together():
            now = platform.resources.get(job.key)
            if now is None or now.created != job.created:
                return False
            platform.trials.delete(job.key)
            platform.tags.remove_all(job.document["HyperParameterTuningJobArn"])
            platform.resources.delete(job.key)
        return True

    def _found(self, caller: Caller, request: Request) -> Resource:
        job = self._platform.resources.get(_key(caller, request[_NAME]))
        if job is None:
            raise Refused(tuning_messages.tuning_job_not_found(request[_NAME]))
        return job


def _longest(spanned: Numbers | Category) -> str:
    """Return a value of a range, as long as any category."""
    if isinstance(spanned, Category):
        return max(spanned.choices, key=len)
    return spanned.value((1.0,))


def _key(caller: Caller, name: str) -> Key:
    return Key(region=caller.region, kind=KIND, name=name)


def _stopping(job: Resource) -> Resource:
    if job.status in TERMINAL:
        raise Refused(messages.cannot_stop("hyperparameter tuning job", job.status))
    if job.status == "Stopping":
        return job
    return with_document(job, stopping(job.document, epoch_s(time.time())))
