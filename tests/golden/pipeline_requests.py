"""A pipeline with every kind of reference, whose request is reviewed: the definition as the text
that is sent, and as the JSON that it is.
"""

from dataclasses import replace

from sagedock.jobs import (
    ContinuousParameter,
    HostedModel,
    ModelContainer,
    ModelVersion,
    ProcessingJob,
    ProcessingOutput,
    Request,
    TrainingJob,
    TuningJob,
)
from sagedock.jobs.pipeline import (
    Cache,
    CallbackStep,
    Compared,
    ConditionStep,
    Either,
    Execution,
    FailStep,
    JobStep,
    Join,
    LambdaStep,
    OneOf,
    Opposite,
    Parameter,
    PipelineDefinition,
    PropertyFile,
    Retry,
)

ROLE = "arn:aws:iam::123456789012:role/sagedock"
IMAGE = "123456789012.dkr.ecr.us-west-2.amazonaws.com/sagedock-training:cpu"

EPOCHS = Parameter("epochs", 3)
RATE = Parameter("rate", 0.1)
KIND = Parameter("instance-type", "ml.m5.large", choices=["ml.m5.large", "ml.m5.xlarge"])
PREPARE = JobStep(
    name="prepare",
    job=ProcessingJob(
        name="prepare",
        image_uri=IMAGE,
        role=ROLE,
        instance_type=KIND,
        arguments=["--epochs", EPOCHS],
        env={"KIND": KIND, "EPOCHS": EPOCHS},
        outputs=[
            ProcessingOutput(
                source="/opt/ml/processing/output/report",
                output_name="report",
                destination=Join(["s3://bucket/", Execution.PIPELINE_EXECUTION_ID, "/report"]),
            )
        ],
    ),
    property_files=[PropertyFile(name="report", output="report", path="report.json")],
    cache=Cache(expire_after="P30D"),
)
TRAIN = JobStep(
    name="train",
    job=TrainingJob(
        name="train",
        image_uri=IMAGE,
        role=ROLE,
        instance_type=KIND,
        output_path="s3://bucket/output/",
        hyperparameters={"epochs": EPOCHS, "lr": 0.1},
        inputs={"train": PREPARE.output("report")},
    ),
    retries=[Retry(exceptions=["SageMaker.CAPACITY_ERROR"], max_attempts=3)],
)
TUNE = JobStep(
    name="tune",
    job=TuningJob(
        name="tune",
        training=TrainingJob(
            name="unused",
            image_uri=IMAGE,
            role=ROLE,
            instance_type=KIND,
            output_path="s3://bucket/output/",
            hyperparameters={"epochs": EPOCHS},
            inputs={"train": PREPARE.output("report"), "model": TRAIN.model_data},
            metric_definitions=[{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
        ),
        ranges={"lr": ContinuousParameter(1e-4, RATE)},
        objective_metric_name="loss",
        objective_type="Minimize",
        max_jobs=EPOCHS,
    ),
)
BEST = JobStep(
    name="best",
    job=ModelVersion(
        group="digits",
        containers=[
            ModelContainer(image_uri=IMAGE, model_data=TUNE.model_data, environment={"LR": RATE})
        ],
    ),
)
CONTAINER = ModelContainer(image_uri=IMAGE, model_data=TRAIN.model_data)
REGISTER = JobStep(
    name="register",
    job=ModelVersion(group="digits", containers=[CONTAINER], content_types=["text/csv"]),
)
MAKE = JobStep(
    name="make",
    job=HostedModel(name="make", role=ROLE, containers=[CONTAINER]),
    depends_on=[REGISTER],
)
ASK = CallbackStep(
    name="ask",
    queue_url="https://sqs.us-west-2.amazonaws.com/123456789012/questions",
    inputs={"model": TRAIN.model_data},
    outputs={"answer": "String"},
)
NOTIFY = LambdaStep(
    name="notify",
    function_arn="arn:aws:lambda:us-west-2:123456789012:function:notify",
    inputs={"answer": ASK.output("answer")},
)
GOOD = ConditionStep(
    name="good",
    conditions=[
        Compared(PREPARE.json("report", "metrics.rows"), "GreaterThan", 100),
        Either([OneOf(EPOCHS, [3, 5]), Opposite(Compared(EPOCHS, "Equals", 4))]),
    ],
    then=[REGISTER, MAKE],
    otherwise=[FailStep(name="stop", message=Join(["after ", EPOCHS, " epochs"]))],
)
PIPELINE = PipelineDefinition(
    name="digits",
    role=ROLE,
    steps=[PREPARE, TRAIN, TUNE, BEST, ASK, NOTIFY, GOOD],
    parameters=[EPOCHS, RATE, KIND],
    max_parallel_steps=2,
    tags={"team": "a"},
)


def _with_token(requests: tuple[Request, ...]) -> tuple[Request, ...]:
    """Return requests with the token that the client adds, a fixed one."""
    token = {"ClientRequestToken": "0123456789abcdef" * 2}
    return tuple(replace(each, parameters={**each.parameters, **token}) for each in requests)


PIPELINES: dict[str, tuple[Request, ...]] = {"pipeline": _with_token(PIPELINE.requests())}
