"""Rows of the fidelity corpus on multi-model and multi-container endpoints ("the rest"), and what
others were seen to get.
"""

import pytest

from sagedock.api import messages
from sagedock.api import runtime_messages as words
from sagedock.api.rules.hosting import CREATE_MODEL
from sagedock.engine import ContainerSpec
from sagedock.local.hosting import reasons
from sagedock.local.hosting.health import is_healthy
from sagedock.testing import Call, FakeEngine, Reply, serving
from tests.conftest import IMAGE
from tests.unit.local.hosting.hosting_local import awaited

MANY = "com.amazonaws.sagemaker.capabilities.multi-models=true"
PORT = "com.amazonaws.sagemaker.capabilities.accept-bind-to-port=true"


@pytest.mark.parametrize(
    ("lists", "healthy"), [pytest.param(404, False, id="rest-40"), pytest.param(200, True, id="90")]
)
def test_get_models_belongs_to_the_health_check(lists: int, healthy: bool) -> None:
    def answer(call: Call) -> Reply:
        return Reply(status=200 if call.path == "/ping" else lists)

    engine = FakeEngine(serving(answer), images=[IMAGE])
    made = engine.create(ContainerSpec(name="c", image=IMAGE))
    engine.start(made)
    awaited(lambda: engine.address(made, 8080) is not None)
    address = engine.address(made, 8080)
    assert address is not None
    assert is_healthy(address, many=True) is healthy
    assert is_healthy(address, many=False)
    engine.remove(made)


def test_rest_row_85_target_model_for_a_plain_endpoint() -> None:
    assert words.no_multi_model_endpoint("e").message == (
        "Endpoint e is not a multi-model endpoint and does not support target model header."
    )


def test_rest_row_86_no_target_model() -> None:
    error = words.missing_target_model("186633a1")
    assert error.code == "ValidationError"
    assert str(error.message).startswith("Request 186633a1 is missing a target model hea")


def test_rest_row_88_a_model_that_is_still_loading() -> None:
    error = words.model_not_ready("m.tar.gz")
    assert (error.code, error.http_status) == ("ModelNotReadyException", 429)


def test_rest_row_109_model_data_that_is_not_there() -> None:
    error = words.target_model_absent("b", "k")
    assert error.code == "ValidationError"
    assert str(error.message).startswith("Failed to download model data (bucket: b, key: k)")


@pytest.mark.parametrize(
    ("image", "label"),
    [
        pytest.param(
            "763104351884.dkr.ecr.us-west-2.amazonaws.com/tensorflow-inference:2.1.0-gpu",
            MANY,
            id="amazon-sagemaker-examples-3925",
        ),
        pytest.param(
            "763104351884.dkr.ecr.us-east-1.amazonaws.com/djl-inference:0.21.0-fastertransformer",
            PORT,
            id="djl-serving-708",
        ),
    ],
)
def test_an_image_without_the_label(image: str, label: str) -> None:
    error = messages.image_without_label(image, label)
    assert (error.code, error.message) == (
        "ValidationException",
        f"Your Ecr Image {image} does not contain required {label} Docker label(s).",
    )


def test_two_multi_model_containers() -> None:
    """OElesin/sagemaker-autopilot-step-functions#10."""
    containers = [{"Image": "i", "Mode": "MultiModel", "ModelDataUrl": "s3://b/p/"}] * 2
    broken = [rule for rule in CREATE_MODEL if rule.finding({"Containers": containers}) is not None]
    assert [rule.message for rule in broken if rule.verified] == [
        "More than one container in MultiModel mode is not supported with inference pipeline."
    ]


def test_the_ping_of_one_of_several_containers() -> None:
    """aws/amazon-sagemaker-examples#1072."""
    assert reasons.no_ping("AllTraffic", "container-2") == (
        "The container-2 for production variant AllTraffic did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint."
    )
