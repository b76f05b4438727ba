"""What stands beside the rows of the fidelity corpus on hosting ("the rest"): the same refusals, of
the other operations that meet them.
"""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from sagedock.local.faults import NoCapacity
from sagedock.testing import serving
from tests.conftest import REGION, Local
from tests.unit.local.hosting.components_local import (
    NEEDS,
    at_rest,
    create_component,
    described,
    host,
    resize,
)
from tests.unit.local.hosting.conftest import local
from tests.unit.local.hosting.hosting_local import (
    awaited,
    create_config,
    create_endpoint,
    create_model,
    deploy,
    echo,
    settled,
    variant,
)

__all__ = ["local"]

ARN = f"arn:aws:sagemaker:{REGION}:123456789012:"
WEIGHTS = {"DesiredWeightsAndCapacities": [{"VariantName": "v", "DesiredWeight": 1.0}]}


def refused(call: Callable[[], Any]) -> tuple[str, int, str]:
    with pytest.raises(ClientError) as raised:
        call()
    told: Any = raised.value.response
    status = told["ResponseMetadata"]["HTTPStatusCode"]
    return told["Error"]["Code"], status, told["Error"]["Message"]


def validation(message: str) -> tuple[str, int, str]:
    return "ValidationException", 400, message


@pytest.mark.parametrize(
    ("operation", "request_", "kind", "name"),
    [
        ("describe_model", {"ModelName": "No"}, "model", "model/no"),
        ("delete_model", {"ModelName": "No"}, "model", "model/no"),
        (
            "describe_endpoint_config",
            {"EndpointConfigName": "No"},
            "endpoint configuration",
            "endpoint-config/no",
        ),
        (
            "delete_endpoint_config",
            {"EndpointConfigName": "No"},
            "endpoint configuration",
            "endpoint-config/no",
        ),
        (
            "create_endpoint",
            {"EndpointName": "e", "EndpointConfigName": "No"},
            "endpoint configuration",
            "endpoint-config/no",
        ),
        ("describe_endpoint", {"EndpointName": "No"}, "endpoint", "endpoint/no"),
        ("delete_endpoint", {"EndpointName": "No"}, "endpoint", "endpoint/no"),
        (
            "update_endpoint_weights_and_capacities",
            {"EndpointName": "No", **WEIGHTS},
            "endpoint",
            "endpoint/no",
        ),
        (
            "create_endpoint_config",
            {"EndpointConfigName": "c", "ProductionVariants": [variant(ModelName="No")]},
            "model",
            "model/no",
        ),
        (
            "create_inference_component",
            {
                "InferenceComponentName": "c",
                "EndpointName": "No",
                "VariantName": "v",
                "Specification": {"ModelName": "m", "ComputeResourceRequirements": NEEDS},
                "RuntimeConfig": {"CopyCount": 1},
            },
            "endpoint",
            "endpoint/no",
        ),
        *(
            (operation, {"InferenceComponentName": "No", **more}, "inference component", "")
            for operation, more in (
                ("describe_inference_component", {}),
                ("delete_inference_component", {}),
                ("update_inference_component", {"RuntimeConfig": {"CopyCount": 1}}),
                (
                    "update_inference_component_runtime_config",
                    {"DesiredRuntimeConfig": {"CopyCount": 1}},
                ),
            )
        ),
    ],
)
def test_what_is_not_there(
    local: Local, operation: str, request_: dict[str, Any], kind: str, name: str
) -> None:
    name = name or "inference-component/no"
    told = refused(lambda: getattr(local.client("sagemaker"), operation)(**request_))
    assert told == validation(f'Could not find {kind} "{ARN}{name}".')


def test_names_that_differ_in_case_only_are_one(local: Local) -> None:
    local.engine.program = serving(echo)
    deploy(local)
    for kind, name, call in (
        ("model", "model/model-1", lambda: create_model(local, "Model-1")),
        (
            "endpoint configuration",
            "endpoint-config/endpoint-1-config",
            lambda: create_config(local, "Endpoint-1-Config"),
        ),
        (
            "endpoint",
            "endpoint/endpoint-1",
            lambda: create_endpoint(local, "Endpoint-1", "endpoint-1-config"),
        ),
    ):
        told = refused(call)
        assert told == validation(f'Cannot create already existing {kind} "{ARN}{name}".')


def test_rest_row_53_every_change_of_an_endpoint_in_progress(local: Local) -> None:
    local.server.faults.add(NoCapacity(wait_s=120))
    create_model(local)
    create_config(local)
    create_endpoint(local)
    sagemaker = local.client("sagemaker")
    told = validation(f'Cannot update in-progress endpoint "{ARN}endpoint/endpoint-1".')
    named = {"EndpointName": "endpoint-1"}
    desires = [{"VariantName": "AllTraffic", "DesiredWeight": 1.0}]
    for call in (
        lambda: sagemaker.update_endpoint(**named, EndpointConfigName="config-1"),
        lambda: sagemaker.delete_endpoint(**named),
        lambda: sagemaker.update_endpoint_weights_and_capacities(
            **named, DesiredWeightsAndCapacities=desires
        ),
    ):
        assert refused(call) == told


def test_a_failed_endpoint_can_be_deleted_only(local: Local) -> None:
    local.server.faults.add(NoCapacity(wait_s=0.01, fails=True))
    create_model(local)
    create_config(local)
    create_endpoint(local)
    assert settled(local)["EndpointStatus"] == "Failed"
    sagemaker = local.client("sagemaker")
    update = sagemaker.update_endpoint
    code, status, _ = refused(
        lambda: update(EndpointName="endpoint-1", EndpointConfigName="config-1")
    )
    assert (code, status) == ("ValidationException", 400)
    with pytest.raises(WaiterError):
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="endpoint-1")
    sagemaker.delete_endpoint(EndpointName="endpoint-1")
    waiter = sagemaker.get_waiter("endpoint_deleted")
    waiter.wait(EndpointName="endpoint-1", WaiterConfig={"Delay": 1, "MaxAttempts": 30})


def test_lists_are_filtered_by_name_status_and_time(local: Local) -> None:
    local.engine.program = serving(echo)
    deploy(local)
    sagemaker = local.client("sagemaker")
    made = sagemaker.describe_endpoint(EndpointName="endpoint-1")["CreationTime"]

    def names(**asked: Any) -> list[str]:
        return [each["EndpointName"] for each in sagemaker.list_endpoints(**asked)["Endpoints"]]

    assert names() == names(NameContains="point-1") == names(StatusEquals="InService")
    assert names(StatusEquals="Failed") == names(NameContains="other") == []
    assert names(CreationTimeAfter=made.timestamp() + 1) == []
    told = refused(lambda: sagemaker.list_endpoints(NextToken="bogus"))
    assert told == validation('Invalid pagination token because "bogus".')


def test_a_component_whose_name_is_taken_and_one_without_copies(local: Local) -> None:
    local.engine.program = serving(echo)
    host(local)
    create_component(local)
    at_rest(local)
    told = refused(lambda: create_component(local, "FIRST"))
    assert told == validation(
        f'Cannot create already existing inference component "{ARN}inference-component/first".'
    )
    sagemaker = local.client("sagemaker")
    resize(local, 0)
    awaited(lambda: described(local)["InferenceComponentStatus"] == "InService")
    assert described(local)["RuntimeConfig"]["CurrentCopyCount"] == 0
    sagemaker.delete_inference_component(InferenceComponentName="first")
    awaited(lambda: not sagemaker.list_inference_components()["InferenceComponents"])
