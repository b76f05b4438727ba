"""More containers than any machine runs: refused before the first of them starts."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock.engine import Image
from sagedock.local.hosting.amounts import too_many_in_plan
from sagedock.local.hosting.plan import plan_of
from tests.conftest import Local
from tests.unit.local.hosting.components_local import create_component, host
from tests.unit.local.hosting.hosting_local import create_config, create_model, deploy, variant

CANNOT = "The local SageMaker cannot carry out: "
REMEDY = "(at most 100). Ask for fewer locally, or deploy on AWS."


def refused(call: Any, *arguments: Any, **named: Any) -> str:
    """Make a call that is refused; return the message."""
    with pytest.raises(ClientError) as caught:
        call(*arguments, **named)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    message: str = caught.value.response["Error"]["Message"]
    return message


@pytest.mark.parametrize(
    ("variants", "total"),
    [
        ([variant(InitialInstanceCount=101)], 101),
        ([variant("A", InitialInstanceCount=60), variant("B", InitialInstanceCount=41)], 101),
    ],
)
def test_a_configuration_of_more_than_a_hundred_instances_is_refused(
    local: Local, variants: list[dict[str, Any]], total: int
) -> None:
    create_model(local)
    said = refused(create_config, local, "config-1", *variants)
    assert said == f"{CANNOT}InitialInstanceCount (of all variants) {total} {REMEDY}"
    assert local.client("sagemaker").list_endpoint_configs()["EndpointConfigs"] == []


def test_a_hundred_are_not(local: Local) -> None:
    create_model(local)
    create_config(local, "config-1", variant(InitialInstanceCount=100))


def test_a_variant_that_may_scale_itself_beyond_them_is_refused(local: Local) -> None:
    scaling = {"Status": "ENABLED", "MinInstanceCount": 1, "MaxInstanceCount": 101}
    said = refused(host, local, ManagedInstanceScaling=scaling)
    named = "ManagedInstanceScaling.MaxInstanceCount (of all variants) 101"
    assert said == f"{CANNOT}{named} {REMEDY}"


def test_more_instances_than_that_are_not_desired(local: Local) -> None:
    deploy(local)
    desired = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 1000}]
    said = refused(
        local.client("sagemaker").update_endpoint_weights_and_capacities,
        EndpointName="endpoint-1",
        DesiredWeightsAndCapacities=desired,
    )
    assert said == f"{CANNOT}DesiredInstanceCount (of all variants) 1000 {REMEDY}"
    found = local.client("sagemaker").describe_endpoint(EndpointName="endpoint-1")
    assert found["EndpointStatus"] == "InService"


def test_a_configuration_of_an_older_server_is_refused_by_its_plan() -> None:
    image = Image(id="sha256:1", tags=(), digests=(), size=1, architecture="amd64", labels={})
    config = {
        "EndpointConfigName": "config-1",
        "EnableNetworkIsolation": False,
        "ProductionVariants": [variant(InitialInstanceCount=1000, InitialVariantWeight=1.0)],
    }
    model = {
        "ModelName": "model-1",
        "PrimaryContainer": {"Image": "image"},
        "EnableNetworkIsolation": False,
    }
    plan = plan_of(config, {"model-1": model}, lambda _: image, 0.0)
    refusal = too_many_in_plan(plan, "InitialInstanceCount")
    assert refusal is not None
    assert refusal.message == f"{CANNOT}InitialInstanceCount (of all variants) 1000 {REMEDY}"


def test_more_copies_of_a_component_are_refused(local: Local) -> None:
    host(local)
    sagemaker = local.client("sagemaker")
    said = f"{CANNOT}CopyCount 101 {REMEDY}"
    assert refused(create_component, local, copies=101) == said
    assert sagemaker.list_inference_components()["InferenceComponents"] == []
    create_component(local)
    named = {"InferenceComponentName": "first"}
    count = {"CopyCount": 101}
    update = sagemaker.update_inference_component
    resize = sagemaker.update_inference_component_runtime_config
    assert refused(update, **named, RuntimeConfig=count) == said
    assert refused(resize, **named, DesiredRuntimeConfig=count) == said
