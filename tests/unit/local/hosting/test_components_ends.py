"""Inference components where the disk is full, or the server ends in the middle of a change."""

import threading
import time
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from sagedock.testing import Call, FakeEngine, Reply, serving
from tests.conftest import IMAGE, Local
from tests.unit.local.hosting.components_local import (
    at_rest,
    component_until,
    deployed,
    host,
    resize,
)
from tests.unit.local.hosting.conftest import started
from tests.unit.local.hosting.hosting_local import awaited, echo
from tests.unit.local.hosting.test_hosting_starts import Refusing


def invoke(local: Local) -> None:
    """Call the component, whatever becomes of it."""
    try:
        local.client("sagemaker-runtime").invoke_endpoint(
            EndpointName="endpoint-1", InferenceComponentName="first", Body=b"x"
        )
    except (BotoCoreError, ClientError):  # the server has ended
        return


def test_a_folder_that_cannot_be_made_fails_the_component(tmp_path: Path) -> None:
    engine = Refusing(serving(echo), images=[IMAGE])
    with started(tmp_path / "home", engine=engine) as local:
        host(local)
        engine.errors.append(OSError("No space left on device"))
        found = deployed(local)
        assert found["InferenceComponentStatus"] == "Failed"
        assert found["FailureReason"].endswith("(No space left on device)")
        sagemaker = local.client("sagemaker")
        sagemaker.delete_inference_component(InferenceComponentName="first")
        awaited(lambda: not sagemaker.list_inference_components()["InferenceComponents"])


def test_a_folder_that_cannot_be_made_leaves_as_many_copies_as_before(tmp_path: Path) -> None:
    engine = Refusing(serving(echo), images=[IMAGE])
    with started(tmp_path / "home", engine=engine) as local:
        host(local)
        deployed(local)
        engine.errors.append(OSError("No space left on device"))
        resize(local, 2)
        found = at_rest(local)
        assert found["InferenceComponentStatus"] == "InService"
        assert found["RuntimeConfig"]["CurrentCopyCount"] == 1
        assert found["FailureReason"].endswith("(No space left on device)")


def test_a_server_that_ends_does_not_wait_for_what_a_copy_that_goes_has(tmp_path: Path) -> None:
    held, gate = threading.Semaphore(0), threading.Event()

    def answer(call: Call) -> Reply:
        if call.path != "/ping":
            held.release()
            gate.wait(60)
        return echo(call)

    engine = FakeEngine(serving(answer), images=[IMAGE])
    with started(tmp_path / "home", engine=engine) as local:
        host(local)
        deployed(local, copies=2)
        for _ in range(8):  # calls go by chance: both copies have some
            threading.Thread(target=invoke, args=(local,), daemon=True).start()
            assert held.acquire(timeout=60)
        resize(local, 1)
        component_until(local, lambda found: found["InferenceComponentStatus"] == "Updating")
        time.sleep(0.5)  # it begins to wait for what the other copy has
        ending = threading.Thread(target=local.server.stop, daemon=True)
        ending.start()
        ending.join(30)
        was_waiting = ending.is_alive()
        gate.set()
        ending.join(60)
    assert not was_waiting
