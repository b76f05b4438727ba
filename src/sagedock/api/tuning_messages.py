"""Refusals about tuning jobs that need the world. See ``messages``."""

from sagedock.api.messages import cannot_stop, validation
from sagedock.api.service_error import ServiceError

__all__ = [
    "parent_not_found",
    "parent_not_usable",
    "tuning_job_in_use",
    "tuning_job_not_deletable",
    "tuning_job_not_found",
    "warm_start_changes",
    "warm_start_data_changed",
    "warm_start_hyperparameters_changed",
    "warm_start_objective_changed",
]


def tuning_job_in_use(name: str) -> ServiceError:
    """The name was used before. Source: row 88."""
    return ServiceError(
        code="ResourceInUse",
        message=(
            f"A hyperparameter tuning job with the name, {name}, already exists. Choose a "
            "different name."
        ),
    )


def tuning_job_not_found(name: str) -> ServiceError:
    """No such tuning job. Source: row 97, of Describe and Stop; of List and Delete unverified."""
    return ServiceError(
        code="ResourceNotFound",
        message=(f"Amazon SageMaker can't find a tuning job called {name}. Type another name."),
    )


def tuning_job_not_deletable(status: str) -> ServiceError:
    """DeleteHyperParameterTuningJob of a job that has not ended. Unverified: the words of row 57,
    of training jobs.
    """
    return cannot_stop("hyperparameter tuning job", status)


def parent_not_found(name: str) -> ServiceError:
    """A parent of a warm start is not there. Unverified: code and words are those of row 97."""
    return tuning_job_not_found(name)


def parent_not_usable(name: str, status: str) -> ServiceError:
    """A parent of a warm start goes on, or failed. Unverified words; source of the rule:
    API_ParentHyperParameterTuningJob ("previously completed or stopped").
    """
    return validation(
        f"The parent tuning job {name} is in status {status}. A parent must be Completed or "
        "Stopped: wait for its end, or name another one."
    )


def warm_start_changes() -> ServiceError:
    """A warm start changes what may not change. Source: row 92."""
    return validation(
        "Only the following fields in TrainingJobDefinition are allowed to change: "
        "[algorithmSpecification, inputDataConfig, outputDataConfig, staticHyperParameters, "
        "roleArn, resourceConfig, stoppingCondition, vpcConfig, enableManagedSpotTraining, "
        "checkpointConfig]."
    )


def warm_start_data_changed(parent: str) -> ServiceError:
    """IdenticalDataAndAlgorithm with other data or another image. Unverified words; source of the
    rule: API_HyperParameterTuningJobWarmStartConfig.
    """
    return validation(
        f"WarmStartType IdenticalDataAndAlgorithm needs the input data and the training image of "
        f"the parent tuning job {parent}: use TransferLearning where they differ."
    )


def warm_start_hyperparameters_changed(parent: str) -> ServiceError:
    """A warm start with more or fewer hyperparameters, tuned and static. Unverified words; source
    of the rule: API_HyperParameterTuningJobWarmStartConfig.
    """
    return validation(
        "The total number of static and tunable hyperparameters must be the same as in the parent "
        f"tuning job {parent}."
    )


def warm_start_objective_changed(parent: str) -> ServiceError:
    """A warm start with another objective. Unverified words; source of the rule:
    API_HyperParameterTuningJobWarmStartConfig.
    """
    return validation(
        f"The objective metric must be the same as that of the parent tuning job {parent}."
    )
