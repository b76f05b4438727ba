"""Tuning jobs, and the requests they become."""

from sagedock.jobs import (
    CategoricalParameter,
    ContinuousParameter,
    HyperbandStrategyConfig,
    IntegerParameter,
    Request,
    Script,
    TrainingJob,
    TuningJob,
    TuningJobCompletionCriteriaConfig,
    WarmStartConfig,
)

__all__ = ["TUNING"]

ROLE = "arn:aws:iam::123456789012:role/sagedock"
IMAGE = "123456789012.dkr.ecr.us-west-2.amazonaws.com/sagedock-training:cpu"
LOSS = {"Name": "loss", "Regex": "loss=([0-9.]+)"}

TRAINING = TrainingJob(
    name="unused",
    image_uri=IMAGE,
    role=ROLE,
    instance_type="ml.m5.large",
    output_path="s3://bucket/output/",
    hyperparameters={"epochs": 3, "lr": 0.1},
    metric_definitions=[LOSS],
)
MINIMAL = TuningJob(
    name="tuning",
    training=TRAINING,
    ranges={"lr": ContinuousParameter(1e-4, 1e-1)},
    objective_metric_name="loss",
    objective_type="Minimize",
    max_jobs=10,
)
FULL = TuningJob(
    name="tuning-full",
    training=TrainingJob(
        name="unused",
        image_uri=IMAGE,
        role=ROLE,
        instance_type="ml.g5.2xlarge",
        output_path="s3://bucket/output/",
        hyperparameters={"epochs": 27},
        script=Script(
            program="train.py",
            submit_directory="s3://bucket/tuning/source/sourcedir.tar.gz",
            region="us-west-2",
        ),
        inputs={"train": "s3://bucket/train/"},
        metric_definitions=[LOSS],
        use_spot_instances=True,
        max_run_s=3600,
        max_wait_s=7200,
        max_retry_attempts=2,
        checkpoint_s3_uri="s3://bucket/checkpoints/",
        environment={"COLOUR": "blue"},
    ),
    ranges={
        "lr": ContinuousParameter(1e-4, 1e-1, scaling_type="Logarithmic"),
        "momentum": ContinuousParameter(0.5, 0.999, scaling_type="ReverseLogarithmic"),
        "layers": IntegerParameter(1, 8, scaling_type="Linear"),
        "optimizer": CategoricalParameter(["adam", "sgd"]),
        "batch-size": CategoricalParameter([32, 64]),
    },
    objective_metric_name="loss",
    objective_type="Minimize",
    strategy="Hyperband",
    hyperband=HyperbandStrategyConfig(max_resource=27, min_resource=3),
    completion_criteria=TuningJobCompletionCriteriaConfig(
        target_objective_metric_value=0.01,
        max_number_of_training_jobs_not_improving=10,
        complete_on_convergence=True,
    ),
    warm_start=WarmStartConfig(parents=["tuning"], warm_start_type="TransferLearning"),
    max_jobs=50,
    max_parallel_jobs=5,
    max_runtime_s=86400,
    random_seed=7,
    tags={"team": "vision"},
)
TUNING: dict[str, tuple[Request, ...]] = {each.name: each.requests() for each in (MINIMAL, FULL)}
