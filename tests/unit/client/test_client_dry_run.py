"""Sessions that send nothing."""

from pathlib import Path
from typing import Any

import pytest

from sagedock import DryRun, DryRunOver, Estimator, InvalidRequest, Model, MultiModel, Session
from sagedock.client import DryRequest

ACCOUNT = "111122223333"
IMAGE = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/own:1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/sagedock"


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def plan(told: list[str]) -> DryRun:
    return DryRun(account=ACCOUNT, show=told.append)


@pytest.fixture
def session(plan: DryRun) -> Session:
    return Session(target="aws", region="eu-west-1", dry_run=plan, environ={})


def estimator(session: Session, **changed: Any) -> Estimator:
    given = {"image_uri": IMAGE, "role": ROLE, "instance_type": "ml.m5.large", **changed}
    return Estimator(session=session, show=session.show, **given)


def operations(plan: DryRun) -> list[str]:
    return [each.operation for each in plan.requests]


def test_a_job_ends_where_it_would_be_waited_for(
    session: Session, plan: DryRun, told: list[str], tmp_path: Path
) -> None:
    for name in "ba":
        (tmp_path / name).write_text(name)
    with pytest.raises(DryRunOver) as over:
        estimator(session).fit({"train": str(tmp_path)})
    assert over.value.dry_run is plan
    assert operations(plan) == ["CreateBucket", "PutObject", "PutObject", "CreateTrainingJob"]
    bucket, first, second, job = (each.parameters for each in plan.requests)
    assert bucket["Bucket"] == f"sagemaker-eu-west-1-{ACCOUNT}"
    assert [first["Key"][-1], second["Key"][-1]] == ["a", "b"]
    assert job["RoleArn"] == ROLE
    assert [each.split(" {")[0] for each in told] == [
        "s3 CreateBucket",
        "s3 PutObject",
        "s3 PutObject",
        "sagemaker CreateTrainingJob",
    ]


def test_what_is_over_stays_over(session: Session, plan: DryRun) -> None:
    with pytest.raises(DryRunOver):
        estimator(session).fit()
    before = plan.requests
    with pytest.raises(DryRunOver):
        session.client("sagemaker").stop_training_job(TrainingJobName="any")
    with pytest.raises(DryRunOver):
        session.upload(__file__, "more")
    assert plan.requests == before


def test_no_handler_of_errors_takes_the_end_for_an_error(session: Session) -> None:
    assert not issubclass(DryRunOver, Exception)
    with pytest.raises(DryRunOver):
        session.client("logs").describe_log_groups()


def test_a_wrong_request_is_refused_as_ever(session: Session, plan: DryRun) -> None:
    with pytest.raises(InvalidRequest, match="instance_count"):
        estimator(session, instance_count=0).fit()
    with pytest.raises(InvalidRequest, match="ModelName"):
        from sagedock.client.refusals import explained

        with explained("aws"):
            session.client("sagemaker").create_model(ModelName=3)
    assert operations(plan) == []


def test_nothing_of_sagemaker_is_there_and_buckets_are_once_made(
    session: Session, plan: DryRun
) -> None:
    sagemaker = session.client("sagemaker")
    assert sagemaker.list_endpoints()["Endpoints"] == []
    with pytest.raises(sagemaker.exceptions.ClientError, match="Could not find"):
        sagemaker.describe_endpoint(EndpointName="any")
    assert session.default_bucket() == session.default_bucket()
    assert operations(plan) == ["CreateBucket"]


def test_a_local_session_starts_no_server(told: list[str], tmp_path: Path) -> None:
    home = tmp_path / "home"
    plan = DryRun(account=ACCOUNT, show=told.append)
    session = Session(target="local", dry_run=plan, environ={"SAGEDOCK_HOME": str(home)})
    with pytest.raises(DryRunOver):
        estimator(session).fit()
    assert operations(plan) == ["CreateBucket", "CreateTrainingJob"]
    assert session.file_of("s3://bucket/key") is None
    assert not home.exists()


def test_archives_of_models_are_copied_and_repacked_in_name_only(
    session: Session, plan: DryRun, tmp_path: Path
) -> None:
    program = tmp_path / "inference.py"
    program.write_text("def model_fn(folder): ...\n")
    models = MultiModel(
        name="many",
        image_uri=IMAGE,
        role=ROLE,
        model_data_prefix="s3://models/many/",
        session=session,
        show=session.show,
    )
    assert models.add_model("s3://models/a.tar.gz") == "a.tar.gz"
    model = Model(
        image_uri=IMAGE,
        role=ROLE,
        model_data="s3://models/b.tar.gz",
        entry_point=str(program),
        session=session,
        show=session.show,
    )
    with pytest.raises(DryRunOver):
        model.deploy(1, "ml.m5.large")
    assert [each.operation for each in plan.requests if each.service == "s3"] == [
        "CopyObject",
        "CreateBucket",
        "GetObject",
        "PutObject",
    ]
    assert plan.requests[0].parameters["CopySource"] == "models/a.tar.gz"
    assert operations(plan)[4:] == ["CreateModel", "CreateEndpointConfig", "CreateEndpoint"]


def test_requests_are_json_too(session: Session, plan: DryRun) -> None:
    session.client("sagemaker").create_model_package_group(ModelPackageGroupName="group")
    (found,) = plan.requests
    assert found == DryRequest(
        service="sagemaker",
        operation="CreateModelPackageGroup",
        parameters={"ModelPackageGroupName": "group"},
    )
    assert found.document() == {
        "Service": "sagemaker",
        "Operation": "CreateModelPackageGroup",
        "Parameters": {"ModelPackageGroupName": "group"},
    }
