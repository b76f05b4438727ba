"""Pipeline against the local SageMaker's real API; only the containers are Python functions."""

import json
from typing import Any

import pytest

from sagedock import (
    ContinuousParameter,
    HyperparameterTuner,
    InvalidRequest,
    JobFailed,
    Pipeline,
    ProcessingOutput,
    Processor,
)
from sagedock.contract import paths
from sagedock.jobs.pipeline import (
    Cache,
    Compared,
    ConditionStep,
    Either,
    Execution,
    FailStep,
    JobStep,
    Join,
    JsonGet,
    LambdaStep,
    OneOf,
    Opposite,
    Parameter,
    PropertyFile,
    Step,
)
from sagedock.testing import Container
from tests.conftest import IMAGE, ROLE
from tests.unit.client.conftest import Client
from tests.unit.local.tuning.tuning_world import values_of

EPOCHS = Parameter("epochs", 3)


def pipeline(client: Client, *steps: Step, parameters: Any = (EPOCHS,)) -> Pipeline:
    return Pipeline(
        name="digits",
        role=ROLE,
        steps=steps,
        parameters=parameters,
        session=client.session,
        show=client.lines.append,
    )


def two_steps(client: Client) -> tuple[JobStep, JobStep]:
    first = JobStep(name="first", job=client.estimator(hyperparameters={"epochs": EPOCHS}).job())
    second = JobStep(
        name="second",
        job=client.estimator(hyperparameters={"from": first.model_data}).job(
            {"model": first.model_data}
        ),
        cache=Cache(expire_after="P1D"),
    )
    return first, second


def model(container: Container) -> int:
    container.files[f"{paths.MODEL}/model.txt"] = b"weights"
    return 0


def test_steps_have_what_others_became(client: Client) -> None:
    client.local.engine.program = model
    made = pipeline(client, *two_steps(client))
    made.upsert()
    execution = made.start(epochs=5)
    assert execution.wait()["PipelineExecutionStatus"] == "Succeeded"
    first, second = execution.steps()
    describe = client.local.client("sagemaker").describe_training_job

    def job(step: Any) -> Any:
        name = step["Metadata"]["TrainingJob"]["Arn"].rpartition("/")[2]
        return describe(TrainingJobName=name)

    assert job(first)["HyperParameters"] == {"epochs": "5"}
    where = job(first)["ModelArtifacts"]["S3ModelArtifacts"]
    (channel,) = job(second)["InputDataConfig"]
    assert channel["DataSource"]["S3DataSource"]["S3Uri"] == where
    assert "second: Succeeded" in "\n".join(client.lines)


def test_what_is_no_text_becomes_text_in_variables_and_arguments(client: Client) -> None:
    """Numbers, booleans, and what a property file has: where text is due they are text."""
    report = f"{paths.PROCESSING}/report"

    def program(container: Container) -> int:
        container.files[f"{report}/report.json"] = b'{"rows": 7}'
        return 0

    client.local.engine.program = program
    rate, flag = Parameter("rate", 0.5), Parameter("flag", True)
    own = {"role": ROLE, "session": client.session, "show": client.lines.append}
    count = JobStep(
        name="count",
        job=Processor(
            image_uri=IMAGE,
            instance_type="ml.m5.large",
            env={"EPOCHS": EPOCHS, "RATE": rate, "ALL": Join([EPOCHS, rate], on="-")},
            **own,
        ).job(
            arguments=["--epochs", EPOCHS, "--flag", flag],
            outputs=[ProcessingOutput(source=report, output_name="report")],
        ),
        property_files=[PropertyFile(name="report", output="report", path="report.json")],
    )
    rows = count.json("report", "rows")
    train = JobStep(name="train", job=client.estimator(environment={"ROWS": rows}).job())
    made = pipeline(client, count, train, parameters=(EPOCHS, rate, flag))
    made.upsert()
    execution = made.start(epochs=5)
    execution.wait()
    first, second = (each["Metadata"] for each in execution.steps())
    sagemaker = client.local.client("sagemaker")
    job = sagemaker.describe_processing_job(
        ProcessingJobName=first["ProcessingJob"]["Arn"].rpartition("/")[2]
    )
    assert job["Environment"] == {"EPOCHS": "5", "RATE": "0.5", "ALL": "5-0.5"}
    assert job["AppSpecification"]["ContainerArguments"] == ["--epochs", "5", "--flag", "true"]
    job = sagemaker.describe_training_job(
        TrainingJobName=second["TrainingJob"]["Arn"].rpartition("/")[2]
    )
    assert job["Environment"] == {"ROWS": "7"}


def test_the_model_of_a_tuning_steps_best_training_job_goes_on(client: Client) -> None:
    def program(container: Container) -> int:
        container.print(f"loss={(float(values_of(container)['x']) - 0.3) ** 2:.6f}")
        return model(container)

    client.local.engine.program = program
    most = Parameter("most", 3)
    tuner = HyperparameterTuner(
        estimator=client.estimator(hyperparameters={"epochs": EPOCHS}),
        objective_metric_name="loss",
        objective_type="Minimize",
        metric_definitions=[{"Name": "loss", "Regex": "loss=([-0-9.e]+)"}],
        hyperparameter_ranges={"x": ContinuousParameter(0.0, Parameter("high", 0.5))},
        max_jobs=most,
    )
    tune = JobStep(name="tune", job=tuner.job())
    last = JobStep(
        name="last",
        job=client.estimator(hyperparameters={"x": 1}).job(
            {"model": tune.model_data, "second": tune.top_model_data(1)}
        ),
    )
    parameters = (EPOCHS, most, Parameter("high", 0.5))
    made = pipeline(client, last, tune, parameters=parameters)
    made.upsert()
    execution = made.start(epochs=5, most=2)
    execution.wait()
    sagemaker = client.local.client("sagemaker")
    (found,) = sagemaker.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"]
    tuned = found["HyperParameterTuningJobName"]
    found = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=tuned)
    children = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=tuned
    )["TrainingJobSummaries"]
    assert found["TrainingJobDefinition"]["StaticHyperParameters"]["epochs"] == "5"
    assert len(children) == 2
    best = found["BestTrainingJob"]["TrainingJobName"]
    (other,) = ({each["TrainingJobName"] for each in children}) - {best}
    job = sagemaker.describe_training_job(
        TrainingJobName=execution.steps()[1]["Metadata"]["TrainingJob"]["Arn"].rpartition("/")[2]
    )
    where = [each["DataSource"]["S3DataSource"]["S3Uri"] for each in job["InputDataConfig"]]
    models = [
        sagemaker.describe_training_job(TrainingJobName=name)["ModelArtifacts"]["S3ModelArtifacts"]
        for name in (best, other)
    ]
    assert where == models


def test_a_pipeline_is_changed_where_there_is_one(client: Client) -> None:
    first, second = two_steps(client)
    arn = pipeline(client, first).upsert()
    assert pipeline(client, first, second).upsert() == arn
    found = client.local.client("sagemaker").describe_pipeline(PipelineName="digits")
    assert [each["Name"] for each in json.loads(found["PipelineDefinition"])["Steps"]] == [
        "first",
        "second",
    ]


def test_a_failed_execution_says_which_step_failed_and_why(client: Client) -> None:
    low = Compared(0.5, "LessThan", EPOCHS)
    made = pipeline(
        client,
        ConditionStep(
            name="check",
            conditions=[low],
            then=[FailStep(name="stop", message=Join(["epochs are ", EPOCHS]))],
        ),
    )
    made.upsert()
    execution = made.start()
    with pytest.raises(JobFailed, match="stop: epochs are 3"):
        execution.wait()
    assert execution.tree().splitlines()[0].split()[:2] == ["check", "True"]
    assert "└─ stop" in execution.tree()


def test_a_tree_has_each_step_below_what_it_waits_for(client: Client) -> None:
    client.local.engine.program = model
    first, second = two_steps(client)
    made = pipeline(
        client,
        second,
        first,
        ConditionStep(
            name="never",
            conditions=[Compared(1, "Equals", 2)],
            then=[FailStep(name="inside")],
            depends_on=[second],
        ),
    )
    made.upsert()
    execution = made.start()
    execution.wait()
    lines = execution.tree().splitlines()
    names = [line.strip("└─├│ ").split()[0] for line in lines]
    assert names == ["first", "second", "never", "inside"]
    depths = [len(line) - len(line.lstrip("└─├│ ")) for line in lines]
    assert depths == sorted(set(depths))
    assert lines[-1].split() == ["└─", "inside", "-", "(then)"]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([], "steps: are missing"),
        ([FailStep(name="a"), FailStep(name="a")], "steps: 2 are called a"),
        ([FailStep(name="a", depends_on=["b"])], "step a: depends_on: b is no step"),
        ([FailStep(name="a", message=Parameter("x"))], "step a: refers to the parameter x"),
        ([FailStep(name="a", message=JsonGet("b", "f", "p"))], "refers to b, which is no step"),
        (
            [FailStep(name="b"), FailStep(name="a", message=FailStep(name="b").property("x"))],
            "step a: refers to b, behind which nothing runs",
        ),
        (
            [
                LambdaStep(name="b", function_arn="f"),
                FailStep(name="a", message=JsonGet("b", "f", "p")),
            ],
            "step a: refers to the property file f: name it in property_files of b",
        ),
    ],
)
def test_what_cannot_run_is_refused_before_anything_is_sent(
    client: Client, steps: Any, said: str
) -> None:
    with pytest.raises(InvalidRequest, match=said):
        pipeline(client, *steps).upsert()
    assert client.local.client("sagemaker").list_pipelines()["PipelineSummaries"] == []


def test_a_parameter_that_there_is_not_is_refused(client: Client) -> None:
    made = pipeline(client, FailStep(name="a"))
    made.upsert()
    with pytest.raises(InvalidRequest, match="epoch: is no parameter of digits: there are epochs"):
        made.start(epoch=1)


def test_references_are_written_as_sagemaker_has_them(client: Client) -> None:
    """The forms are those that the SDKs write."""
    step = FailStep(name="a", message=Join([Execution.PIPELINE_NAME, 1], on="/"))
    either = Either([OneOf(EPOCHS, [1, 2]), Opposite(Compared(EPOCHS, "Equals", 3))])
    document = pipeline(
        client, ConditionStep(name="c", conditions=[either], then=[step])
    ).definition()
    epochs = {"Get": "Parameters.epochs"}
    assert document == {
        "Version": "2020-12-01",
        "Metadata": {},
        "Parameters": [{"Name": "epochs", "Type": "Integer", "DefaultValue": 3}],
        "Steps": [
            {
                "Name": "c",
                "Type": "Condition",
                "Arguments": {
                    "Conditions": [
                        {
                            "Type": "Or",
                            "Conditions": [
                                {"Type": "In", "QueryValue": epochs, "Values": [1, 2]},
                                {
                                    "Type": "Not",
                                    "Condition": {
                                        "Type": "Equals",
                                        "LeftValue": epochs,
                                        "RightValue": 3,
                                    },
                                },
                            ],
                        }
                    ],
                    "IfSteps": [
                        {
                            "Name": "a",
                            "Type": "Fail",
                            "Arguments": {
                                "ErrorMessage": {
                                    "Std:Join": {
                                        "On": "/",
                                        "Values": [{"Get": "Execution.PipelineName"}, 1],
                                    }
                                }
                            },
                        }
                    ],
                    "ElseSteps": [],
                },
            }
        ],
    }
