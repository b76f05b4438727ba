"""Endpoint: changes are awaited, and what cannot be changed is told."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sagedock import AsyncInference, Endpoint, InvalidRequest, Predictor, Serverless
from sagedock.testing import Call, Reply, serving
from tests.conftest import BUCKET, Local
from tests.unit.client.deploying import Deployer
from tests.unit.local.hosting.conftest import started
from tests.unit.local.hosting.hosting_local import awaited, echo

TYPE = "ml.m5.large"


class Gated:
    """A model whose containers become healthy once ``gate`` is set."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, call: Call) -> Reply:
        if call.path == "/ping" and not self.gate.is_set():
            return Reply(status=503)
        return echo(call)


@pytest.fixture
def model() -> Gated:
    return Gated()


@pytest.fixture
def local(tmp_path: Path, model: Gated) -> Iterator[Local]:
    with started(tmp_path / "home") as made:
        made.engine.program = serving(model)
        yield made


@pytest.fixture
def deployer(local: Local) -> Deployer:
    return Deployer(local)


def instances(endpoint: Endpoint) -> int:
    (variant,) = endpoint.describe()["ProductionVariants"]
    return int(variant["CurrentInstanceCount"])


def test_instances_are_awaited(deployer: Deployer, model: Gated) -> None:
    endpoint = deployer.model().deploy(1, TYPE).endpoint
    endpoint.set_instances(2)
    assert endpoint.describe()["EndpointStatus"] == "InService"
    assert instances(endpoint) == 2
    model.gate.clear()
    endpoint.set_instances(3, wait=False)
    assert endpoint.describe()["EndpointStatus"] == "Updating"
    model.gate.set()
    endpoint.wait()
    assert instances(endpoint) == 3


def test_what_is_being_changed_is_deleted_once_it_may_be(deployer: Deployer, model: Gated) -> None:
    predictor = deployer.model().deploy(1, TYPE, endpoint_name="busy")
    model.gate.clear()
    predictor.endpoint.set_instances(2, wait=False)
    told = threading.Event()

    def show(line: str) -> None:
        deployer.lines.append(line)
        if "Updating" in line:
            told.set()

    deleting = threading.Thread(
        target=Endpoint("busy", session=deployer.session, show=show).delete, daemon=True
    )
    deleting.start()
    assert told.wait(30)
    assert deployer.there("endpoints") == ["busy"]
    model.gate.set()
    deleting.join(30)
    assert not deleting.is_alive()
    awaited(lambda: deployer.there("endpoints") == [])
    assert deployer.there("endpoint_configs") == []
    (line,) = [line for line in deployer.lines if "is Updating" in line]
    assert line == "busy is Updating: it is deleted once that has ended"


@pytest.mark.parametrize("count", [-1, 0, "3", 1.5, True, None])
def test_what_is_no_count_of_instances_is_refused(deployer: Deployer, count: Any) -> None:
    endpoint = deployer.model().deploy(1, TYPE).endpoint
    with pytest.raises(InvalidRequest, match=f"^count: {count!r}[ :].*: give"):
        endpoint.set_instances(count)
    assert instances(endpoint) == 1


@pytest.mark.parametrize(
    ("least", "most", "told"),
    [
        ("one", 2, "^min_instances: 'one' is no number of instances"),
        (4, 1, "^max_instances: 1 is less than min_instances, 4: give 4 or more"),
        (0, 0, "^max_instances: 0: "),
        (0, 4, "^min_instances: 0: one answers at once, and needs an instance: give 1 or more"),
    ],
)
def test_bounds_of_autoscaling_are_checked(
    deployer: Deployer, least: Any, most: Any, told: str
) -> None:
    endpoint = deployer.model().deploy(1, TYPE, endpoint_name="one").endpoint
    with pytest.raises(InvalidRequest, match=told):
        endpoint.autoscale(least, most, 10)
    targets = deployer.session.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="sagemaker"
    )
    assert targets["ScalableTargets"] == []


def test_an_asynchronous_endpoint_may_have_no_instance(deployer: Deployer) -> None:
    where = AsyncInference(output_path=f"s3://{BUCKET}/answers")
    endpoint = deployer.model().deploy(1, TYPE, async_inference=where).endpoint
    assert "scalingPolicy" in endpoint.autoscale(0, 2, 10)
    endpoint.set_instances(0)
    assert instances(endpoint) == 0


def test_what_botocore_refuses_is_an_invalid_request(deployer: Deployer) -> None:
    endpoint = deployer.model().deploy(1, TYPE).endpoint
    with pytest.raises(InvalidRequest, match="ScaleInCooldown"):
        endpoint.autoscale(1, 2, 10, scale_in_cooldown="x")  # type: ignore[arg-type]


def test_a_serverless_endpoint_has_no_instances_to_change(deployer: Deployer) -> None:
    endpoint = deployer.model().deploy(serverless=Serverless(), endpoint_name="less").endpoint
    for change in (lambda: endpoint.autoscale(1, 2, 10), lambda: endpoint.set_instances(2)):
        with pytest.raises(InvalidRequest, match=r"variant: 'AllTraffic' of less is serverless"):
            change()


def test_a_variant_that_is_not_there_is_told(deployer: Deployer) -> None:
    endpoint = deployer.model().deploy(1, TYPE, endpoint_name="one").endpoint
    with pytest.raises(InvalidRequest, match="variant: one has no 'Blue': it has AllTraffic"):
        endpoint.autoscale(1, 2, 10, variant="Blue")


@pytest.mark.parametrize("name", ["", None, 5])
def test_what_is_no_name_is_refused(deployer: Deployer, name: Any) -> None:
    for kind in (Endpoint, Predictor):
        with pytest.raises(InvalidRequest, match=f"^endpoint_name: {name!r} is no name: give "):
            kind(name, **deployer.own)


def test_of_an_endpoint_that_is_not_there_the_others_are_named(deployer: Deployer) -> None:
    absent = Predictor("absent", **deployer.own)
    uses: list[Callable[[], Any]] = [
        absent.endpoint.describe,
        absent.endpoint.wait,
        absent.endpoint.delete,
        lambda: absent.endpoint.set_instances(1),
        lambda: absent.endpoint.autoscale(1, 2, 10),
        lambda: absent.predict(b"1"),
        lambda: list(absent.predict_stream(b"1")),
        lambda: absent.predict_async(input_path=f"s3://{BUCKET}/x"),
    ]
    for use in uses:
        with pytest.raises(InvalidRequest, match=r"absent.*: there is no endpoint: deploy one$"):
            use()
    deployer.model().deploy(1, TYPE, endpoint_name="here")
    for use in uses:
        with pytest.raises(InvalidRequest, match=r"absent.*: there are here$"):
            use()


def test_who_started_a_local_sagemaker_is_told_that_none_was_running(deployer: Deployer) -> None:
    deployer.session.place = replace(deployer.session.place, ends_with_program=True)
    with pytest.raises(
        InvalidRequest, match=r"no local SageMaker was running.*`sagedock local up --detach`$"
    ):
        Endpoint("absent", **deployer.own).describe()


def test_data_that_is_no_body_names_the_serializer(deployer: Deployer) -> None:
    predictor = Predictor("any", **deployer.own)
    with pytest.raises(InvalidRequest, match=r"^data: list is no body .*serializer=JSONSerializer"):
        predictor.predict([[1]])


def test_an_endpoint_is_deleted_whose_configuration_is_gone(deployer: Deployer) -> None:
    endpoint = deployer.model().deploy(1, TYPE, endpoint_name="bare").endpoint
    deployer.session.client("sagemaker").delete_endpoint_config(EndpointConfigName="bare")
    endpoint.delete()
    awaited(lambda: deployer.there("endpoints") == [])
