"""A server that ends, or is killed, and the next one: endpoints are found again."""

from pathlib import Path
from typing import Any

from sagedock import LocalSageMaker
from sagedock.testing import FakeEngine, serving
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
    variant,
)


def started(home: Path, engine: FakeEngine) -> Local:
    server = LocalSageMaker(
        home=home,
        engine=engine,
        check_answers=True,
        shutdown_grace_s=0.2,
        endpoint_startup_s=2.0,
        endpoint_stop_grace_s=0.5,
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
        assert settled(again)["EndpointStatus"] == "InService"
        assert len(engine.all) == 2
        assert invoke(again)["Body"] == b"hello"
    finally:
        again.server.stop()


class Killed(FakeEngine):
    """An engine that does nothing more for a server that was killed."""

    dead = False

    def stop(self, container: str, grace_s: float) -> None:
        if not self.dead:
            super().stop(container, grace_s)

    def remove(self, container: str) -> None:
        if not self.dead:
            super().remove(container)


def test_a_killed_servers_containers_are_taken_up(tmp_path: Path) -> None:
    engine = Killed(serving(echo), images=[IMAGE])
    local = with_endpoint(tmp_path / "home", engine)
    before = set(engine.all)
    (first, _) = list(engine.all.values())
    engine.dead = True
    local.server._stack.pop_all()  # nothing of it is carried out
    local.server._running = None
    release(local)
    engine.dead = False
    again = started(tmp_path / "home", engine)
    try:
        assert settled(again)["EndpointStatus"] == "InService"
        awaited(lambda: _answers(again))
        assert set(engine.all) == before
        engine.kill(first.id)
        awaited(lambda: first.id not in engine.all and len(engine.all) == 2)
        assert invoke(again)["Body"] == b"hello"
    finally:
        again.server.stop()
    assert engine.all == {}


def release(local: Local) -> None:
    """Give the home's lock up, as the end of a process does."""
    import gc

    from sagedock.local.home import Home

    for each in gc.get_objects():
        if isinstance(each, Home) and each.path == local.server.settings.home:
            each.release()


def _answers(local: Local) -> bool:
    from botocore.exceptions import ClientError

    try:
        return bool(invoke(local)["Body"] == b"hello")
    except ClientError:
        return False
