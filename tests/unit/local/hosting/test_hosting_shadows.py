"""Shadow variants get copies of requests, and answer nobody."""

import json
import threading
import time
from typing import Any

import pytest

from sagedock.testing import Call, Reply, serving
from tests.conftest import BUCKET, IMAGE, ROLE, Local
from tests.unit.local.hosting.hosting_local import (
    awaited,
    create_config,
    create_endpoint,
    create_model,
    invoke,
    settled,
    variant,
)
from tests.unit.local.hosting.test_hosting_capture import CONFIG
from tests.unit.local.hosting.test_hosting_metrics import statistics
from tests.unit.local.hosting.test_hosting_models import refused


class Pair:
    """The containers of both variants: what the shadow got, and how it answers."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        self.answer: Any = lambda _: Reply(body=b"of the shadow")

    def __call__(self, call: Call) -> Reply:
        if call.path == "/ping":
            return Reply()
        if call.container.spec.environment["WHICH"] == "real":
            return Reply(body=b"real " + call.body)
        self.got.append(call.body)
        return self.answer(call)  # type: ignore[no-any-return]


def deploy_pair(local: Local, pair: Pair, weight: float = 1.0, **config: Any) -> Any:
    local.engine.program = serving(pair)
    for name in ("real", "shadow"):
        local.client("sagemaker").create_model(
            ModelName=name,
            PrimaryContainer={"Image": IMAGE, "Environment": {"WHICH": name}},
            ExecutionRoleArn=ROLE,
        )
    shadow = variant("Shadow", ModelName="shadow", InitialVariantWeight=weight)
    local.client("sagemaker").create_endpoint_config(
        EndpointConfigName="config-1",
        ProductionVariants=[variant(ModelName="real")],
        ShadowProductionVariants=[shadow],
        **config,
    )
    create_endpoint(local)
    return settled(local)


def test_a_copy_goes_to_the_shadow_and_its_answer_to_nobody(local: Local) -> None:
    pair = Pair()
    found = deploy_pair(local, pair)
    assert [each["VariantName"] for each in found["ProductionVariants"]] == ["AllTraffic"]
    (shadow,) = found["ShadowProductionVariants"]
    assert (shadow["VariantName"], shadow["CurrentInstanceCount"]) == ("Shadow", 1)
    answer = invoke(local, b"x")
    assert (answer["Body"], answer["InvokedProductionVariant"]) == (b"real x", "AllTraffic")
    awaited(lambda: pair.got == [b"x"])
    config = local.client("sagemaker").describe_endpoint_config(EndpointConfigName="config-1")
    assert config["ShadowProductionVariants"][0]["InitialVariantWeight"] == 1.0


def test_a_share_of_the_requests_is_copied(local: Local) -> None:
    pair = Pair()
    deploy_pair(local, pair, weight=0.5)
    for number in range(100):
        invoke(local, str(number).encode())
    awaited(lambda: 20 < len(pair.got) < 80)


def test_without_weight_nothing_is_copied_and_the_weight_can_be_changed(local: Local) -> None:
    pair = Pair()
    deploy_pair(local, pair, weight=0.0)
    for _ in range(20):
        invoke(local, b"before")
    changed = {"VariantName": "Shadow", "DesiredWeight": 1.0, "DesiredInstanceCount": 2}
    local.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName="endpoint-1", DesiredWeightsAndCapacities=[changed]
    )
    (shadow,) = settled(local)["ShadowProductionVariants"]
    assert (shadow["CurrentWeight"], shadow["CurrentInstanceCount"]) == (1.0, 2)
    invoke(local, b"after")
    awaited(lambda: pair.got == [b"after"])


def test_a_shadow_that_hangs_or_fails_is_nobodys_matter(local: Local) -> None:
    pair, gate = Pair(), threading.Event()

    def hang(_: Call) -> Reply:
        gate.wait(60)
        return Reply(status=500)

    pair.answer = hang
    deploy_pair(local, pair)
    begun = time.monotonic()
    for _ in range(5):
        assert invoke(local, b"x")["Body"] == b"real x"
    assert time.monotonic() - begun < 30  # none of them awaited the shadow, which hangs
    awaited(lambda: len(pair.got) == 5)
    gate.set()
    awaited(lambda: (statistics(local, "Invocation5XXErrors", "Shadow") or {"Sum": 0})["Sum"] == 5)
    assert statistics(local, "Invocations", "AllTraffic")["Sum"] == 5
    assert statistics(local, "Invocation5XXErrors", "AllTraffic")["Sum"] == 0


def test_a_shadow_that_is_gone_is_nobodys_matter(local: Local) -> None:
    deploy_pair(local, Pair())
    local.engine.program = serving(lambda _: Reply(status=503))
    (shadow,) = [
        each for each in local.engine.all.values() if each.spec.environment["WHICH"] == "shadow"
    ]
    shadow.end(1)
    assert invoke(local, b"x")["Body"] == b"real x"


def test_both_answers_are_captured_apart(local: Local) -> None:
    deploy_pair(local, Pair(), DataCaptureConfig=CONFIG)
    invoke(local, b"x")
    s3 = local.client("s3")

    def captured(name: str) -> list[Any]:
        found = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"captured/endpoint-1/{name}/")
        return [
            json.loads(line)
            for each in found.get("Contents", ())
            for line in s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read().splitlines()
        ]

    awaited(lambda: bool(captured("AllTraffic") and captured("Shadow")))
    real, shadow = captured("AllTraffic")[0], captured("Shadow")[0]
    assert real["eventMetadata"]["eventId"] == shadow["eventMetadata"]["eventId"]
    assert shadow["captureData"]["endpointInput"]["data"] == "x"
    assert shadow["captureData"]["endpointOutput"] != real["captureData"]["endpointOutput"]


def test_an_update_takes_the_shadow_away(local: Local) -> None:
    pair = Pair()
    deploy_pair(local, pair)
    create_config(local, "alone", variant(ModelName="real"))
    local.client("sagemaker").update_endpoint(EndpointName="endpoint-1", EndpointConfigName="alone")
    found = settled(local)
    assert "ShadowProductionVariants" not in found
    invoke(local, b"x")
    awaited(lambda: len(local.engine.all) == 1)
    assert pair.got == []


def test_a_shadow_cannot_be_asked_for(local: Local) -> None:
    deploy_pair(local, Pair())
    with pytest.raises(Exception, match="Variant Shadow not found for endpoint endpoint-1"):
        invoke(local, TargetVariant="Shadow")


def test_one_variant_has_one_shadow(local: Local) -> None:
    create_model(local)
    told = refused(
        local.client("sagemaker").create_endpoint_config,
        EndpointConfigName="config-1",
        ProductionVariants=[variant("A"), variant("B")],
        ShadowProductionVariants=[variant("C")],
    )
    assert told.startswith("With ShadowProductionVariants there must be one production variant")
    assert "no-such" in refused(
        local.client("sagemaker").create_endpoint_config,
        EndpointConfigName="config-1",
        ProductionVariants=[variant("A")],
        ShadowProductionVariants=[variant("C", ModelName="no-such")],
    )
