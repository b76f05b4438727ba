"""Containers that end before they serve: started again, and told of."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from sagedock.engine import Exit
from sagedock.errors import StorageError
from sagedock.local.hosting import reasons
from sagedock.local.hosting.last_lines import LastLines
from sagedock.testing import Call, Container, FakeEngine, Reply, serving
from tests.conftest import IMAGE, Local
from tests.unit.local.hosting.conftest import started
from tests.unit.local.hosting.hosting_local import (
    answers,
    awaited,
    create_config,
    create_endpoint,
    create_model,
    deploy,
    echo,
    invoke,
    said,
    settled,
    variant,
)

NO_PING = (
    "The primary container for production variant AllTraffic did not pass the ping health check. "
    "Please check CloudWatch logs for this endpoint."
)


def fails(container: Container) -> int:
    container.print("loading the model")
    container.print("ValueError: no such layer", "stderr")
    return 3


def created(local: Local) -> Any:
    create_model(local)
    create_config(local)
    create_endpoint(local)
    return settled(local)


def test_one_that_ends_three_times_fails_the_endpoint_and_says_why(local: Local) -> None:
    local.engine.program = fails
    found = created(local)
    assert found["EndpointStatus"] == "Failed"
    assert found["FailureReason"] == (
        f"{NO_PING} (The container ended with code 3, 3 times. It said last:\n"
        "loading the model\nValueError: no such layer)"
    )
    own = ["loading the model", "ValueError: no such layer"]
    line = "sagedock: the container ended with code 3 before it served: start"
    assert said(local) == [*own, f"{line} 1", *own, f"{line} 2", *own, f"{line} 3"]
    assert local.engine.all == {}


def test_one_that_serves_at_the_second_start_is_in_service(local: Local) -> None:
    left = [fails]

    def program(container: Container) -> int:
        return left.pop()(container) if left else serving(echo)(container)

    local.engine.program = program
    assert created(local)["EndpointStatus"] == "InService"
    assert len(local.engine.all) == 1
    assert invoke(local)["Body"] == b"hello"


def test_what_it_was_killed_for_is_told(local: Local) -> None:
    def program(container: Container) -> int:
        container.out_of_memory = True
        return 137

    local.engine.program = program
    reason = created(local)["FailureReason"]
    assert reason == (
        f"{NO_PING} (The container ended with code 137: it was out of memory, 3 times.)"
    )


def test_one_that_only_answers_ping_badly_says_what_it_said_last(tmp_path: Path) -> None:
    def program(container: Container) -> int:
        container.print("the model is not loaded")
        return serving(lambda _: Reply(status=503))(container)

    engine = FakeEngine(program, images=[IMAGE])
    with started(tmp_path / "home", engine=engine, endpoint_startup_s=1.0) as local:
        reason = created(local)["FailureReason"]
    assert reason == (
        f"{NO_PING} (GET /ping was answered with 503. It said last:\nthe model is not loaded)"
    )


def test_why_it_cannot_be_started_is_told(local: Local) -> None:
    local.engine.program = None
    reason = created(local)["FailureReason"]
    assert reason.endswith(f"'docker run {IMAGE} serve' (exec: no such program.)")


def test_a_reason_has_room_for_the_last_of_many_lines() -> None:
    lines = [f"{number} {'x' * 200}" for number in range(10)]
    reason = reasons.explained(NO_PING, "why", lines)
    told = "\n".join(lines[6:])  # as many as fit in 1,024 characters, each from its beginning
    assert reason == f"{NO_PING} (why. It said last:\n{told})"
    assert len(reason) <= 1024 < len(reason) + len(lines[5])


def test_a_reason_has_the_beginning_of_a_line_that_is_too_long() -> None:
    reason = reasons.explained(NO_PING, "why", ["before", "ValueError: " + "x" * 2000])
    assert len(reason) == 1024
    assert reason.startswith(f"{NO_PING} (why. It said last:\nValueError: xxx")


def test_pings_of_the_access_log_are_not_what_it_said_last(tmp_path: Path) -> None:
    access = '{"time": "2026-01-01T00:00:00.000Z", "method": "GET", "path": "/ping", "status": 503}'
    other = access.replace("/ping", "/invocations")

    def program(container: Container) -> int:
        container.print("ValueError: no such layer", "stderr")
        container.print(other)
        for _ in range(200):
            container.print(access)
        return serving(lambda _: Reply(status=503))(container)

    engine = FakeEngine(program, images=[IMAGE])
    with started(tmp_path / "home", engine=engine, endpoint_startup_s=1.0) as local:
        reason = created(local)["FailureReason"]
    assert reason == (
        f"{NO_PING} (GET /ping was answered with 503. It said last:\n"
        f"ValueError: no such layer\n{other})"
    )


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        ([b"a\r\nb", b"c\n", b"\n  \n", b"d"], ("a", "bc", "d")),
        ([b'{"path": "/pi', b'ng", "status": 503}\nlast'], ("last",)),
        (
            [b'{"path": "/ping" broken\n', b'"/ping" failed\n'],
            ('{"path": "/ping" broken', '"/ping" failed'),
        ),
        ([f"{number}\n".encode() for number in range(12)], tuple(map(str, range(2, 12)))),
        ([b"x" * 3000, b"y" * 3000], ("x" * 3000 + "y" * 1096,)),
    ],
)
def test_the_last_lines_are_whole_and_few(pieces: list[bytes], lines: tuple[str, ...]) -> None:
    said = LastLines()
    for piece in pieces:
        said.add(piece)
    assert said.lines == lines


def test_a_start_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    engine = FakeEngine(fails, images=[IMAGE])
    with started(tmp_path / "home", engine=engine) as local:
        create_model(local)
        create_config(local)
        create_endpoint(local)
        awaited(lambda: bool(engine.all))
    assert engine.all == {}


# What must not go wrong --------------------------------------------------------------------------


class SlowToTell(FakeEngine):
    """An engine that tells the end of some containers late."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.late: dict[str, threading.Event] = {}
        self.told: set[str] = set()

    def wait(self, container: str) -> Exit:
        exit_ = super().wait(container)
        if container in self.late:
            self.late[container].wait(60)
            self.told.add(container)
        return exit_


def test_the_late_news_of_an_end_is_not_taken_for_the_end_of_its_successor(tmp_path: Path) -> None:
    starts: list[str] = []

    def program(container: Container) -> int:
        """Serve at first, never answer /ping well as the second, and serve again."""
        starts.append(container.id)
        second = len(starts) == 2
        if second:
            engine.late[container.id] = threading.Event()
        return serving((lambda _: Reply(status=503)) if second else echo)(container)

    engine = SlowToTell(program, images=[IMAGE])
    with started(tmp_path / "home", engine=engine, endpoint_startup_s=1.5) as local:
        deploy(local)
        engine.kill(starts[0])
        awaited(lambda: len(starts) == 3 and answers(local) == "hello")
        engine.late[starts[1]].set()
        awaited(lambda: starts[1] in engine.told)
        assert answers(local) == "hello"
        assert list(engine.all) == [starts[2]]
        assert len(starts) == 3


class Refusing(FakeEngine):
    """An engine that fails as often as ``errors`` says."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.errors: list[Exception] = []

    def create(self, spec: Any) -> str:
        if self.errors:
            raise self.errors.pop()
        return super().create(spec)


@pytest.mark.parametrize("error", [StorageError("the disk is full"), OSError("the disk is full")])
def test_a_disk_that_is_full_for_a_moment_does_not_keep_it_from_being_replaced(
    tmp_path: Path, error: Exception
) -> None:
    engine = Refusing(serving(echo), images=[IMAGE])
    with started(tmp_path / "home", engine=engine) as local:
        deploy(local)
        (first,) = engine.all
        engine.errors.append(error)
        engine.kill(first)
        awaited(lambda: first not in engine.all and answers(local) == "hello")
        assert engine.errors == []


def test_a_folder_that_cannot_be_made_fails_the_endpoint(tmp_path: Path) -> None:
    engine = Refusing(serving(echo), images=[IMAGE])
    with started(tmp_path / "home", engine=engine) as local:
        engine.errors.append(OSError("No space left on device"))
        found = created(local)
        assert found["EndpointStatus"] == "Failed"
        assert found["FailureReason"].endswith("(No space left on device)")
        local.client("sagemaker").delete_endpoint(EndpointName="endpoint-1")
        awaited(lambda: not local.client("sagemaker").list_endpoints()["Endpoints"])


def test_a_server_that_ends_does_not_wait_for_what_a_scaled_in_instance_has(
    tmp_path: Path,
) -> None:
    held, gate = threading.Semaphore(0), threading.Event()

    def answer(call: Call) -> Reply:
        if call.path != "/ping":
            held.release()
            gate.wait(60)
        return echo(call)

    engine = FakeEngine(serving(answer), images=[IMAGE])
    with started(tmp_path / "home", engine=engine) as local:
        evenly = {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"}
        deploy(local, variant(InitialInstanceCount=2, RoutingConfig=evenly))
        for _ in range(2):
            threading.Thread(target=answers, args=(local,), daemon=True).start()
            assert held.acquire(timeout=60)
        local.client("sagemaker").update_endpoint_weights_and_capacities(
            EndpointName="endpoint-1",
            DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 1}],
        )
        time.sleep(0.5)  # it begins to wait for what the other instance has
        ending = threading.Thread(target=local.server.stop, daemon=True)
        ending.start()
        ending.join(30)
        was_waiting = ending.is_alive()
        gate.set()
        ending.join(60)
    assert not was_waiting
