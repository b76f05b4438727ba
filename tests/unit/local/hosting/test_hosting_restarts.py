"""A server that ends, or is killed, and the next one: endpoints are found again."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from sagedock import LocalSageMaker
from sagedock.local.hosting.containers import FLEET_LABEL
from sagedock.local.platform import ENDPOINT_LABEL
from sagedock.testing import FakeEngine, Reply, serving
from tests.conftest import BUCKET, IMAGE, REGION, Local
from tests.unit.local.hosting.hosting_local import (
    MODEL_URI,
    awaited,
    create_config,
    create_endpoint,
    create_model,
    echo,
    invoke,
    put_model,
    settled,
    until,
    variant,
)


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


def with_endpoint(home: Path, engine: FakeEngine, **changes: Any) -> Local:
    local = started(home, engine)
    local.client("s3").create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    put_model(local)
    create_model(local, ModelDataUrl=MODEL_URI)
    create_config(local, "config-1", variant(InitialInstanceCount=2, **changes))
    create_endpoint(local)
    settled(local)
    return local


def test_a_server_that_ends_leaves_no_container_and_the_next_one_serves_again(
    tmp_path: Path,
) -> None:
    engine = FakeEngine(serving(echo), images=[IMAGE])
    local = with_endpoint(tmp_path / "home", engine)
    local.server.stop()
    assert engine.all == {}
    assert engine.all_networks == {}
    assert list((tmp_path / "home" / "endpoints").rglob("*.bin")) == []
    again = started(tmp_path / "home", engine)
    try:
        awaited(lambda: answers(again))  # until then Describe may answer what was before
        assert settled(again)["EndpointStatus"] == "InService"
        assert len(engine.all) == 2
    finally:
        again.server.stop()


def test_containers_that_still_run_are_taken_up(tmp_path: Path) -> None:
    engine = FakeEngine(serving(echo), images=[IMAGE])
    local = with_endpoint(tmp_path / "home", engine)
    specs = [each.spec for each in engine.all.values()]
    local.server.stop()
    # As a server that was killed leaves them, with one of a deployment and one of an endpoint that
    # are no more.
    left = {engine.create(each) for each in specs}
    old = replace(specs[0], labels={**specs[0].labels, FLEET_LABEL: "old"})
    other = replace(specs[0], labels={**specs[0].labels, ENDPOINT_LABEL: "other"})
    for container in (*left, engine.create(old), engine.create(other)):
        engine.start(container)
    again = started(tmp_path / "home", engine)
    try:
        awaited(lambda: answers(again))
        assert settled(again)["EndpointStatus"] == "InService"
        awaited(lambda: set(engine.all) == left)
        (first, _) = list(engine.all)
        engine.kill(first)
        awaited(lambda: first not in engine.all and len(engine.all) == 2)
        assert invoke(again)["Body"] == b"hello"
    finally:
        again.server.stop()
    assert engine.all == {}


def test_a_container_that_is_gone_is_started_anew(tmp_path: Path) -> None:
    engine = FakeEngine(serving(echo), images=[IMAGE])
    local = with_endpoint(tmp_path / "home", engine)
    specs = [each.spec for each in engine.all.values()]
    local.server.stop()
    kept = engine.create(specs[0])
    engine.start(kept)
    again = started(tmp_path / "home", engine)
    try:
        awaited(lambda: len(engine.all) == 2 and answers(again))
        assert settled(again)["EndpointStatus"] == "InService"
        assert kept in engine.all
        assert len(engine.all) == 2
    finally:
        again.server.stop()


def test_a_change_that_was_cut_off_is_carried_out(tmp_path: Path) -> None:
    engine = FakeEngine(serving(echo), images=[IMAGE])
    local = with_endpoint(tmp_path / "home", engine)
    create_model(local, "model-2", Environment={"MODE": "new"})
    create_config(local, "config-2", variant(ModelName="model-2"))
    engine.program = serving(lambda _: Reply(status=503))  # the new one never serves
    local.client("sagemaker").update_endpoint(
        EndpointName="endpoint-1", EndpointConfigName="config-2"
    )
    awaited(lambda: len(engine.all) == 3)
    local.server.stop()
    engine.program = serving(echo)
    again = started(tmp_path / "home", engine)
    try:
        found = until(again, lambda found: found["EndpointConfigName"] == "config-2")
        assert found["EndpointStatus"] == "InService"
        awaited(lambda: len(engine.all) == 1)
        assert invoke(again)["Body"] == b"hello"
    finally:
        again.server.stop()


def test_an_update_step_by_step_that_was_cut_off_begins_again(tmp_path: Path) -> None:
    engine = FakeEngine(serving(echo), images=[IMAGE])
    local = with_endpoint(tmp_path / "home", engine)
    create_model(local, "model-2")
    create_config(local, "config-2", variant(ModelName="model-2", InitialInstanceCount=2))
    size = {"Type": "INSTANCE_COUNT", "Value": 1}
    rolling = {"MaximumBatchSize": size, "WaitIntervalInSeconds": 3600}
    local.client("sagemaker").update_endpoint(
        EndpointName="endpoint-1",
        EndpointConfigName="config-2",
        DeploymentConfig={"RollingUpdatePolicy": rolling},
    )
    awaited(lambda: len(engine.all) == 3)
    local.server.stop()
    assert engine.all == {}
    again = started(tmp_path / "home", engine, time_scale=7200.0)
    try:
        found = until(again, lambda found: found["EndpointConfigName"] == "config-2")
        assert found["EndpointStatus"] == "InService"
        awaited(lambda: len(engine.all) == 2)
        assert invoke(again)["Body"] == b"hello"
    finally:
        again.server.stop()


def test_a_deletion_that_was_cut_off_is_carried_out(tmp_path: Path) -> None:
    engine = FakeEngine(serving(echo), images=[IMAGE])
    local = with_endpoint(tmp_path / "home", engine)
    local.server.stop()
    change_status(tmp_path / "home", "Deleting")
    again = started(tmp_path / "home", engine)
    try:
        awaited(lambda: not again.client("sagemaker").list_endpoints()["Endpoints"])
        assert engine.all == {}  # an endpoint is listed until nothing of it is left
    finally:
        again.server.stop()


def change_status(home: Path, status: str) -> None:
    """Write another status into the store, as a server does before it carries a change out."""
    with closing(sqlite3.connect(home / "state.sqlite")) as connection:
        (text,) = connection.execute(
            "SELECT document FROM resources WHERE kind = 'endpoint'"
        ).fetchone()
        document = {**json.loads(text), "EndpointStatus": status}
        connection.execute(
            "UPDATE resources SET document = ?, status = ? WHERE kind = 'endpoint'",
            (json.dumps(document), status),
        )
        connection.commit()


def answers(local: Local) -> bool:
    try:
        return bool(invoke(local)["Body"] == b"hello")
    except ClientError:
        return False
