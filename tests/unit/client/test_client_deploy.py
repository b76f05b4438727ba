"""Model.deploy: what is there stays as it is, and what is wrong is told first."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sagedock import (
    AsyncInference,
    DataCapture,
    Endpoint,
    Estimator,
    InvalidRequest,
    JobFailed,
    MultiModel,
    Serverless,
    Session,
)
from sagedock.contract import labels, paths
from sagedock.testing import Container, serving
from tests.conftest import BUCKET, IMAGE, ROLE, Local
from tests.unit.client.deploying import Deployer
from tests.unit.local.hosting.conftest import started
from tests.unit.local.hosting.hosting_local import awaited, echo

TRAINS = "123456789012.dkr.ecr.us-west-2.amazonaws.com/sagedock-training:cpu"
TYPE = "ml.m5.large"


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Local]:
    with started(tmp_path / "home") as made:
        yield made


@pytest.fixture
def deployer(local: Local) -> Deployer:
    return Deployer(local)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "source" / "inference.py"
    path.parent.mkdir()
    path.write_text("version = 1\n")
    return path


def problems_of(deployer: Deployer, *instances: Any, **options: Any) -> list[str]:
    """Return what deploy refuses, and require that nothing was made before."""
    model = deployer.model(**options.pop("model", {}))
    with pytest.raises(InvalidRequest) as refused:
        model.deploy(*instances, **options)
    for kind in ("models", "endpoint_configs", "endpoints"):
        assert deployer.there(kind) == []
    return list(refused.value.problems)


def test_a_refused_deployment_leaves_the_archive_of_what_serves(
    deployer: Deployer, program: Path
) -> None:
    deployer.model_of(program).deploy(1, TYPE, endpoint_name="ov")
    before = deployer.archives()
    assert len(before) == 1
    program.write_text("version = 2\n")
    with pytest.raises(InvalidRequest, match=r"endpoint_name: there is an endpoint 'ov'"):
        deployer.model_of(program).deploy(1, TYPE, endpoint_name="ov")
    assert deployer.archives() == before


def test_no_two_archives_of_a_name_are_one_object(deployer: Deployer, program: Path) -> None:
    first = deployer.model_of(program, name="ov")
    first.create()
    first.delete()
    program.write_text("version = 2\n")
    deployer.model_of(program, name="ov").create()
    assert len(set(deployer.archives().values())) == 2


def test_all_that_is_there_is_told_at_once(deployer: Deployer) -> None:
    deployer.model().deploy(1, TYPE, endpoint_name="ov").endpoint.delete(config=False)
    awaited(lambda: deployer.there("endpoints") == [])
    with pytest.raises(InvalidRequest) as refused:
        deployer.model().deploy(1, TYPE, endpoint_name="ov")
    model, config = refused.value.problems
    assert model.startswith("endpoint_name: there is a model 'ov'")
    assert "delete_model" in model
    assert config.startswith("endpoint_name: there is an endpoint configuration 'ov'")
    with pytest.raises(InvalidRequest, match=r"^name: there is a model 'ov'"):
        deployer.model(name="ov").create()


def test_instances_of_a_serverless_endpoint_are_refused(deployer: Deployer) -> None:
    (told,) = problems_of(deployer, 1, TYPE, serverless=Serverless())
    assert told.startswith("initial_instance_count, instance_type: ")
    (told,) = problems_of(deployer, 2, serverless=Serverless())
    assert told.startswith("initial_instance_count: ")
    assert deployer.model().deploy(serverless=Serverless()).endpoint.describe()


def test_an_endpoint_without_instances_is_told_what_to_give(deployer: Deployer) -> None:
    (told,) = problems_of(deployer)
    assert told.startswith("instance_type: is missing: ")
    assert "initial_instance_count" in told
    assert "serverless=Serverless(" in told


@pytest.mark.parametrize("name", ["a_b", "-"])
def test_a_wrong_name_is_one_line(deployer: Deployer, name: str) -> None:
    told = problems_of(deployer, 1, TYPE, endpoint_name=name)
    assert len(told) == 1
    assert told[0].startswith("endpoint_name: ")
    assert told[0].endswith("use letters, digits and single hyphens, at most 63 in all")


def test_a_wrong_name_of_the_model_is_one_line(deployer: Deployer) -> None:
    (told,) = problems_of(deployer, 1, TYPE, endpoint_name="right", model={"name": "a_b"})
    assert told.startswith("name: 'a_b'")


def test_other_problems_are_told_in_the_same_breath(deployer: Deployer) -> None:
    told = problems_of(deployer, endpoint_name="a_b", model={"role": "me", "source_dir": "x"})
    assert {line.split(":")[0] for line in told} == {
        "entry_point",
        "role",
        "instance_type",
        "endpoint_name",
    }


def test_an_unknown_option_names_deploy_and_what_is_near(deployer: Deployer) -> None:
    with pytest.raises(TypeError, match=r"deploy\(\) has no 'volume_sise': .*volume_size"):
        deployer.model().deploy(1, TYPE, volume_sise=8)
    with pytest.raises(TypeError, match=r"deploy\(\) has no 'image_urn': .*image_uri"):
        fitted(deployer).deploy(1, TYPE, image_urn=IMAGE)


def leaves_a_model(container: Container) -> int:
    container.files[f"{paths.MODEL}/weights"] = b"1"
    return 0


def cannot_serve(_: Container) -> int:
    return 1


def fitted(deployer: Deployer, image: str = IMAGE) -> Estimator:
    """Return an estimator whose job left a model."""
    deployer.local.engine.images.add(image)
    deployer.local.engine.program = leaves_a_model
    estimator = Estimator(image_uri=image, role=ROLE, instance_type=TYPE, **deployer.own)
    estimator.fit()
    return estimator


def test_the_training_image_of_ours_is_not_tried_as_a_server(deployer: Deployer) -> None:
    estimator = fitted(deployer, TRAINS)
    with pytest.raises(InvalidRequest, match=r"image_uri: .*sagedock-training.*give image_uri="):
        estimator.deploy(1, TYPE)
    assert deployer.there("models") == []
    deployer.local.engine.program = serving(echo)
    estimator.deploy(1, TYPE, image_uri=TRAINS)  # one that was made of it, and serves


def test_an_image_may_train_and_serve(deployer: Deployer) -> None:
    estimator = fitted(deployer)
    deployer.local.engine.program = serving(echo)
    assert estimator.deploy(1, TYPE).predict(b"hello") == b"hello"


def test_where_it_does_not_serve_the_image_is_named(deployer: Deployer) -> None:
    estimator = fitted(deployer)
    deployer.local.engine.program = cannot_serve
    with pytest.raises(JobFailed, match="give image_uri=") as failed:
        estimator.deploy(1, TYPE)
    assert IMAGE in str(failed.value)
    assert "delete(models=True)" in str(failed.value)


def test_a_failed_endpoint_says_how_to_remove_what_is_left(deployer: Deployer) -> None:
    deployer.local.engine.program = cannot_serve
    with pytest.raises(JobFailed) as failed:
        deployer.model().deploy(1, TYPE, endpoint_name="left")
    remedy = "Endpoint('left').delete(models=True)"
    assert str(failed.value).endswith(f"{remedy} deletes them")
    assert remedy not in failed.value.reason
    Endpoint("left", **deployer.own).delete(models=True)
    for kind in ("endpoints", "endpoint_configs", "models"):
        awaited(lambda kind=kind: deployer.there(kind) == [])


def test_who_interrupts_the_wait_is_told_what_is_left(deployer: Deployer) -> None:
    def interrupt_while_it_is_created(line: str) -> None:
        deployer.lines.append(line)
        if line.endswith("Creating"):
            raise KeyboardInterrupt

    model = deployer.model(show=interrupt_while_it_is_created)
    with pytest.raises(KeyboardInterrupt):
        model.deploy(1, TYPE, endpoint_name="left")
    assert deployer.lines[-1].startswith(
        "interrupted: left goes on as long as its local SageMaker runs. "
    )
    assert "Endpoint('left').delete(models=True)" in deployer.lines[-1]
    Endpoint("left", **deployer.own).delete(models=True)
    for kind in ("endpoints", "endpoint_configs", "models"):
        awaited(lambda kind=kind: deployer.there(kind) == [])


def test_what_an_endpoint_is_made_of_stays_if_it_may_be_there(deployer: Deployer) -> None:
    def interrupt(**_: Any) -> None:
        raise KeyboardInterrupt

    deployer.session.client("sagemaker").meta.events.register(
        "after-call.sagemaker.CreateEndpoint", interrupt
    )
    with pytest.raises(KeyboardInterrupt):
        deployer.model().deploy(1, TYPE, endpoint_name="left")
    assert deployer.lines[-1].startswith(
        "interrupted: left goes on as long as its local SageMaker runs. "
    )
    for kind in ("endpoints", "endpoint_configs", "models"):
        assert deployer.there(kind) == ["left"]
    Endpoint("left", **deployer.own).delete(models=True)


def test_an_upload_is_told_once_there_is_what_is_uploaded(
    deployer: Deployer, program: Path
) -> None:
    for data, told in (
        ("s3://nope/x.tar.gz", "model_data: s3://nope/x.tar.gz: "),
        (f"s3://{BUCKET}/x.tar.gz", f"model_data: s3://{BUCKET}/x.tar.gz: nothing there"),
        ("s3://nope", "model_data: s3://nope: names a bucket"),
    ):
        with pytest.raises(InvalidRequest, match=f"^{told}"):
            deployer.model_of(program, model_data=data).deploy(1, TYPE)
    assert not [line for line in deployer.lines if "uploading" in line]
    assert deployer.there("models") == []


def test_an_image_outside_ecr_is_told_first(deployer: Deployer, program: Path) -> None:
    own = {"image_uri": "sagedock-serving:cpu", "entry_point": program.name}
    (told,) = problems_of(deployer, 1, TYPE, model={**own, "source_dir": str(program.parent)})
    assert told.startswith('image_uri: Using non-ECR image "sagedock-serving:cpu"')
    assert told.endswith("amazonaws.com/NAME:TAG is this machine's NAME:TAG")
    assert deployer.lines == []


def test_an_unknown_instance_type_is_told_first(deployer: Deployer) -> None:
    (told,) = problems_of(deployer, 1, "ml.nope.large")
    assert told.startswith("instance_type: the installed botocore does not know 'ml.nope.large'")
    assert told.count(", ml.") <= 2
    assert "SAGEDOCK_ALLOW_INSTANCE_TYPES=ml.nope.large" in told
    with pytest.raises(InvalidRequest, match=r"does not know 'ml\.nope\.large'"):
        deployer.model().transformer("ml.nope.large").transform(f"s3://{BUCKET}/rows")
    assert deployer.there("models") == []


def test_an_instance_type_that_is_allowed_is_let_through(deployer: Deployer) -> None:
    allowed = {"SAGEDOCK_ALLOW_INSTANCE_TYPES": "ml.other.large, ml.nope.large"}
    session = Session(
        target="local",
        environ={**deployer.local.server.environment(), **allowed},
        show=deployer.lines.append,
    )
    with pytest.raises(InvalidRequest, match=r"^CreateEndpointConfig: "):  # of a server without
        deployer.model(session=session).deploy(1, "ml.nope.large")
    assert deployer.lines[0].startswith("instance_type: the installed botocore does not know")


def test_what_an_endpoint_of_its_kind_cannot_have_is_told_first(deployer: Deployer) -> None:
    capture = DataCapture(destination_s3_uri=f"s3://{BUCKET}/captured")
    (told,) = problems_of(deployer, serverless=Serverless(), data_capture=capture)
    assert told.startswith("serverless, data_capture: Not supported for serverless endpoints")
    where = AsyncInference(output_path=f"s3://{BUCKET}/answers")
    (told,) = problems_of(deployer, 1, TYPE, async_inference=where, data_capture=capture)
    assert told.startswith("async_inference, data_capture: The local SageMaker cannot carry out: ")
    folder = {"model_data": f"s3://{BUCKET}/a/", "enable_network_isolation": True}
    told, second = problems_of(deployer, serverless=Serverless(), model=folder)
    assert told.startswith("model_data: a serverless endpoint takes no folder")
    assert second.startswith("enable_network_isolation: a serverless endpoint cannot have that")
    many = {"mode": "MultiModel", "model_data": f"s3://{BUCKET}/many/"}
    (told,) = problems_of(deployer, serverless=Serverless(), model=many)
    assert told.startswith("serverless: a serverless endpoint cannot serve many models: give ")


def test_many_models_are_deleted(deployer: Deployer) -> None:
    deployer.local.engine.labels = {labels.SERVES_MANY: labels.SAYS_YES}
    models = MultiModel(
        image_uri=IMAGE, role=ROLE, model_data_prefix=f"s3://{BUCKET}/many", **deployer.own
    )
    models.delete()  # there is none yet
    one, two = models.deploy(1, TYPE), models.deploy(1, TYPE)
    assert len(deployer.there("models")) == 1
    one.delete_endpoint()
    two.delete_endpoint()
    models.delete()
    models.delete()
    assert deployer.there("models") == []


def test_serverless_is_checked_when_it_is_made() -> None:
    with pytest.raises(InvalidRequest) as refused:
        Serverless(memory_size_in_mb=1500, max_concurrency=0, provisioned_concurrency=3)
    memory, most, provisioned = refused.value.problems
    assert memory.startswith("memory_size_in_mb: 1500 ")
    assert "1024, 2048, 3072, 4096, 5120 or 6144" in memory
    assert most.startswith("max_concurrency: 0 ")
    assert provisioned.startswith("provisioned_concurrency: 3 ")
    assert Serverless(memory_size_in_mb=6144, max_concurrency=200, provisioned_concurrency=200)


def test_a_wrong_transformer_is_told_before_its_model_is_made(deployer: Deployer) -> None:
    with pytest.raises(InvalidRequest) as refused:
        deployer.model().transformer(TYPE, strategy="Foo", assemble_with="Lines")
    assert refused.value.problems == (
        "strategy: 'Foo': give SingleRecord or MultiRecord",
        "assemble_with: 'Lines': give None or Line",
    )
    with pytest.raises(TypeError, match="strategie"):
        deployer.model().transformer(TYPE, strategie="MultiRecord")
    assert deployer.there("models") == []


def test_failures_of_an_asynchronous_endpoint_have_a_place() -> None:
    said = AsyncInference(output_path="s3://bucket/results/").parameters()["OutputConfig"]
    assert said["S3FailurePath"] == "s3://bucket/results/failures"
    given = AsyncInference(output_path="s3://bucket/r", failure_path="s3://bucket/f").parameters()
    assert given["OutputConfig"]["S3FailurePath"] == "s3://bucket/f"
