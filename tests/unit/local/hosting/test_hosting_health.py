"""Containers in service that are not healthy: given up, replaced, or spared."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock.errors import InvalidRequest
from sagedock.local.hosting.checking import Condition
from sagedock.local.hosting.health import Unhealthy, problem_of
from sagedock.local.settings import Settings
from sagedock.testing import Call, Container, FakeEngine, Reply, serving
from tests.conftest import IMAGE, Local
from tests.unit.local.hosting.conftest import started
from tests.unit.local.hosting.hosting_local import (
    answers,
    awaited,
    create_config,
    create_endpoint,
    deploy,
    echo,
    invoke,
    said,
    settled,
    until,
    variant,
)
from tests.unit.local.hosting.many_models import ManyModels, ask, served
from tests.unit.local.hosting.test_hosting_pipelines import container, create_pipeline

WRONG = Unhealthy(why="GET /ping was answered with 500")
SLOW = Unhealthy(why="GET /ping was not answered within 2 s", is_slow=True)


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Local]:
    """A local SageMaker that looks at its containers all the time."""
    with started(tmp_path / "home", health_check_s=0.02) as made:
        yield made


class Sick:
    """A model whose containers answer /ping with 500 once they are ``ill``, by their ids."""

    def __init__(self) -> None:
        self.ill: set[str] = set()
        self.pings: list[str] = []

    def __call__(self, call: Call) -> Reply:
        if call.path != "/ping":
            return Reply(body=call.container.id.encode())
        self.pings.append(call.container.id)
        return Reply(status=500 if call.container.id in self.ill else 200)


def test_one_that_is_not_healthy_is_replaced_while_the_other_serves(watched: Local) -> None:
    model = Sick()
    watched.engine.program = serving(model)
    deploy(watched, variant(InitialInstanceCount=2))
    first, second = list(watched.engine.all)
    model.ill.add(first)
    awaited(lambda: first not in watched.engine.all and len(watched.engine.all) == 2)
    for _ in range(20):
        assert answers(watched) != first
    line = "sagedock: the container is not healthy: GET /ping was answered with 500: it is replaced"
    assert said(watched) == [line]
    assert second in watched.engine.all
    assert until(watched, lambda _: True)["EndpointStatus"] == "InService"


def test_it_gets_no_requests_from_the_moment_it_is_given_up(watched: Local) -> None:
    model, gate = Sick(), threading.Event()

    def stays(container: Container) -> int:
        """End a moment after SIGTERM, as one does that finishes what it has."""
        code = serving(model)(container)
        gate.wait(60)
        return code

    watched.engine.program = stays
    object.__setattr__(watched.server.settings, "endpoint_stop_grace_s", 60.0)
    deploy(watched, variant(InitialInstanceCount=2))
    first, second = list(watched.engine.all)
    model.ill.add(first)
    awaited(watched.engine.all[first].terminated.is_set)
    assert {answers(watched) for _ in range(20)} == {second}
    gate.set()
    awaited(lambda: first not in watched.engine.all)


def test_the_only_one_is_replaced_too(watched: Local) -> None:
    model = Sick()
    watched.engine.program = serving(model)
    deploy(watched)
    (first,) = watched.engine.all
    model.ill.add(first)
    awaited(lambda: first not in watched.engine.all)
    awaited(lambda: answers(watched).startswith("fake-"))
    assert answers(watched) != first


def test_a_few_bad_answers_are_forgiven(watched: Local) -> None:
    given: list[int] = []

    def answer(call: Call) -> Reply:
        """Answer two of three checks badly, once it serves."""
        if call.path != "/ping":
            return echo(call)
        given.append(200 if len(given) % 3 == 0 else 503)
        return Reply(status=given[-1])

    watched.engine.program = serving(answer)
    deploy(watched)
    (first,) = watched.engine.all
    awaited(lambda: len(given) > 60)
    assert list(watched.engine.all) == [first]
    assert said(watched) == []


def test_one_of_several_containers_is_replaced_and_the_instance_serves_again(
    watched: Local,
) -> None:
    model = Sick()
    watched.engine.program = serving(model)
    create_pipeline(watched, container("a"), container("b"))
    create_config(watched)
    create_endpoint(watched)
    assert settled(watched)["EndpointStatus"] == "InService"
    first, second = list(watched.engine.all)
    model.ill.add(second)
    awaited(lambda: second not in watched.engine.all)
    awaited(lambda: answers(watched).startswith("fake-"))
    assert first in watched.engine.all


def test_many_models_are_asked_for_their_models_too(watched: Local) -> None:
    models, ill = ManyModels(), set()

    def forgets(call: Call) -> Reply:
        gone = call.container.id in ill and call.path == "/models"
        return Reply(status=404) if gone else models(call)

    served(watched, models, "a.tar.gz")
    watched.engine.program = serving(forgets)
    (first,) = watched.engine.all
    watched.engine.all[first].end(1)
    awaited(lambda: first not in watched.engine.all and _tried(watched) == ["a.tar.gz x"])
    (second,) = watched.engine.all
    ill.add(second)
    awaited(lambda: second not in watched.engine.all)
    awaited(lambda: _tried(watched) == ["a.tar.gz x"])


def _tried(local: Local) -> list[str]:
    try:
        return [ask(local, "a.tar.gz")]
    except ClientError:
        return []


def test_an_old_deployment_and_a_scaled_in_instance_are_not_asked_any_more(watched: Local) -> None:
    model = Sick()
    watched.engine.program = serving(model)
    deploy(watched, variant(InitialInstanceCount=2))
    sagemaker = watched.client("sagemaker")
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="endpoint-1",
        DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 1}],
    )
    settled(watched)
    (left,) = watched.engine.all
    create_config(watched, "config-2")
    sagemaker.update_endpoint(EndpointName="endpoint-1", EndpointConfigName="config-2")
    settled(watched)
    awaited(lambda: left not in watched.engine.all)
    (new,) = watched.engine.all
    model.pings.clear()
    awaited(lambda: len(model.pings) > 5)
    assert set(model.pings) == {new}


def test_nobody_is_asked_where_checks_are_off(tmp_path: Path) -> None:
    model = Sick()
    engine = FakeEngine(serving(model), images=[IMAGE])
    with started(tmp_path / "home", engine=engine, health_check_s=0.0) as local:
        deploy(local)
        model.pings.clear()
        model.ill.update(engine.all)
        time.sleep(0.2)  # what must not come is given time
        assert model.pings == []
        assert "health checks" not in [each.name for each in threading.enumerate()]


def test_the_thread_of_the_checks_ends_with_the_endpoint(watched: Local) -> None:
    def checking() -> int:
        return [each.name for each in threading.enumerate()].count("health checks")

    before = checking()
    deploy(watched, variant(InitialInstanceCount=4))
    assert checking() == before + 1
    watched.client("sagemaker").delete_endpoint(EndpointName="endpoint-1")
    awaited(lambda: checking() == before)


def test_a_container_taken_up_from_a_killed_server_is_checked(tmp_path: Path) -> None:
    model = Sick()
    engine = FakeEngine(serving(model), images=[IMAGE])
    with started(tmp_path / "home", engine=engine, health_check_s=0.02) as local:
        deploy(local)
        spec = next(iter(engine.all.values())).spec
    kept = engine.create(spec)
    engine.start(kept)
    with started(tmp_path / "home", engine=engine, bucket=False, health_check_s=0.02) as local:
        awaited(lambda: answers(local) == kept)
        model.ill.add(kept)
        awaited(lambda: kept not in engine.all)
        awaited(lambda: answers(local).startswith("fake-"))


# What counts ----------------------------------------------------------------------------------


def condition(**changes: Any) -> Condition:
    return Condition(**{"most": 3, "patience_s": 100.0, **changes})


def test_failures_count_in_a_row() -> None:
    one = condition()
    found = [WRONG, WRONG, None, WRONG, WRONG, WRONG]
    given_up = [one.is_hopeless(each, is_busy=False, now=0) for each in found]
    assert given_up == [False, False, False, False, False, True]


def test_one_that_is_slow_and_has_nothing_to_do_counts() -> None:
    one = condition()
    assert [one.is_hopeless(SLOW, is_busy=False, now=n) for n in range(3)] == [False, False, True]


def test_one_that_is_slow_under_load_is_spared_for_as_long_as_a_request_may_take() -> None:
    one = condition()
    assert not any(one.is_hopeless(SLOW, is_busy=True, now=n) for n in range(0, 100, 5))
    assert one.is_hopeless(SLOW, is_busy=True, now=100)


def test_being_slow_under_load_is_forgiven_by_one_good_answer() -> None:
    one = condition()
    assert not one.is_hopeless(SLOW, is_busy=True, now=0)
    assert not one.is_hopeless(None, is_busy=True, now=99)
    assert not one.is_hopeless(SLOW, is_busy=True, now=150)


def test_one_that_answers_wrongly_under_load_counts() -> None:
    one = condition(most=1)
    assert one.is_hopeless(WRONG, is_busy=True, now=0)


def test_a_container_that_answers_nothing_while_it_predicts_is_spared(tmp_path: Path) -> None:
    """One process, one thread: as many of users' containers are."""
    turn, gate, asked = threading.Lock(), threading.Event(), threading.Event()

    def answer(call: Call) -> Reply:
        if call.path == "/ping" and turn.locked():
            asked.set()
        with turn:
            if call.body == b"long":
                gate.wait(60)
            return echo(call)

    engine = FakeEngine(serving(answer), images=[IMAGE])
    with started(
        tmp_path / "home", engine=engine, health_check_s=0.02, health_check_failures=1
    ) as local:
        deploy(local)
        (first,) = engine.all
        got: list[bytes] = []
        asking = threading.Thread(target=lambda: got.append(invoke(local, b"long")["Body"]))
        asking.start()
        assert asked.wait(60)
        time.sleep(3)  # a check is not answered within 2 s
        gate.set()
        asking.join()
        assert got == [b"long"]
        assert list(engine.all) == [first]


def test_what_a_container_does_is_told() -> None:
    found = problem_of(("127.0.0.1", 1), many=False)
    assert found is not None
    assert found.why.startswith("GET /ping failed (")
    assert not found.is_slow


def test_the_settings_of_the_checks() -> None:
    environ = {"SAGEDOCK_HEALTH_CHECK_S": "0", "SAGEDOCK_HEALTH_CHECK_FAILURES": "7"}
    settings = Settings.from_environment(environ)
    assert (settings.health_check_s, settings.health_check_failures) == (0, 7)
    plain = Settings.from_environment({})
    assert (plain.health_check_s, plain.health_check_failures) == (5, 3)
    with pytest.raises(InvalidRequest) as raised:
        Settings(home=Path("x"), health_check_s=-1, health_check_failures=0)
    assert raised.value.problems == (
        "health check: -1 is below 0: use more",
        "failed health checks: 0 is not above 0: use more",
    )
