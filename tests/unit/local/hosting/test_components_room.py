"""Copies of inference components and the room that instances have for them."""

from typing import Any

import pytest

from tests.conftest import Local
from tests.unit.local.hosting.components_local import (
    NEEDS,
    at_rest,
    deployed,
    host,
    hosting_config,
    resize,
)
from tests.unit.local.hosting.hosting_local import awaited, invoke, settled
from tests.unit.local.hosting.test_components_copies import refused


def test_copies_must_fit_on_the_instances_beside_those_of_others(local: Local) -> None:
    host(local)  # 8 GiB and two processors
    needs = {"MinMemoryRequiredInMb": 3000}
    deployed(local, "first", copies=2, ComputeResourceRequirements=needs)
    found = deployed(local, "second", ComputeResourceRequirements=needs)
    assert found["InferenceComponentStatus"] == "Failed"
    assert found["FailureReason"].startswith("The instances of variant AllTraffic do not have")
    assert "3000 MB of memory" in found["FailureReason"]
    assert len(local.engine.all) == 2
    resize(local, 3)
    found = at_rest(local)
    assert found["RuntimeConfig"] == {"DesiredCopyCount": 2, "CurrentCopyCount": 2}
    assert "do not have enough room" in found["FailureReason"]
    resize(local, 1)
    at_rest(local)
    third = deployed(local, "third", ComputeResourceRequirements=needs)
    assert third["InferenceComponentStatus"] == "InService"


def test_a_copy_is_on_one_instance(local: Local) -> None:
    host(local, InitialInstanceCount=2)
    half = {"MinMemoryRequiredInMb": 5000}
    deployed(local, "first", copies=2, ComputeResourceRequirements=half)
    found = deployed(local, "second", ComputeResourceRequirements=half)
    assert found["InferenceComponentStatus"] == "Failed"
    found = deployed(local, "third", copies=2, ComputeResourceRequirements=NEEDS)
    assert found["InferenceComponentStatus"] == "InService"


@pytest.mark.parametrize(
    "needs",
    [
        {"MinMemoryRequiredInMb": 1024, "NumberOfCpuCoresRequired": 3.0},
        {"MinMemoryRequiredInMb": 1024, "NumberOfAcceleratorDevicesRequired": 1.0},
        {"MinMemoryRequiredInMb": 9000},
    ],
)
def test_what_the_instance_type_has_not_is_not_found(local: Local, needs: dict[str, Any]) -> None:
    host(local)
    found = deployed(local, ComputeResourceRequirements=needs)
    assert found["InferenceComponentStatus"] == "Failed"
    assert local.engine.all == {}


def test_more_instances_have_room_and_do_not_go_while_copies_are_on_them(local: Local) -> None:
    host(local)
    needs = {"MinMemoryRequiredInMb": 6000}
    deployed(local, ComputeResourceRequirements=needs)

    def have(instances: int) -> None:
        local.client("sagemaker").update_endpoint_weights_and_capacities(
            EndpointName="endpoint-1",
            DesiredWeightsAndCapacities=[
                {"VariantName": "AllTraffic", "DesiredInstanceCount": instances}
            ],
        )

    have(2)
    shown = settled(local)["ProductionVariants"][0]
    assert shown["CurrentInstanceCount"] == 2
    resize(local, 2)
    assert at_rest(local)["RuntimeConfig"]["CurrentCopyCount"] == 2
    said = refused(have, 1)
    assert said.startswith("Cannot update endpoint endpoint-1: copies of inference component first")
    resize(local, 1)
    at_rest(local)
    have(1)
    assert settled(local)["ProductionVariants"][0]["CurrentInstanceCount"] == 1
    assert invoke(local, InferenceComponentName="first")["Body"] == b"hello"


def test_managed_instances_are_as_many_as_the_copies_need(local: Local) -> None:
    managed = {"Status": "ENABLED", "MinInstanceCount": 1, "MaxInstanceCount": 3}
    shown = host(local, ManagedInstanceScaling=managed)["ProductionVariants"][0]
    assert shown["ManagedInstanceScaling"] == managed

    def instances() -> int:
        found = local.client("sagemaker").describe_endpoint(EndpointName="endpoint-1")
        assert found["EndpointStatus"] == "InService"
        count: int = found["ProductionVariants"][0]["CurrentInstanceCount"]
        return count

    needs = {"MinMemoryRequiredInMb": 6000}
    deployed(local, copies=2, ComputeResourceRequirements=needs)
    assert instances() == 2
    resize(local, 4)
    assert "do not have enough room" in at_rest(local)["FailureReason"]
    assert instances() == 2
    deployed(local, "second", ComputeResourceRequirements=needs)
    assert instances() == 3
    hosting_config(local, "config-2", ManagedInstanceScaling=managed)
    local.client("sagemaker").update_endpoint(
        EndpointName="endpoint-1", EndpointConfigName="config-2"
    )
    assert settled(local)["EndpointConfigName"] == "config-2"
    assert instances() == 3
    sagemaker = local.client("sagemaker")
    sagemaker.delete_inference_component(InferenceComponentName="second")
    awaited(lambda: instances() == 2)
    resize(local, 1)
    at_rest(local)
    assert instances() == 1
    assert invoke(local, InferenceComponentName="first")["Body"] == b"hello"


def test_managed_instances_may_be_none(local: Local) -> None:
    managed = {"Status": "ENABLED", "MinInstanceCount": 0, "MaxInstanceCount": 1}
    host(local, ManagedInstanceScaling=managed)
    deployed(local)
    resize(local, 0)
    at_rest(local)
    assert settled(local)["ProductionVariants"][0]["CurrentInstanceCount"] == 0
    resize(local, 1)
    at_rest(local)
    assert settled(local)["ProductionVariants"][0]["CurrentInstanceCount"] == 1
    assert invoke(local, InferenceComponentName="first")["Body"] == b"hello"
