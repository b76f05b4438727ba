"""Asynchronous requests outlive the server, the container and the endpoint's other instances."""

import json
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

from sagedock import LocalSageMaker
from sagedock.testing import Call, FakeEngine, Reply, serving
from tests.conftest import BUCKET, IMAGE, REGION, Local
from tests.unit.local.hosting.async_local import (
    awaited_object,
    deploy_async,
    invoke_async,
    objects_below,
    read,
)
from tests.unit.local.hosting.hosting_local import awaited, echo, settled


def started(home: Path, engine: FakeEngine, **settings: Any) -> Local:
    server = LocalSageMaker(
        home=home,
        engine=engine,
        check_answers=True,
        shutdown_grace_s=0.2,
        endpoint_stop_grace_s=0.5,
        **settings,
    ).start()
    return Local(server=server, engine=engine)


def deployed(home: Path, engine: FakeEngine, **changes: Any) -> Local:
    local = started(home, engine)
    local.client("s3").create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    deploy_async(local, **changes)
    return local


class Held:
    """A model that answers once ``gate`` is set; ``calls`` are what it was sent."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.calls: list[bytes] = []

    def __call__(self, call: Call) -> Reply:
        if call.path == "/ping":
            return Reply()
        self.calls.append(call.body)
        while not self.gate.wait(0.01):
            if call.container.ended.is_set() or call.container.terminated.is_set():
                return Reply(pieces=lambda: [None])
        return echo(call)


def change(home: Path, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(home / "state.sqlite")) as connection, connection:
        connection.execute(statement, values)


def count(home: Path) -> int:
    with closing(sqlite3.connect(home / "state.sqlite")) as connection:
        found: int = connection.execute("SELECT count(*) FROM async_requests").fetchone()[0]
        return found


def test_what_waits_and_what_is_in_work_is_done_by_the_next_server(tmp_path: Path) -> None:
    home, model = tmp_path / "home", Held()
    engine = FakeEngine(serving(model), images=[IMAGE])
    local = deployed(home, engine, at_once=1)
    answers = [invoke_async(local, Body=b"%d" % number) for number in range(3)]
    awaited(lambda: model.calls == [b"0"])
    local.server.stop()
    assert count(home) == 3
    model.gate.set()
    again = started(home, engine)
    try:
        for number, answer in enumerate(answers):
            assert awaited_object(again, answer["OutputLocation"])["Body"] == b"%d" % number
        assert len(objects_below(again, "results/")) == 3
        assert objects_below(again, "failures/") == []
        awaited(lambda: count(home) == 0)
        assert model.calls == [b"0", b"0", b"1", b"2"]
    finally:
        again.server.stop()


def test_what_a_killed_server_had_in_work_is_done_again(tmp_path: Path) -> None:
    home, model = tmp_path / "home", Held()
    engine = FakeEngine(serving(model), images=[IMAGE])
    local = deployed(home, engine, at_once=1)
    answer = invoke_async(local, Body=b"1")
    awaited(lambda: model.calls == [b"1"])
    local.server.stop()
    # A server that was killed gave nothing back.
    change(home, "UPDATE async_requests SET state = 'running'")
    model.gate.set()
    again = started(home, engine)
    try:
        assert awaited_object(again, answer["OutputLocation"])["Body"] == b"1"
    finally:
        again.server.stop()


def test_who_was_not_told_by_a_killed_server_is_told_by_the_next(tmp_path: Path) -> None:
    home, told = tmp_path / "home", tmp_path / "told"
    engine = FakeEngine(serving(Held()), images=[IMAGE])
    local = deployed(home, engine, at_once=1)
    invoke_async(local, Body=b"1")
    local.server.stop()
    notice = {"topic": f"arn:aws:sns:{REGION}:123456789012:sagemaker-t", "message": {"a": 1}}
    change(
        home,
        "UPDATE async_requests SET state = 'ended', outcome = ?",
        json.dumps({"variant": "AllTraffic", "notice": notice}),
    )
    again = started(home, engine, notification_hook=("tee", "-a", str(told)))
    try:
        awaited(lambda: count(home) == 0)
        assert json.loads(told.read_text()) == {"a": 1}
        assert objects_below(again, "results/") == []
    finally:
        again.server.stop()


def test_a_container_that_is_taken_away_gives_its_requests_back(local: Local) -> None:
    model = Held()
    local.engine.program = serving(model)
    deploy_async(local, at_once=1, InitialInstanceCount=2)
    answers = [invoke_async(local, Body=b"%d" % number) for number in range(2)]
    awaited(lambda: sorted(model.calls) == [b"0", b"1"])
    scale(local, 1)
    model.gate.set()
    for answer in answers:
        awaited_object(local, answer["OutputLocation"])
    assert settled(local)["ProductionVariants"][0]["CurrentInstanceCount"] == 1


def scale(local: Local, count: int) -> None:
    local.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName="endpoint-1",
        DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": count}],
    )


def test_requests_wait_while_there_is_no_instance(local: Local) -> None:
    deploy_async(local)
    scale(local, 0)
    assert until_count(local, 0)["EndpointStatus"] == "InService"
    assert local.engine.all == {}
    answer = invoke_async(local, Body=b"1")
    awaited(lambda: local.engine.all == {})
    assert read(local, answer["OutputLocation"]) is None
    scale(local, 1)
    assert awaited_object(local, answer["OutputLocation"])["Body"] == b"1"


def until_count(local: Local, count: int) -> Any:
    awaited(lambda: settled(local)["ProductionVariants"][0]["CurrentInstanceCount"] == count)
    return settled(local)


def test_a_container_that_dies_fails_its_request_and_no_other(local: Local) -> None:
    model = Held()
    local.engine.program = serving(model)
    deploy_async(local, at_once=1)
    first, second = (invoke_async(local, Body=body) for body in (b"1", b"2"))
    awaited(lambda: model.calls == [b"1"])
    (container,) = local.engine.all
    local.engine.kill(container)
    said = awaited_object(local, first["FailureLocation"])["Body"].decode()
    assert "could not load the entire response body" in said
    model.gate.set()
    assert awaited_object(local, second["OutputLocation"])["Body"] == b"2"


def test_a_deleted_endpoint_takes_its_backlog_along(local: Local, tmp_path: Path) -> None:
    model = Held()
    local.engine.program = serving(model)
    deploy_async(local, at_once=1)
    answers = [invoke_async(local, Body=b"%d" % number) for number in range(2)]
    awaited(lambda: model.calls == [b"0"])
    local.client("sagemaker").delete_endpoint(EndpointName="endpoint-1")
    awaited(lambda: count(tmp_path / "home") == 0 and local.engine.all == {})
    for answer in answers:
        assert read(local, answer["OutputLocation"]) is None
        assert read(local, answer["FailureLocation"]) is None


def test_an_update_keeps_the_backlog(local: Local) -> None:
    model = Held()
    local.engine.program = serving(model)
    deploy_async(local, at_once=1)
    answers = [invoke_async(local, Body=b"%d" % number) for number in range(3)]
    awaited(lambda: model.calls == [b"0"])
    local.client("sagemaker").update_endpoint(
        EndpointName="endpoint-1", EndpointConfigName="endpoint-1-config"
    )
    awaited(lambda: model.calls == [b"0", b"1"])  # the new container's first one
    model.gate.set()
    for number, answer in enumerate(answers):
        assert awaited_object(local, answer["OutputLocation"])["Body"] == b"%d" % number
    assert settled(local)["EndpointStatus"] == "InService"
