"""A server that ends, or is killed, and the next one: components are found again."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from sagedock.local.hosting.components.site import COMPONENT_LABEL
from sagedock.local.hosting.containers import FLEET_LABEL
from sagedock.testing import FakeEngine, Reply, serving
from tests.conftest import BUCKET, IMAGE, REGION, Local
from tests.unit.local.hosting.components_local import (
    at_rest,
    component_until,
    deployed,
    host,
    resize,
)
from tests.unit.local.hosting.hosting_local import (
    MODEL_URI,
    awaited,
    create_model,
    echo,
    invoke,
    put_model,
)
from tests.unit.local.hosting.test_hosting_restarts import started


def engine_that_serves() -> FakeEngine:
    return FakeEngine(serving(echo), images=[IMAGE])


def with_component(home: Path, engine: FakeEngine, copies: int = 2) -> Local:
    local = started(home, engine)
    local.client("s3").create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    put_model(local)
    host(local)
    create_model(local, "with-data", ModelDataUrl=MODEL_URI)
    found = deployed(local, copies=copies, ModelName="with-data")
    assert found["InferenceComponentStatus"] == "InService", found
    return local


def rewrite(home: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Change the document in the store, as a server does before it carries a change out."""
    kind = "kind = 'inference-component'"
    with closing(sqlite3.connect(home / "state.sqlite")) as connection:
        (text,) = connection.execute(f"SELECT document FROM resources WHERE {kind}").fetchone()
        document = change(json.loads(text))
        connection.execute(
            f"UPDATE resources SET document = ?, status = ? WHERE {kind}",
            (json.dumps(document), document["InferenceComponentStatus"]),
        )
        connection.commit()


def asked(local: Local) -> bytes:
    body: bytes = invoke(local, InferenceComponentName="first")["Body"]
    return body


def answers(local: Local) -> bool:
    try:
        return asked(local) == b"hello"
    except ClientError as error:
        assert "no capacity" in str(error)
        return False


def test_a_server_that_ends_leaves_nothing_and_the_next_one_serves_again(tmp_path: Path) -> None:
    engine, home = engine_that_serves(), tmp_path / "home"
    local = with_component(home, engine)
    local.server.stop()
    assert engine.all == {}
    assert engine.all_networks == {}
    assert list((home / "components").rglob("*.bin")) == []
    again = started(home, engine)
    try:
        awaited(lambda: answers(again))  # until then Describe may answer what was before
        found = at_rest(again)
        assert found["InferenceComponentStatus"] == "InService"
        assert found["RuntimeConfig"] == {"DesiredCopyCount": 2, "CurrentCopyCount": 2}
        assert len(engine.all) == 2
    finally:
        again.server.stop()


def test_copies_that_still_run_are_taken_up(tmp_path: Path) -> None:
    engine, home = engine_that_serves(), tmp_path / "home"
    local = with_component(home, engine)
    specs = [each.spec for each in engine.all.values()]
    local.server.stop()
    # As a server that was killed leaves them, with one of a deployment and one of a component that
    # are no more.
    left = {engine.create(each) for each in specs}
    old = replace(specs[0], labels={**specs[0].labels, FLEET_LABEL: "old"})
    other = replace(specs[0], labels={**specs[0].labels, COMPONENT_LABEL: "other"})
    for container in (*left, engine.create(old), engine.create(other)):
        engine.start(container)
    again = started(home, engine)
    try:
        assert at_rest(again)["InferenceComponentStatus"] == "InService"
        awaited(lambda: set(engine.all) == left)
        awaited(lambda: answers(again))  # once a copy that was found has answered its ping
        (first, _) = list(engine.all)
        engine.kill(first)
        awaited(lambda: first not in engine.all and len(engine.all) == 2)
        resize(again, 1)
        assert at_rest(again)["RuntimeConfig"]["CurrentCopyCount"] == 1
        awaited(lambda: len(engine.all) == 1)
    finally:
        again.server.stop()
    assert engine.all == {}


def test_a_copy_that_is_gone_is_started_anew(tmp_path: Path) -> None:
    engine, home = engine_that_serves(), tmp_path / "home"
    local = with_component(home, engine)
    specs = [each.spec for each in engine.all.values()]
    local.server.stop()
    kept = engine.create(specs[0])
    engine.start(kept)
    again = started(home, engine)
    try:
        awaited(lambda: len(engine.all) == 2 and answers(again))
        assert at_rest(again)["InferenceComponentStatus"] == "InService"
        assert kept in engine.all
        assert len(engine.all) == 2
    finally:
        again.server.stop()


def test_a_change_that_was_cut_off_is_carried_out(tmp_path: Path) -> None:
    engine, home = engine_that_serves(), tmp_path / "home"
    local = with_component(home, engine)
    engine.program = serving(lambda _: Reply(status=503))  # a third one never serves
    resize(local, 3)
    awaited(lambda: len(engine.all) == 3)
    local.server.stop()
    engine.program = serving(echo)
    again = started(home, engine)
    try:
        found = component_until(again, lambda now: now["RuntimeConfig"]["CurrentCopyCount"] == 3)
        assert found["InferenceComponentStatus"] == "InService"
        assert len(engine.all) == 3
        assert asked(again) == b"hello"
    finally:
        again.server.stop()


def test_a_creation_that_was_cut_off_is_carried_out(tmp_path: Path) -> None:
    engine, home = engine_that_serves(), tmp_path / "home"
    local = with_component(home, engine, copies=1)
    local.server.stop()
    rewrite(home, lambda document: {**document, "InferenceComponentStatus": "Creating"})
    again = started(home, engine)
    try:
        assert at_rest(again)["InferenceComponentStatus"] == "InService"
        assert asked(again) == b"hello"
    finally:
        again.server.stop()


def test_a_deletion_that_was_cut_off_is_carried_out(tmp_path: Path) -> None:
    engine, home = engine_that_serves(), tmp_path / "home"
    local = with_component(home, engine, copies=1)
    local.server.stop()
    rewrite(home, lambda document: {**document, "InferenceComponentStatus": "Deleting"})
    again = started(home, engine)
    try:
        sagemaker = again.client("sagemaker")
        awaited(lambda: not sagemaker.list_inference_components()["InferenceComponents"])
        assert engine.all == {}
    finally:
        again.server.stop()
