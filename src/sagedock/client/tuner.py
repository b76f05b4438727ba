"""HyperparameterTuner: a tuning job by the names that users of SageMaker SDK v2 know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from sagedock.client.analytics import TuningAnalytics
from sagedock.client.check import problems_in, unknown_instance_type
from sagedock.client.estimator import Estimator
from sagedock.client.inputs import AnyChannel, Inputs, as_channels
from sagedock.client.refusals import explained, with_remedy
from sagedock.client.tuning_run import TuningRun
from sagedock.client.warm_start import problems_of_parents
from sagedock.errors import InvalidRequest, SagedockError
from sagedock.jobs import (
    HyperbandStrategyConfig,
    Tags,
    TrainingJob,
    TuningJob,
    TuningJobCompletionCriteriaConfig,
    WarmStartConfig,
    base_name_of_image,
)
from sagedock.jobs.pipeline import Reference
from sagedock.jobs.tuning import Parameter, Strategy

__all__ = ["HyperparameterTuner"]

#: API_CreateHyperParameterTuningJob: HyperParameterTuningJobName has at most 32 characters.
_LONGEST = 32


@dataclass(kw_only=True)
class HyperparameterTuner:
    """Finds hyperparameters for an ``estimator``, on AWS or on the local SageMaker.

    The parameters are those of SageMaker SDK v2's ``HyperparameterTuner``. The metric definitions
    are the estimator's unless given. ``max_jobs`` is 1 unless given; a grid has all combinations.
    ``extra`` is in API casing and is laid over the request last.
    """

    estimator: Estimator
    objective_metric_name: str
    hyperparameter_ranges: Mapping[str, Parameter]
    metric_definitions: Sequence[Mapping[str, str]] = ()
    strategy: Strategy = "Bayesian"
    objective_type: Literal["Maximize", "Minimize"] = "Maximize"
    max_jobs: int | Reference | None = None
    max_parallel_jobs: int | Reference = 1
    max_runtime_in_seconds: int | Reference | None = None
    early_stopping_type: Literal["Off", "Auto"] = "Off"
    strategy_config: HyperbandStrategyConfig | None = None
    completion_criteria_config: TuningJobCompletionCriteriaConfig | None = None
    warm_start_config: WarmStartConfig | None = None
    random_seed: int | None = None
    autotune: bool = False
    base_tuning_job_name: str | None = None
    tags: Tags = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    latest_tuning_job: TuningRun | None = field(default=None, init=False)

    def fit(self, inputs: Inputs = None, wait: bool = True, job_name: str | None = None) -> None:
        """Tune on ``inputs``, which are the estimator's: S3 URIs, Channels, or paths that are
        uploaded first, by channel: to a place that follows from their content, so that a later
        tuning job on the same files has the same input data, as a warm start wants it.

        The request is checked before anything is sent. With ``wait`` it returns once the job
        completed, and shows each training job as it begins and ends, on a terminal as a table;
        Ctrl-C stops the job. Raises InvalidRequest with every problem, or JobFailed with the
        service's FailureReason.
        """
        name = job_name or self._new_name()
        channels = as_channels(inputs)
        self._check(name, channels)
        session, show = self.estimator.session, self.estimator.show
        with explained(session.target):
            (request,) = self._placed(name, channels).requests()
            session.client("sagemaker").create_hyper_parameter_tuning_job(**request.parameters)
        self.latest_tuning_job = TuningRun(name, session, show)
        show(f"created the tuning job {name}")
        if wait:
            self.wait()

    def job(self, inputs: Inputs = None) -> TuningJob:
        """Return the tuning job without creating it, for a step of a pipeline; what is on this
        machine is uploaded, to a place that follows from its content. Inputs, hyperparameters, the
        ends of ranges and the rest may be references.

        Raises InvalidRequest with every problem, before anything is uploaded.
        """
        name = self._base_name()[:_LONGEST].rstrip("-")
        channels = as_channels(inputs)
        self._check(name, channels)
        with explained(self.estimator.session.target):
            return self._placed(name, channels)

    def wait(self) -> None:
        """Wait for the latest tuning job; see ``fit``."""
        self._run().wait()

    def stop(self) -> None:
        """Ask the service to stop the latest tuning job and its training jobs."""
        self._run().stop()

    def describe(self) -> Mapping[str, Any]:
        """Return the answer of DescribeHyperParameterTuningJob."""
        return self._run().describe()

    def best_training_job(self) -> str:
        """Return the name of the best training job. Raises SagedockError while there is none."""
        return self._run().best_training_job()

    def best_estimator(self) -> Estimator:
        """Return an estimator for the best training job: its model, its hyperparameters."""
        return Estimator.attach(
            self.best_training_job(), session=self.estimator.session, show=self.estimator.show
        )

    def analytics(self) -> TuningAnalytics:
        """Return what was tried and reached: rows, a table of text, a picture."""
        return self._run().analytics()

    def _run(self) -> TuningRun:
        if self.latest_tuning_job is None:
            raise SagedockError("this tuner has no tuning job yet: call fit() first")
        return self.latest_tuning_job

    def _new_name(self) -> str:
        """Return a name of at most 32 characters, in the SDK's form: digits-260131-2359-58."""
        stamp = f"{datetime.now(UTC):%y%m%d-%H%M-%S}"
        return f"{self._base_name()[: _LONGEST - len(stamp) - 1].rstrip('-')}-{stamp}"

    def _base_name(self) -> str:
        base = self.base_tuning_job_name or self.estimator.base_job_name
        return base or base_name_of_image(self.estimator.image_uri)

    def _check(self, name: str, channels: Mapping[str, AnyChannel]) -> None:
        """Raise InvalidRequest with all that is wrong with the job, its files included."""
        training, problems = self.estimator.planned(name, channels)
        job = self._job(name, self._training(training))
        try:
            (request,) = job.requests()
        except InvalidRequest as error:
            raise InvalidRequest([*problems, *error.problems]) from error
        target = self.estimator.session.target
        problems += (with_remedy(line, target) for line in problems_in(request))
        if problems:
            raise InvalidRequest(problems)
        if warning := unknown_instance_type(request):
            self.estimator.show(warning)

    def _placed(self, name: str, channels: Mapping[str, AnyChannel]) -> TuningJob:
        """Refuse parents that do not fit, upload, and return the job that reads it all from S3."""
        session = self.estimator.session
        # Of a dry run it is not known which tuning jobs there are.
        if self.warm_start_config is not None and session.dry_run is None:
            job = self._job(name, self._training(self.estimator.placement(channels)))
            (request,) = job.requests()
            if problems := [*problems_of_parents(request, session.client("sagemaker"))]:
                raise InvalidRequest(problems)
        return self._job(name, self._training(self.estimator.placed(channels)))

    def _training(self, job: TrainingJob) -> TrainingJob:
        """Return the training job as the tuning job launches it."""
        metrics = self.metric_definitions or job.metric_definitions
        return replace(job, metric_definitions=metrics)

    def _job(self, name: str, training: TrainingJob) -> TuningJob:
        one = None if self.strategy == "Grid" or self.autotune else 1
        return TuningJob(
            name=name,
            training=training,
            ranges=self.hyperparameter_ranges,
            objective_metric_name=self.objective_metric_name,
            objective_type=self.objective_type,
            strategy=self.strategy,
            max_jobs=one if self.max_jobs is None else self.max_jobs,
            max_parallel_jobs=self.max_parallel_jobs,
            max_runtime_s=self.max_runtime_in_seconds,
            early_stopping_type=self.early_stopping_type,
            hyperband=self.strategy_config,
            completion_criteria=self.completion_criteria_config,
            warm_start=self.warm_start_config,
            random_seed=self.random_seed,
            autotune=self.autotune,
            tags=self.tags or self.estimator.tags,
            extra=self.extra,
        )
