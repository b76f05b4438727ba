"""What tests of inference components share: an endpoint that hosts them, and requests."""

import time
from collections.abc import Callable
from typing import Any

from sagedock.testing import Call, Reply
from tests.conftest import IMAGE, ROLE, Local
from tests.unit.local.hosting.hosting_local import create_endpoint, create_model, settled

NEEDS = {"MinMemoryRequiredInMb": 1024, "NumberOfCpuCoresRequired": 0.5}


def whoami(call: Call) -> Reply:
    """A model that answers which container it is."""
    return Reply() if call.path == "/ping" else Reply(body=call.container.spec.name.encode())


def hosting_config(local: Local, name: str = "config-1", **changes: Any) -> str:
    """Create a configuration whose variant hosts components; return its name."""
    variant = {
        "VariantName": "AllTraffic",
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
        **changes,
    }
    local.client("sagemaker").create_endpoint_config(
        EndpointConfigName=name, ExecutionRoleArn=ROLE, ProductionVariants=[variant]
    )
    return name


def host(local: Local, **changes: Any) -> Any:
    """Create a model, and an endpoint that hosts components; ``changes`` are of its variant."""
    create_model(local)
    hosting_config(local, **changes)
    create_endpoint(local)
    return settled(local)


def create_component(local: Local, name: str = "first", copies: int = 1, **changes: Any) -> str:
    """Begin to create a component; ``changes`` are of its specification. Return its name."""
    specification = {
        "ModelName": "model-1",
        "ComputeResourceRequirements": NEEDS,
        **changes,
    }
    local.client("sagemaker").create_inference_component(
        InferenceComponentName=name,
        EndpointName="endpoint-1",
        VariantName="AllTraffic",
        Specification={key: value for key, value in specification.items() if value is not None},
        RuntimeConfig={"CopyCount": copies},
    )
    return name


def container(**changes: Any) -> dict[str, Any]:
    """Return what makes a specification one with a container of its own."""
    return {"ModelName": None, "Container": {"Image": IMAGE, **changes}}


def described(local: Local, name: str = "first") -> Any:
    """Return what Describe answers of a component."""
    return local.client("sagemaker").describe_inference_component(InferenceComponentName=name)


def component_until(local: Local, true: Callable[[Any], bool], name: str = "first") -> Any:
    """Wait until DescribeInferenceComponent answers what is awaited, and return it."""
    ends = time.monotonic() + 60
    while not true(found := described(local, name)):
        assert time.monotonic() < ends, found
        time.sleep(0.01)
    return found


def at_rest(local: Local, name: str = "first") -> Any:
    """Wait until no change of a component goes on, and return what Describe answers."""
    return component_until(
        local, lambda found: found["InferenceComponentStatus"] in ("InService", "Failed"), name
    )


def resize(local: Local, copies: int, name: str = "first") -> None:
    """Begin to have another number of copies."""
    local.client("sagemaker").update_inference_component_runtime_config(
        InferenceComponentName=name, DesiredRuntimeConfig={"CopyCount": copies}
    )


def deployed(local: Local, name: str = "first", copies: int = 1, **changes: Any) -> Any:
    """Create a component, and await its service."""
    create_component(local, name, copies, **changes)
    return at_rest(local, name)
