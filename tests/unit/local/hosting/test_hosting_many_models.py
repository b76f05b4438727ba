"""Multi-model endpoints: models are loaded when they are asked for, and unloaded for others."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock.engine import Usage
from sagedock.local.hosting.health import unload_all
from sagedock.testing import Call, Reply, serving
from tests.conftest import BUCKET, IMAGE, Local
from tests.unit.local.hosting.conftest import started
from tests.unit.local.hosting.hosting_local import awaited, deploy, invoke
from tests.unit.local.hosting.many_models import (
    PREFIX,
    ManyModels,
    ask,
    create_many,
    folders,
    put,
    served,
)
from tests.unit.local.hosting.test_hosting_metrics import statistics


def refused(local: Local, target: str | None, body: str = "x") -> dict[str, Any]:
    """Return the error of an invocation, with what its body has beside the message."""
    wanted = {} if target is None else {"TargetModel": target}
    with pytest.raises(ClientError) as raised:
        invoke(local, body.encode(), **wanted)
    found: dict[str, Any] = raised.value.response
    return found | found["Error"] | {"status": found["ResponseMetadata"]["HTTPStatusCode"]}


def test_a_model_is_loaded_when_it_is_first_asked_for_and_stays(local: Local) -> None:
    models = ManyModels()
    assert served(local, models, "a.tar.gz", "deep/b.tar.gz")["EndpointStatus"] == "InService"
    assert models.did("load") == []
    assert ask(local, "a.tar.gz", "1") == "a.tar.gz 1"
    assert ask(local, "deep/b.tar.gz", "2") == "deep/b.tar.gz 2"
    assert ask(local, "a.tar.gz", "3") == "a.tar.gz 3"
    assert models.did("load") == ["a.tar.gz", "deep/b.tar.gz"]
    assert models.did("unload") == []
    (container,) = local.engine.all.values()
    assert container.spec.environment["SAGEMAKER_MULTI_MODEL"] == "true"
    assert all(bind.read_only for bind in container.spec.binds)


def test_a_model_that_comes_to_s3_later_is_found(local: Local) -> None:
    served(local, ManyModels())
    put(local, "new.tar.gz")
    assert ask(local, "new.tar.gz") == "new.tar.gz x"


def test_one_that_is_loaded_is_not_loaded_anew_when_it_changes_in_s3(local: Local) -> None:
    models = ManyModels(room=1)
    served(local, models, "a.tar.gz", "b.tar.gz")
    assert ask(local, "a.tar.gz") == "a.tar.gz x"
    put(local, "a.tar.gz", says="another")
    assert ask(local, "a.tar.gz") == "a.tar.gz x"
    ask(local, "b.tar.gz")
    assert ask(local, "a.tar.gz") == "another x"


def test_many_callers_at_once_have_it_loaded_once(local: Local) -> None:
    gate = threading.Event()
    models = ManyModels(before_load=lambda _: None if gate.wait(60) else Reply(status=500))
    served(local, models, "a.tar.gz")
    local.client("sagemaker-runtime")  # one client for all threads
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(ask, local, "a.tar.gz", str(n)) for n in range(8)]
        awaited(lambda: models.did("load") == ["a.tar.gz"])
        gate.set()
        assert [each.result() for each in answers] == [f"a.tar.gz {n}" for n in range(8)]
    assert models.did("load") == ["a.tar.gz"]


def test_the_one_not_used_for_longest_makes_room(local: Local) -> None:
    models = ManyModels(room=2)
    served(local, models, "a.tar.gz", "b.tar.gz", "c.tar.gz")
    for target in ("a.tar.gz", "b.tar.gz", "a.tar.gz", "c.tar.gz"):
        assert ask(local, target) == f"{target} x"
    assert models.did("unload") == ["b.tar.gz"]
    assert len(folders(local)) == 2
    assert ask(local, "b.tar.gz") == "b.tar.gz x"
    assert models.did("unload") == ["b.tar.gz", "a.tar.gz"]


def test_one_in_use_is_awaited_before_it_makes_room(local: Local) -> None:
    gate = threading.Event()

    def hold(call: Call, _: str) -> None:
        if call.body == b"hold":
            gate.wait(60)

    models = ManyModels(room=1, on_invoke=hold)
    served(local, models, "a.tar.gz", "b.tar.gz")
    with ThreadPoolExecutor(2) as pool:
        held = pool.submit(ask, local, "a.tar.gz", "hold")
        awaited(lambda: models.did("load") == ["a.tar.gz"])
        other = pool.submit(ask, local, "b.tar.gz")
        awaited(lambda: "b.tar.gz" in models.did("load"))
        assert models.did("unload") == []
        gate.set()
        assert (held.result(), other.result()) == ("a.tar.gz hold", "b.tar.gz x")


def test_a_model_that_has_no_room_at_all_is_the_containers_507(local: Local) -> None:
    served(local, ManyModels(room=0), "a.tar.gz")
    error = refused(local, "a.tar.gz")
    assert (error["Code"], error["status"], error["OriginalStatusCode"]) == ("ModelError", 424, 507)
    assert folders(local) == []


def test_two_that_do_not_fit_together_are_both_served(local: Local) -> None:
    models = ManyModels(room=1)
    served(local, models, "a.tar.gz", "b.tar.gz")
    with ThreadPoolExecutor(8) as pool:
        targets = ["a.tar.gz", "b.tar.gz"] * 8
        answers = list(pool.map(lambda target: ask(local, target), targets))
    assert answers == [f"{target} x" for target in targets]


def test_memory_under_pressure_makes_room_before_another_comes(local: Local) -> None:
    models = ManyModels()
    served(local, models, "a.tar.gz", "b.tar.gz")
    ask(local, "a.tar.gz")
    (container,) = local.engine.all.values()
    container.usage = Usage(
        at_s=1, started_at_s=0, cpu_s=0, cpus=1, memory_bytes=95, memory_limit_bytes=100
    )
    ask(local, "b.tar.gz")
    assert models.did("unload") == ["a.tar.gz"]


def test_without_a_cache_a_model_goes_when_it_has_answered(local: Local) -> None:
    models = ManyModels()
    served(local, models, "a.tar.gz", MultiModelConfig={"ModelCacheSetting": "Disabled"})
    assert ask(local, "a.tar.gz", "1") == "a.tar.gz 1"
    awaited(lambda: folders(local) == [])
    assert ask(local, "a.tar.gz", "2") == "a.tar.gz 2"
    assert models.did("load") == ["a.tar.gz", "a.tar.gz"]


@pytest.mark.parametrize(
    "target",
    [
        "../secret.tar.gz",
        "a/../../secret.tar.gz",
        "/a.tar.gz",
        "a//b.tar.gz",
        "./a.tar.gz",
        "..\\secret.tar.gz",
        "a/",
        "..",
    ],
)
def test_a_target_that_leads_elsewhere_is_refused(local: Local, target: str) -> None:
    models = ManyModels()
    served(local, models)
    local.client("s3").put_object(Bucket=BUCKET, Key="secret.tar.gz", Body=b"")
    error = refused(local, target)
    assert (error["Code"], error["status"]) == ("ValidationError", 400)
    assert "TargetModel" in error["Message"]
    assert models.did("load") == []


def test_a_model_that_s3_lacks_and_one_that_is_no_archive(local: Local) -> None:
    served(local, ManyModels())
    error = refused(local, "no.tar.gz")
    assert (error["Code"], error["status"]) == ("ValidationError", 400)
    assert error["Message"].startswith(
        f"Failed to download model data (bucket: {BUCKET}, key: many/no.tar.gz)."
    )
    local.client("s3").put_object(Bucket=BUCKET, Key="many/bad.tar.gz", Body=b"no archive")
    assert refused(local, "bad.tar.gz")["Message"].startswith("Failed to extract model data ")
    assert folders(local) == []
    put(local, "no.tar.gz")
    assert ask(local, "no.tar.gz") == "no.tar.gz x"


def test_a_model_that_cannot_be_loaded_is_a_model_error_and_tried_anew(local: Local) -> None:
    broken = [Reply(status=500, body=b"no such layer")]
    models = ManyModels(before_load=lambda _: broken.pop() if broken else None)
    served(local, models, "a.tar.gz")
    error = refused(local, "a.tar.gz")
    assert (error["Code"], error["OriginalStatusCode"]) == ("ModelError", 500)
    assert error["Message"].startswith(
        'Received server error (500) from primary with message "no such layer". See '
    )
    assert ask(local, "a.tar.gz") == "a.tar.gz x"


def test_a_model_that_is_not_ready_in_time(impatient: Local) -> None:
    gate = threading.Event()
    models = ManyModels(before_load=lambda _: None if gate.wait(60) else Reply(status=500))
    served(impatient, models, "a.tar.gz")
    error = refused(impatient, "a.tar.gz")
    assert (error["Code"], error["status"]) == ("ModelNotReadyException", 429)
    gate.set()  # it goes on loading, and is there in the end
    awaited(lambda: "a.tar.gz x" in _tried(impatient))
    assert models.did("load") == ["a.tar.gz"]


def _tried(local: Local) -> list[str]:
    try:
        return [ask(local, "a.tar.gz")]
    except ClientError:
        return []


def test_a_model_that_the_container_lost_is_loaded_again(local: Local) -> None:
    models = ManyModels()
    served(local, models, "a.tar.gz")
    ask(local, "a.tar.gz")
    for own in models.loaded.values():
        own.clear()
    assert ask(local, "a.tar.gz") == "a.tar.gz x"
    assert models.did("load") == ["a.tar.gz", "a.tar.gz"]


def test_a_model_that_does_not_answer_in_time(impatient: Local) -> None:
    gate = threading.Event()

    def hold(*_: Any) -> None:
        gate.wait(60)

    served(impatient, ManyModels(on_invoke=hold), "a.tar.gz")
    error = refused(impatient, "a.tar.gz")
    gate.set()
    assert (error["Code"], error["OriginalStatusCode"]) == ("ModelError", 0)
    assert "Your invocation timed out" in error["Message"]


def test_a_stream_has_no_target_model(local: Local) -> None:
    served(local, ManyModels(), "a.tar.gz")
    stream = local.client("sagemaker-runtime").invoke_endpoint_with_response_stream
    with pytest.raises(ClientError, match="is missing a target model header"):
        stream(EndpointName="endpoint-1", Body=b"x")


def test_a_404_of_the_models_own_is_its_answer(local: Local) -> None:
    models = ManyModels(on_invoke=lambda *_: Reply(status=404, body=b"no such row"))
    served(local, models, "a.tar.gz")
    error = refused(local, "a.tar.gz")
    assert (error["OriginalStatusCode"], error["OriginalMessage"]) == (404, "no such row")
    assert models.did("load") == ["a.tar.gz"]


def test_a_model_that_needs_room_to_predict_gets_it_from_another(local: Local) -> None:
    models = ManyModels()

    def needs(call: Call, _: str) -> Reply | None:
        alone = len(models.loaded[call.container.id]) == 1
        return Reply(status=507) if call.body == b"much" and not alone else None

    models.on_invoke = needs
    served(local, models, "a.tar.gz", "b.tar.gz")
    ask(local, "a.tar.gz")
    assert ask(local, "b.tar.gz", "much") == "b.tar.gz much"
    assert models.did("unload") == ["a.tar.gz"]


def test_another_container_begins_without_models(local: Local) -> None:
    models = ManyModels()
    served(local, models, "a.tar.gz")
    ask(local, "a.tar.gz")
    (first,) = local.engine.all.values()
    first.end(1)
    awaited(lambda: first.id not in local.engine.all and bool(_tried(local)))
    assert len(models.loaded) == 2
    assert len(folders(local)) == 1


def test_each_instance_has_models_of_its_own(local: Local) -> None:
    models = ManyModels()
    served(local, models, "a.tar.gz", count=2)
    awaited(lambda: bool(ask(local, "a.tar.gz")) and len(models.did("load")) == 2)
    sources = {bind.source for each in local.engine.all.values() for bind in each.spec.binds}
    assert len(sources) == 2


def test_a_target_model_is_needed_there_and_refused_elsewhere(local: Local) -> None:
    served(local, ManyModels())
    error = refused(local, None)
    assert error["Code"] == "ValidationError"
    assert error["Message"].startswith("Request ")
    assert error["Message"].endswith(" is missing a target model header.")
    deploy(local, name="plain")
    with pytest.raises(ClientError, match="Endpoint plain is not a multi-model endpoint and does"):
        invoke(local, name="plain", TargetModel="a.tar.gz")
    with pytest.raises(ClientError, match="Endpoint none of account 123456789012 not found"):
        invoke(local, name="none", TargetModel="a.tar.gz")


def test_an_image_without_the_label_is_refused(local: Local) -> None:
    with pytest.raises(ClientError) as raised:
        create_many(local)
    assert raised.value.response["Error"]["Message"] == (
        f"Your Ecr Image {IMAGE} does not contain required "
        "com.amazonaws.sagemaker.capabilities.multi-models=true Docker label(s)."
    )


def test_describe_answers_the_prefix_and_the_cache(local: Local) -> None:
    served(local, ManyModels(), MultiModelConfig={"ModelCacheSetting": "Disabled"})
    found = local.client("sagemaker").describe_model(ModelName="many")["PrimaryContainer"]
    assert found == {
        "Image": IMAGE,
        "Mode": "MultiModel",
        "ModelDataUrl": PREFIX,
        "MultiModelConfig": {"ModelCacheSetting": "Disabled"},
        "Environment": {},
    }


def test_a_container_that_cannot_list_models_does_not_serve(impatient: Local) -> None:
    def deaf(call: Call) -> Reply:
        return Reply(status=200 if call.path == "/ping" else 404)

    found = served(impatient, deaf)  # type: ignore[arg-type]
    assert found["EndpointStatus"] == "Failed"
    assert found["FailureReason"].startswith("The primary container for production variant ")


def test_metrics_of_loading(local: Local) -> None:
    served(local, ManyModels(room=1), "a.tar.gz", "b.tar.gz")
    for target in ("a.tar.gz", "a.tar.gz", "a.tar.gz", "b.tar.gz"):
        ask(local, target)
    awaited(lambda: (statistics(local, "ModelCacheHit") or {"SampleCount": 0})["SampleCount"] == 4)
    assert statistics(local, "ModelCacheHit")["Sum"] == 2
    for name, count in (
        ("ModelLoadingWaitTime", 2),
        ("ModelDownloadingTime", 2),
        ("ModelLoadingTime", 2),
        ("ModelUnloadingTime", 1),
    ):
        awaited(lambda name=name: statistics(local, name) is not None)  # type: ignore[misc]
        found = statistics(local, name)
        assert (found["SampleCount"], found["Unit"]) == (count, "Microseconds"), name
        assert found["Sum"] > 0
    found = statistics(local, "LoadedModelCount", namespace="/aws/sagemaker/Endpoints")
    assert found["Maximum"] == 1


def test_a_server_that_was_killed_knows_no_models_and_leaves_none_loaded(tmp_path: Path) -> None:
    models = ManyModels()
    with started(tmp_path / "home") as local:
        served(local, models, "a.tar.gz")
        engine = local.engine
        (spec,) = [each.spec for each in engine.all.values()]
    left = engine.create(spec)  # as a server that was killed leaves it
    models.loaded[left] = {"lost": "", "forgotten": ""}
    engine.start(left)
    with started(tmp_path / "home", engine=engine, bucket=False) as local:
        awaited(lambda: bool(_tried(local)))
        assert list(engine.all) == [left]
        assert len(models.did("unload")) == 2
        assert len(models.loaded[left]) == 1


@pytest.mark.parametrize(
    "page",
    [
        {"models": [{"modelName": "a"}], "nextPageToken": "1"},  # which leads to itself
        {"models": [{"name": "a"}]},
        {"models": "a"},
        ["a"],
    ],
)
def test_a_list_of_models_that_is_none_or_has_no_end_keeps_nothing_waiting(
    local: Local, page: Any
) -> None:
    asked: list[str] = []

    def answer(call: Call) -> Reply:
        asked.append(call.path)
        return Reply(body=json.dumps(page).encode())

    local.engine.program = serving(answer)
    deploy(local)
    (container,) = local.engine.all
    address = local.engine.address(container, 8080)
    assert address is not None
    unload_all(address)
    assert len([path for path in asked if path.startswith("/models")]) in (1, 2)
