"""References in jobs: as text where text is due, and what a tuning step's models are called."""

from typing import Any

import pytest

from sagedock.errors import InvalidRequest
from sagedock.jobs import (
    CategoricalParameter,
    EndpointDeployment,
    IntegerParameter,
    ModelContainer,
    ProcessingJob,
    ProductionVariant,
    Script,
    TrainingJob,
    TransformJob,
    TuningJob,
)
from sagedock.jobs.pipeline import Execution, JobStep, Join, JsonGet, Parameter, Property, text_of
from sagedock.jobs.pipeline.property_path import path_parts

ROLE = "arn:aws:iam::123456789012:role/sagedock"
IMAGE = "123456789012.dkr.ecr.us-west-2.amazonaws.com/sagedock-training:cpu"
COUNT = Parameter("count", 3)
TEXT = Join([COUNT])


def training(**changes: Any) -> TrainingJob:
    said: dict[str, Any] = {"output_path": "s3://bucket/out/", "instance_type": "ml.m5.large"}
    return TrainingJob(name="train", image_uri=IMAGE, role=ROLE, **said | changes)


def tuning(**changes: Any) -> TuningJob:
    said: dict[str, Any] = {
        "training": training(),
        "ranges": {"x": IntegerParameter(1, 2)},
        "max_jobs": 1,
    }
    return TuningJob(name="tune", objective_metric_name="loss", **said | changes)


def parameters(job: Any) -> Any:
    (request,) = job.requests()
    return request.parameters


@pytest.mark.parametrize(
    "reference",
    [COUNT, Parameter("f", 0.5), Parameter("b", True), JsonGet("s", "f", "p"), Property("s", "P")],
)
def test_what_may_be_no_text_is_joined(reference: Any) -> None:
    assert text_of(reference) == Join([reference])


@pytest.mark.parametrize("value", [Parameter("s", "a"), Execution.PIPELINE_NAME, TEXT, "a", 3])
def test_what_is_text_stays(value: Any) -> None:
    assert text_of(value) is value


def test_variables_and_arguments_are_text() -> None:
    program = {"env": {"N": COUNT}, "entrypoint": ["sh", COUNT], "arguments": ["--n", COUNT]}
    job = ProcessingJob(
        name="p", image_uri=IMAGE, role=ROLE, instance_type="ml.m5.large", **program
    )
    said = parameters(job)
    assert said["Environment"] == {"N": TEXT}
    assert said["AppSpecification"]["ContainerEntrypoint"] == ["sh", TEXT]
    assert said["AppSpecification"]["ContainerArguments"] == ["--n", TEXT]
    said = parameters(
        training(
            environment={"N": COUNT}, container_entry_point=[COUNT], container_arguments=[COUNT]
        )
    )
    assert said["Environment"] == {"N": TEXT}
    assert said["AlgorithmSpecification"]["ContainerEntrypoint"] == [TEXT]
    assert said["AlgorithmSpecification"]["ContainerArguments"] == [TEXT]
    container = ModelContainer(image_uri=IMAGE, environment={"N": COUNT}).parameters()
    assert container["Environment"] == {"N": TEXT}
    transform = TransformJob(
        name="t",
        model_name="m",
        data="s3://bucket/a",
        output_path="s3://bucket/b",
        instance_type="ml.m5.large",
        environment={"N": COUNT},
    )
    assert parameters(transform)["Environment"] == {"N": TEXT}


def test_ends_of_ranges_and_values_are_text() -> None:
    ranges = {"x": IntegerParameter(1, COUNT), "c": CategoricalParameter(["a", COUNT])}
    found = parameters(tuning(ranges=ranges))["HyperParameterTuningJobConfig"]["ParameterRanges"]
    (integer,) = found["IntegerParameterRanges"]
    assert (integer["MinValue"], integer["MaxValue"]) == ("1", TEXT)
    assert found["CategoricalParameterRanges"] == [{"Name": "c", "Values": ["a", TEXT]}]
    script = Script(program="a.py", submit_directory="s3://bucket/a", region="us-west-2")
    word = Parameter("word", "a")
    ranges = {"c": CategoricalParameter(["a", COUNT, word])}
    said = parameters(tuning(ranges=ranges, training=training(script=script)))
    (values,) = said["HyperParameterTuningJobConfig"]["ParameterRanges"][
        "CategoricalParameterRanges"
    ]
    assert values["Values"] == ['"a"', TEXT, Join(['"', word, '"'])]


def summary(rank: int) -> Property:
    return Property("tune", f"TrainingJobSummaries[{rank}].TrainingJobName")


def test_the_best_models_of_a_tuning_step_are_referred_to() -> None:
    """The form is that of SDK v2's ``TuningStep.get_top_model_s3_uri``."""
    step = JobStep(name="tune", job=tuning())
    best = Join(["s3://bucket/out", summary(0), "output/model.tar.gz"], on="/")
    assert step.model_data == step.top_model_data() == best
    assert step.top_model_data(2).values[1] == summary(2)
    bucket = Parameter("where", "s3://bucket/out")
    folder = training(output_path=bucket, disable_output_compression=True)
    open_step = JobStep(name="tune", job=tuning(training=folder))
    assert open_step.model_data == Join([bucket, summary(0), "output/model/"], on="/")
    for rank in (-1, 50):
        with pytest.raises(InvalidRequest, match=r"rank: .* give 0 to 49"):
            step.top_model_data(rank)
    with pytest.raises(InvalidRequest, match="step a: top_model_data is of tuning jobs only"):
        JobStep(name="a", job=training()).top_model_data()


def test_a_step_is_one_job() -> None:
    with pytest.raises(InvalidRequest, match="step a: job: str is no job: give one of"):
        _ = JobStep(name="a", job="x").request  # type: ignore[arg-type]
    variant = ProductionVariant(model_name="m", instance_type="ml.m5.large")
    served = EndpointDeployment(name="e", variants=[variant])
    with pytest.raises(InvalidRequest, match=r"step a: job: EndpointDeployment \(Create"):
        _ = JobStep(name="a", job=served).request


def test_a_path_has_parts() -> None:
    assert [*path_parts("A.Outputs['x y'].B[0].C")] == ["A", "Outputs", "x y", "B", 0, "C"]
    with pytest.raises(ValueError, match="is no path of a property"):
        [*path_parts("A[")]
