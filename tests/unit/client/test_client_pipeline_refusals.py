"""What a pipeline cannot be or have, told in the user's words before anything is sent."""

from typing import Any

import pytest

from sagedock import (
    ContinuousParameter,
    HyperparameterTuner,
    InvalidRequest,
    ModelPackage,
    ModelPackageGroup,
    ProcessingInput,
    ProcessingOutput,
    Processor,
)
from sagedock.client.pipeline_check import problems_in_pipeline
from sagedock.jobs import HostedModel, ModelContainer, ModelVersion, TrainingJob, TransformJob
from sagedock.jobs.pipeline import (
    CallbackStep,
    Compared,
    ConditionStep,
    Execution,
    FailStep,
    JobStep,
    Join,
    LambdaStep,
    Parameter,
    PropertyFile,
    Reference,
    Step,
)
from tests.conftest import IMAGE, ROLE
from tests.unit.client.conftest import Client
from tests.unit.client.test_client_pipeline import pipeline

FOLDER = "/opt/ml/processing"
TYPE = "ml.m5.large"


def processor(client: Client, **changes: Any) -> Processor:
    own = {"session": client.session, "show": client.lines.append}
    return Processor(image_uri=IMAGE, role=ROLE, instance_type=TYPE, **own | changes)


def processing(client: Client, **step: Any) -> JobStep:
    job = processor(client).job(
        inputs=[ProcessingInput(source="s3://bucket/data/", destination=f"{FOLDER}/input")],
        outputs=[ProcessingOutput(source=f"{FOLDER}/train", output_name="train")],
    )
    return JobStep(name="prepare", job=job, **step)


def training(**changes: Any) -> JobStep:
    said = {"hyperparameters": {"epochs": 3}, "inputs": {"train": "s3://bucket/train/"}}
    job = TrainingJob(
        name="train",
        image_uri=IMAGE,
        role=ROLE,
        output_path="s3://bucket/out/",
        instance_type=TYPE,
        metric_definitions=[{"Name": "loss", "Regex": "loss=(.*)"}],
        **said | changes,
    )
    return JobStep(name="train", job=job)


def test_a_reference_in_the_place_of_a_list_is_refused(client: Client) -> None:
    with pytest.raises(InvalidRequest, match=r"arguments: Parameter\(.* is one value: give a list"):
        processor(client).job(arguments=Parameter("n", 3))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"image_uri": Parameter("n", 3)},
            r"image_uri: Parameter\('n'\) is of the type Integer, and text is due: write "
            r"Join\(\[Parameter\('n'\)\]\)",
        ),
        (
            {"instance_count": Parameter("n", "3")},
            r"instance_count: Parameter\('n'\) is of the type String, and a number is due: "
            "declare it with type='Integer'",
        ),
        (
            {"use_spot_instances": Parameter("n", 1), "max_wait": 86400},
            r"use_spot_instances: .* true or false is due: declare it with type='Boolean'",
        ),
        ({"max_run": Join([Parameter("n", 1)])}, r"max_run: Join\(\.\.\.\) is .* a number is due"),
        (
            {"max_run": Execution.PIPELINE_NAME},
            "max_run: Execution.PIPELINE_NAME is of the type String, and a number is due",
        ),
        (
            {"tags": {"n": Parameter("n", 3)}},
            r"tags\[0\]\.Value: Parameter\('n'\) is of the type Integer, and text is due",
        ),
        (
            {"extra": {"ResourceConfig": Parameter("n", "a")}},
            "instance_type, instance_count: .* String, and an object is due: give what is due",
        ),
    ],
)
def test_a_reference_that_could_not_be_converted_is_refused_by_name(
    client: Client, changes: Any, said: str
) -> None:
    with pytest.raises(InvalidRequest, match=said):
        client.estimator(**changes).job()


def test_a_reference_of_the_type_that_is_due_is_taken(client: Client) -> None:
    client.estimator(
        instance_count=Parameter("n", 2),
        max_run=Parameter("f", 60.0),
        instance_type=Parameter("t", TYPE),
        use_spot_instances=Parameter("b", True),
        environment={"a": Parameter("n", 2)},
        extra={"StoppingCondition": {"MaxWaitTimeInSeconds": Parameter("n", 2)}},
    ).job()


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (FailStep(name="a"), "steps: FailStep is no list: give a list, even of one step"),
        ("ab", "steps: 'ab' is no list"),
        ([FailStep(name="a"), "b"], r"steps\[1\]: 'b' is no step"),
        ([JobStep(name="a", job="x")], "step a: job: str is no job"),  # type: ignore[arg-type]
        ([FailStep(name="a b")], "step 'a b': name: use letters, digits, hyphens and underscores"),
        ([FailStep(name="a" * 65)], "name: use letters, .* 1 to 64 in all"),
        ([FailStep(name="")], "step '': name: use letters"),
        ([FailStep(name=None)], "step None: name: use letters"),  # type: ignore[arg-type]
        (
            [FailStep(name="a", depends_on=FailStep(name="b"))],  # type: ignore[arg-type]
            "step a: depends_on: FailStep is no list: give a list, even of one step",
        ),
        ([FailStep(name="a", depends_on="bc")], "step a: depends_on: 'bc' is no list"),
        (
            [FailStep(name="a"), FailStep(name="b", depends_on=["aa"])],
            "step b: depends_on: aa is no step of this pipeline: there is a$",
        ),
        (
            [FailStep(name="a"), LambdaStep(name="b", function_arn="f", depends_on=["a"])],
            "step b: depends_on: behind a nothing runs",
        ),
        (
            [ConditionStep(name="c", conditions=[], then=FailStep(name="a"))],  # type: ignore[arg-type]
            "step c: then: FailStep is no list",
        ),
        (
            [ConditionStep(name="c", conditions=Compared(1, "Equals", 1))],  # type: ignore[arg-type]
            "step c: conditions: Compared is no list: give a list, even of one condition",
        ),
        (
            [ConditionStep(name="c", conditions=[], otherwise=[FailStep(name="a.b")])],
            r"step 'a\.b': name: use",
        ),
    ],
)
def test_a_wrong_form_is_refused(client: Client, steps: Any, said: str) -> None:
    made = pipeline(client)
    made.steps = steps
    for told in (made.definition, made.upsert):
        with pytest.raises(InvalidRequest, match=said):
            told()
    assert client.local.client("sagemaker").list_pipelines()["PipelineSummaries"] == []


def test_parameters_are_a_list_of_parameters(client: Client) -> None:
    wrong = {
        "parameters: Parameter is no list": Parameter("a"),
        r"parameters\[0\]: 'a' is no Parameter": ["a"],
        "parameters: 'a b': use letters": [Parameter("a b")],
    }
    for said, given in wrong.items():
        with pytest.raises(InvalidRequest, match=said):
            pipeline(client, FailStep(name="a"), parameters=given).upsert()


def test_all_wrong_forms_are_told_at_once(client: Client) -> None:
    steps: list[Any] = [JobStep(name="a", job=object()), "x", FailStep(name="b c")]  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest) as caught:
        pipeline(client, *steps).definition()
    assert len(caught.value.problems) == 3


def test_what_the_service_refuses_of_a_pipeline_is_told_in_our_words(client: Client) -> None:
    made = pipeline(client, FailStep(name="a"))
    made.name, made.max_parallel_steps = "bad name", 0
    made.description = "a" * 3073
    with pytest.raises(InvalidRequest) as caught:
        made.upsert()
    words = [line.partition(":")[0] for line in caught.value.problems]
    assert sorted(words) == ["description", "max_parallel_steps", "name"]
    assert "use letters, digits and single hyphens" in str(caught.value)


def test_what_an_execution_is_not_given_is_not_sent(client: Client) -> None:
    made = pipeline(client, FailStep(name="a"))
    made.upsert()
    with pytest.raises(InvalidRequest) as caught:
        made.start(epochs=None, epoch=1)
    assert list(caught.value.problems) == [
        "epoch: is no parameter of digits: there are epochs",
        "epochs: is None: give a value, or leave it out for the default",
    ]
    with pytest.raises(InvalidRequest, match=r"display_name: 'a b'.*use letters"):
        made.start("a b")
    with pytest.raises(InvalidRequest, match=r"parameters\[0\]\.Value"):
        made.start(epochs="1" * 2000)
    sagemaker = client.local.client("sagemaker")
    assert (
        sagemaker.list_pipeline_executions(PipelineName="digits")["PipelineExecutionSummaries"]
        == []
    )


def refused(reference: Reference, *steps: Step) -> list[str]:
    """Return what is told of a step that refers to others."""
    last = CallbackStep(name="last", queue_url="q", inputs={"a": reference})
    return [*problems_in_pipeline([*steps, last], [Parameter("n", 3)])]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("ModelArtifacts.S3ModelArtifacts", None),
        ("FinalMetricDataList['loss'].Value", None),
        ("FinalMetricDataList[0].Value", None),
        ("HyperParameters.epochs", None),
        ("InputDataConfig['train'].DataSource.S3DataSource.S3Uri", None),
        ("InputDataConfig[0].ChannelName", None),
        ("ResourceConfig", None),
        ("ModelArtifact.S3ModelArtifacts", "nothing is called ModelArtifact there: there is"),
        ("ModelArtifacts.S3", "nothing is called S3 there: there is S3ModelArtifacts"),
        ("FinalMetricDataList['los'].Value", "nothing is called los there: there is loss"),
        ("HyperParameters.epoch", "nothing is called epoch there: there is epochs"),
        ("Environment.A", "nothing is called A there: there is none"),
        ("InputDataConfig['test']", "nothing is called test there: there is train"),
        ("TrainingJobName.X", "it is a string, and has no X"),
        ("ModelArtifacts[0]", r"it has no \[0\]"),
        ("ModelArtifacts[", "is no path of a property"),
    ],
)
def test_properties_of_a_training_step_are_those_of_describe(path: str, said: str | None) -> None:
    step = training()
    found = refused(step.property(path), step)
    if said is None:
        assert found == []
    else:
        (line,) = found
        assert line.startswith(f"step last: refers to {path} of the step train: ")
        with pytest.raises(InvalidRequest, match=said):
            raise InvalidRequest(found)


def test_a_metric_of_an_image_that_defines_its_own_is_not_judged() -> None:
    job = TrainingJob(
        name="t", image_uri=IMAGE, role=ROLE, output_path="s3://b/", instance_type=TYPE
    )
    step = JobStep(name="train", job=job)
    assert refused(step.property("FinalMetricDataList['any'].Value"), step) == []


def test_an_output_that_is_absent_is_told_with_what_there_is(client: Client) -> None:
    step = processing(client)
    assert refused(step.output("train"), step) == []
    assert refused(step.property("ProcessingInputs['input-1'].S3Input.S3Uri"), step) == []
    (line,) = refused(step.output("trian"), step)
    assert line.endswith("nothing is called trian there: there is train")
    bare = JobStep(name="prepare", job=processor(client).job())
    (line,) = refused(bare.output("train"), bare)
    assert line.endswith("nothing is called train there: there is none")
    with pytest.raises(InvalidRequest, match="trian there: there is train"):
        pipeline(client, step, FailStep(name="f", message=step.output("trian"))).definition()


def test_a_property_file_is_in_an_output_of_its_job(client: Client) -> None:
    files = [PropertyFile(name="report", output="tain", path="report.json")]
    step = processing(client, property_files=files)
    (line,) = problems_in_pipeline([step], [])
    assert line == (
        "step prepare: property_files: report: the job has no output tain: there is train"
    )


def test_properties_of_other_steps() -> None:
    container = ModelContainer(image_uri=IMAGE)
    model = JobStep(name="m", job=HostedModel(name="m", role=ROLE, containers=[container]))
    version = JobStep(name="v", job=ModelVersion(group="g", containers=[container]))
    transform = JobStep(
        name="t",
        job=TransformJob(
            name="t",
            model_name="m",
            data="s3://bucket/a",
            output_path="s3://bucket/b",
            instance_type=TYPE,
        ),
    )
    call = LambdaStep(name="l", function_arn="f", outputs={"answer": "String"})
    good = ConditionStep(name="c", conditions=[Compared(1, "Equals", 1)])
    every = (model, version, transform, call, good)
    right = (
        model.property("ModelName"),
        model.property("PrimaryContainer.Image"),
        version.property("ModelPackageArn"),
        transform.property("TransformOutput.S3OutputPath"),
        call.output("answer"),
        good.property("Outcome"),
    )
    for reference in right:
        assert refused(reference, *every) == []
    wrong = {
        "nothing is called ModelArn there": version.property("ModelArn"),
        "nothing is called ModelNam there: there are .*ModelName": model.property("ModelNam"),
        "no output is called answr: there is answer": call.output("answr"),
        "a LambdaStep has OutputParameters": call.property("Payload"),
        "a condition step has Outcome only": good.property("Result"),
    }
    for said, reference in wrong.items():
        with pytest.raises(InvalidRequest, match=said):
            raise InvalidRequest(refused(reference, *every))


def test_properties_of_a_tuning_step(client: Client) -> None:
    tuner = HyperparameterTuner(
        estimator=client.estimator(),
        objective_metric_name="loss",
        metric_definitions=[{"Name": "loss", "Regex": "loss=(.*)"}],
        hyperparameter_ranges={"x": ContinuousParameter(0, 1)},
    )
    step = JobStep(name="tune", job=tuner.job())
    for reference in (
        step.model_data,
        step.top_model_data(3),
        step.property("BestTrainingJob.TrainingJobName"),
        step.property("TrainingJobSummaries[0].TunedHyperParameters.x"),
    ):
        assert refused(reference, step) == []
    (line,) = refused(step.property("ModelArtifacts.S3ModelArtifacts"), step)
    assert "nothing is called ModelArtifacts there" in line
    (line,) = refused(step.property("TrainingJobSummaries[0].Name"), step)
    assert "nothing is called Name there" in line


def test_what_names_a_version_is_all_that_is_shown() -> None:
    arn = "arn:aws:sagemaker:us-west-2:123456789012:model-package/digits/1"
    assert repr(ModelPackage(arn=arn)) == f"ModelPackage(arn={arn!r})"
    group = ModelPackageGroup(name="digits")
    assert repr(group) == "ModelPackageGroup(name='digits', description=None, tags=())"
