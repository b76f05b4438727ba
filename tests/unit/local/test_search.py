"""Search over what is stored: filters, nested filters, subexpressions, order, pages."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagedock import LocalSageMaker
from sagedock.testing import Container, FakeEngine
from tests import in_memory
from tests.conftest import BUCKET, IMAGE, REGION, Local
from tests.unit.local.hosting.conftest import started
from tests.unit.local.hosting.hosting_local import deploy
from tests.unit.local.hosting.test_hosting_models import refused
from tests.unit.local.pipelines.pipeline_world import World, fail
from tests.unit.local.registry_calls import create_group, put_data, register


def filters(*given: tuple[str, str | None, str | None]) -> dict[str, Any]:
    """Return an expression of filters, each a name, an operator and a value."""
    return {
        "Filters": [
            {
                "Name": name,
                **({"Operator": operator} if operator else {}),
                **({"Value": value} if value is not None else {}),
            }
            for name, operator, value in given
        ]
    }


def found(local: Local, resource: str = "TrainingJob", **asked: Any) -> list[Any]:
    results = local.client("sagemaker").search(Resource=resource, **asked)["Results"]
    (member,) = {name for each in results for name in each} or {""}
    return [each[member] for each in results]


@pytest.fixture
def serving_local(tmp_path: Path) -> Iterator[Local]:
    with started(tmp_path / "home") as made:
        yield made


def names(local: Local, expression: dict[str, Any] | None = None, **asked: Any) -> list[str]:
    """Return the names of the training jobs that are found, in the order of their names."""
    more = {} if expression is None else {"SearchExpression": expression}
    order = {"SortBy": "TrainingJobName", "SortOrder": "Ascending"}
    return [each["TrainingJobName"] for each in found(local, **{**order, **asked}, **more)]


@pytest.fixture(scope="module")
def jobs() -> Iterator[Local]:
    """Three jobs: of other hyperparameters, metrics, channels and tags; the last one fails."""

    def program(container: Container) -> int:
        name = container.spec.environment["TRAINING_JOB_NAME"]
        container.print(f"accuracy=0.{name[-1]}5")
        return 1 if name == "job-3" else 0

    with in_memory.folder() as made:
        engine = FakeEngine(program, images=[IMAGE])
        with LocalSageMaker(
            home=made / "home", engine=engine, check_answers=True, shutdown_grace_s=0.2
        ) as server:
            local = Local(server=server, engine=engine)
            local.client("s3").create_bucket(
                Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
            )
            for key in ("cats/a.csv", "dogs/a.csv"):
                local.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"1")
            for number, animal in ((1, "cats"), (2, "dogs"), (3, "cats")):
                local.run(
                    TrainingJobName=f"job-{number}",
                    HyperParameters={"lr": f"0.{number}", "a.b": "x", "kind": f'"k{number}"'},
                    Tags=[{"Key": "team", "Value": "a" if number < 3 else "b"}],
                    AlgorithmSpecification={
                        "TrainingImage": IMAGE,
                        "TrainingInputMode": "File",
                        "MetricDefinitions": [{"Name": "accuracy", "Regex": "accuracy=([0-9.]+)"}],
                    },
                    InputDataConfig=[
                        local.channel(f"s3://{BUCKET}/{animal}/", "train"),
                        local.channel(f"s3://{BUCKET}/dogs/", "test"),
                    ],
                )
            yield local


@pytest.mark.parametrize(
    ("given", "numbers"),
    [
        ((("TrainingJobStatus", None, "Completed"),), [1, 2]),
        ((("TrainingJobStatus", "NotEquals", "Completed"),), [3]),
        ((("TrainingJobStatus", "In", "Failed, Stopped"),), [3]),
        ((("TrainingJobName", "Contains", "-2"),), [2]),
        ((("trainingjobname", "Equals", "job-2"),), [2]),
        ((("HyperParameters.lr", "LessThan", "0.25"),), [1, 2]),
        ((("HyperParameters.lr", "GreaterThanOrEqualTo", "0.2"),), [2, 3]),
        ((("HyperParameters.lr", "Equals", "0.10"),), [1]),
        ((("HyperParameters.lr", "LessThanOrEqualTo", "0"),), [1, 2, 3]),
        ((("HyperParameters.a.b", "Equals", "x"),), [1, 2, 3]),
        ((("HyperParameters.none", "Exists", None),), []),
        ((("HyperParameters.none", "NotExists", None),), [1, 2, 3]),
        ((("Metrics.accuracy", "GreaterThan", "0.2"),), [2, 3]),
        ((("Tags.team", "Equals", "a"),), [1, 2]),
        ((("Tags.none", "NotEquals", "a"),), [1, 2, 3]),
        ((("ResourceConfig.InstanceCount", "Equals", "1"),), [1, 2, 3]),
        ((("ResourceConfig.InstanceType", "Contains", "large"),), [1, 2, 3]),
        ((("EnableManagedSpotTraining", "Equals", "false"),), [1, 2, 3]),
        ((("CreationTime", "GreaterThan", "2020-01-01T00:00:00"),), [1, 2, 3]),
        ((("CreationTime", "LessThan", "2020-01-01T00:00:00"),), []),
        ((("FailureReason", "Exists", None),), [3]),
        ((("InputDataConfig.ChannelName", "Equals", "test"),), [1, 2, 3]),
        (
            (("TrainingJobStatus", "Equals", "Completed"), ("HyperParameters.lr", "Equals", "0.2")),
            [2],
        ),
    ],
)
def test_a_filter_finds(
    jobs: Local, given: tuple[tuple[str, str | None, str | None], ...], numbers: list[int]
) -> None:
    assert names(jobs, filters(*given)) == [f"job-{number}" for number in numbers]


def test_an_expression_may_take_any_of_its_parts(jobs: Local) -> None:
    either = filters(("TrainingJobName", "Equals", "job-1"), ("TrainingJobName", "Equals", "job-3"))
    assert names(jobs, {**either, "Operator": "Or"}) == ["job-1", "job-3"]
    assert names(jobs, either) == []


def test_a_nested_filter_is_of_one_item(jobs: Local) -> None:
    def channel(name: str, where: str) -> dict[str, Any]:
        inner = filters(
            ("InputDataConfig.ChannelName", "Equals", name),
            ("InputDataConfig.DataSource.S3DataSource.S3Uri", "Contains", where),
        )
        return {"NestedPropertyName": "InputDataConfig", **inner}

    assert names(jobs, {"NestedFilters": [channel("train", "cats")]}) == ["job-1", "job-3"]
    assert names(jobs, {"NestedFilters": [channel("test", "cats")]}) == []


def test_expressions_are_nested(jobs: Local) -> None:
    completed = filters(("TrainingJobStatus", "Equals", "Completed"))
    either = {
        **filters(("HyperParameters.lr", "Equals", "0.1"), ("Tags.team", "Equals", "b")),
        "Operator": "Or",
    }
    assert names(jobs, {"SubExpressions": [completed, either]}) == ["job-1"]
    assert names(jobs, {"SubExpressions": [completed, either], "Operator": "Or"}) == [
        "job-1",
        "job-2",
        "job-3",
    ]


def test_results_are_sorted_and_paged(jobs: Local) -> None:
    sagemaker = jobs.client("sagemaker")
    latest = [each["TrainingJobName"] for each in found(jobs)]
    assert latest == ["job-3", "job-2", "job-1"]
    assert names(jobs, SortBy="HyperParameters.lr", SortOrder="Descending") == latest
    assert names(jobs, SortBy="Metrics.accuracy") == latest[::-1]
    pages = sagemaker.get_paginator("search").paginate(
        Resource="TrainingJob", PaginationConfig={"PageSize": 2}
    )
    told = [[each["TrainingJob"]["TrainingJobName"] for each in page["Results"]] for page in pages]
    assert told == [["job-3", "job-2"], ["job-1"]]
    hits = sagemaker.search(Resource="TrainingJob", MaxResults=1)["TotalHits"]
    assert hits == {"Value": 3, "Relation": "EqualTo"}
    told_back = refused(sagemaker.search, Resource="TrainingJob", NextToken="bogus")
    assert told_back == 'Invalid pagination token because "bogus".'


@pytest.mark.parametrize(
    ("expression", "begins"),
    [
        ({}, "A SearchExpression must have at least one filter"),
        (filters(("Nothing", "Exists", None)), "Unknown property name: Nothing is no property of"),
        (filters(("ResourceConfig.Nothing", "Exists", None)), "Unknown property name: Resource"),
        (filters(("TrainingJobName", "Equals", None)), "Value must be provided for filter"),
        (
            filters(("TrainingJobStatus", "GreaterThan", "A")),
            "Operator GreaterThan is not supported for property TrainingJobStatus.",
        ),
        (
            filters(("ResourceConfig.InstanceCount", "Contains", "1")),
            "Operator Contains is not supported for property ResourceConfig.InstanceCount.",
        ),
        (
            filters(("ResourceConfig.InstanceCount", "Equals", "many")),
            "Value many of filter ResourceConfig.InstanceCount is not a valid number.",
        ),
        (
            filters(("CreationTime", "LessThan", "yesterday")),
            "Value yesterday of filter CreationTime is not a valid date-time",
        ),
        (
            filters(("TrainingJobName", "Contains", "a"), ("TrainingJobArn", "Contains", "b")),
            "'CONTAINS' operator usage limit of 1 exceeded.",
        ),
        (
            {
                "NestedFilters": [
                    {"NestedPropertyName": "RoleArn", **filters(("RoleArn.a", "Exists", None))}
                ]
            },
            "RoleArn is no property of a list of TrainingJob that can be nested.",
        ),
    ],
)
def test_what_cannot_be_searched_is_refused(
    jobs: Local, expression: dict[str, Any], begins: str
) -> None:
    search = jobs.client("sagemaker").search
    told = refused(search, Resource="TrainingJob", SearchExpression=expression)
    assert told.startswith(begins)


def test_suggestions_begin_with_the_hint(jobs: Local) -> None:
    def suggested(hint: str) -> list[str]:
        answer = jobs.client("sagemaker").get_search_suggestions(
            Resource="TrainingJob",
            SuggestionQuery={"PropertyNameQuery": {"PropertyNameHint": hint}},
        )
        return [each["PropertyName"] for each in answer["PropertyNameSuggestions"]]

    assert suggested("HyperParameters.") == [
        *("HyperParameters.a.b", "HyperParameters.kind", "HyperParameters.lr"),
    ]
    assert suggested("Tags.") == ["Tags.team"]
    assert "TrainingJobName" in suggested("Training")


def test_other_resources_and_accounts_have_none(jobs: Local) -> None:
    assert found(jobs, "FeatureGroup") == []
    assert found(jobs, CrossAccountFilterOption="CrossAccount") == []
    told = refused(
        jobs.client("sagemaker").search,
        Resource="TrainingJob",
        VisibilityConditions=[{"Key": "Tags.a", "Value": "b"}],
    )
    assert told.startswith("The local SageMaker cannot carry out: VisibilityConditions.")


def test_packages_groups_models_and_endpoints_are_found(local: Local) -> None:
    put_data(local)
    create_group(local, Tags=[{"Key": "team", "Value": "a"}])
    register(local, ModelApprovalStatus="Approved", CustomerMetadataProperties={"auc": "0.9"})
    register(local)
    approved = filters(("ModelApprovalStatus", "Equals", "Approved"))
    (package,) = found(local, "ModelPackage", SearchExpression=approved)
    assert package["ModelPackageVersion"] == 1
    assert package["Tags"] == [{"Key": "team", "Value": "a"}]
    good = filters(("CustomerMetadataProperties.auc", "GreaterThan", "0.8"))
    assert len(found(local, "ModelPackage", SearchExpression=good)) == 1
    containing = filters(("ModelPackageGroupName", "Contains", "ode"))
    (group,) = found(local, "ModelPackageGroup", SearchExpression=containing)
    assert group["ModelPackageGroupName"] == "Models"
    sagemaker = local.client("sagemaker")
    sagemaker.create_model(ModelName="m", PrimaryContainer={"Image": IMAGE})
    (model,) = found(local, "Model", SearchExpression=filters(("Model.ModelName", "Equals", "m")))
    assert model["Model"]["ModelName"] == "m"
    assert model["Endpoints"] == []
    assert found(local, "Endpoint") == []


def test_pipelines_and_their_executions_are_found(local: Local) -> None:
    world = World(local)
    parameter = {"Name": "Limit", "Type": "Integer", "DefaultValue": 3}
    world.create(fail("No"), name="Nightly", parameters=[parameter])
    for _ in range(2):
        last = world.start("Nightly", PipelineParameters=[{"Name": "Limit", "Value": "3"}])
    named = filters(("PipelineName", "Contains", "ight"))
    (pipeline,) = found(local, "Pipeline", SearchExpression=named)
    assert pipeline["PipelineName"] == "Nightly"
    assert pipeline["LastRunTime"] >= pipeline["CreationTime"]
    of_it = filters(
        ("PipelineArn", "Equals", pipeline["PipelineArn"]),
        ("PipelineParameters.Limit", "Equals", "3"),
    )
    executions = found(local, "PipelineExecution", SearchExpression=of_it, SortBy="CreationTime")
    assert len(executions) == 2
    assert last in [each["PipelineExecutionArn"] for each in executions]
    assert found(local, "PipelineExecution", SearchExpression=named_so("Stopped")) == []


def named_so(status: str) -> dict[str, Any]:
    return filters(("PipelineExecutionStatus", "Equals", status))


def test_an_endpoint_is_found_and_its_model_with_it(serving_local: Local) -> None:
    deploy(serving_local)
    in_service = filters(("EndpointStatus", "Equals", "InService"))
    (endpoint,) = found(serving_local, "Endpoint", SearchExpression=in_service)
    assert endpoint["EndpointName"] == "endpoint-1"
    assert endpoint["ProductionVariants"][0]["CurrentInstanceCount"] == 1
    served = filters(("Endpoints.EndpointName", "Equals", "endpoint-1"))
    (model,) = found(serving_local, "Model", SearchExpression=served)
    assert model["Model"]["ModelName"] == "model-1"
