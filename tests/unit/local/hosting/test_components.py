"""Inference components: brought to service, told of, invoked, deleted; and what is refused."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagedock.contract import labels
from sagedock.testing import Container, Reply, serving
from tests.conftest import BUCKET, IMAGE, ROLE, Local
from tests.unit.local.hosting.components_local import (
    NEEDS,
    at_rest,
    container,
    create_component,
    deployed,
    described,
    host,
    hosting_config,
    resize,
    whoami,
)
from tests.unit.local.hosting.hosting_local import (
    MODEL_URI,
    awaited,
    create_config,
    create_endpoint,
    create_model,
    deploy,
    echo,
    invoke,
    put_model,
    settled,
    variant,
)


def refused(call: Any, *arguments: Any, **named: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(*arguments, **named)
    return str(caught.value.response["Error"]["Message"])


def test_an_endpoint_without_models_is_in_service_and_has_no_container(local: Local) -> None:
    found = host(local, InitialInstanceCount=2)
    assert found["EndpointStatus"] == "InService"
    (shown,) = found["ProductionVariants"]
    assert (shown["CurrentInstanceCount"], "DeployedImages" in shown) == (2, False)
    assert local.engine.all == {}


def test_a_component_of_a_model_comes_to_service_and_is_invoked(local: Local) -> None:
    put_model(local)
    host(local)
    create_model(local, "with-data", ModelDataUrl=MODEL_URI, Environment={"MODE": "fast"})
    create_component(
        local,
        "first",
        ModelName="with-data",
        StartupParameters={
            "ContainerStartupHealthCheckTimeoutInSeconds": 60,
        },
    )
    creating = described(local)
    assert creating["InferenceComponentStatus"] in ("Creating", "InService")
    found = at_rest(local)
    assert found["InferenceComponentStatus"] == "InService"
    assert found["InferenceComponentArn"].endswith(":inference-component/first")
    assert found["EndpointArn"].endswith(":endpoint/endpoint-1")
    assert (found["EndpointName"], found["VariantName"]) == ("endpoint-1", "AllTraffic")
    assert found["RuntimeConfig"] == {"DesiredCopyCount": 1, "CurrentCopyCount": 1}
    specification = found["Specification"]
    assert specification["ModelName"] == "with-data"
    assert specification["ComputeResourceRequirements"] == NEEDS
    assert specification["Container"]["DeployedImage"]["SpecifiedImage"] == IMAGE
    answer = invoke(local, InferenceComponentName="first")
    assert answer["Body"] == b"hello"
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    (running,) = local.engine.all.values()
    assert running.files["/opt/ml/model/weights.bin"] == b"1234"
    assert running.spec.environment["MODE"] == "fast"
    assert running.spec.cpus == 0.5
    assert running.spec.memory_mib is None  # all of the instance, which has as much as this machine


def test_a_component_has_a_container_of_its_own(local: Local) -> None:
    uri = put_model(local)
    host(local)
    own = container(ArtifactUrl=uri, Environment={"MODE": "own"})
    most = {**NEEDS, "MaxMemoryRequiredInMb": 2048}
    found = deployed(local, **own, ComputeResourceRequirements=most)
    shown = found["Specification"]["Container"]
    assert (shown["ArtifactUrl"], shown["Environment"]) == (uri, {"MODE": "own"})
    assert "ModelName" not in found["Specification"]
    (running,) = local.engine.all.values()
    assert running.files["/opt/ml/model/weights.bin"] == b"1234"
    assert (running.spec.memory_mib, running.spec.environment["MODE"]) == (2048, "own")


def test_two_components_are_invoked_by_name_and_also_for_a_stream(local: Local) -> None:
    local.engine.program = serving(whoami)
    host(local)
    for name in ("first", "second"):
        deployed(local, name)
    for name in ("first", "second"):
        answer = invoke(local, InferenceComponentName=name)
        assert f"-{name}-i-" in answer["Body"].decode()
    streamed = local.client("sagemaker-runtime").invoke_endpoint_with_response_stream(
        EndpointName="endpoint-1", Body=b"", InferenceComponentName="second"
    )
    parts = b"".join(each["PayloadPart"]["Bytes"] for each in streamed["Body"])
    assert b"-second-i-" in parts


def test_logs_are_the_components_own(local: Local) -> None:
    def program(container: Container) -> int:
        container.print("loading weights")
        return serving(echo)(container)

    local.engine.program = program
    host(local)
    deployed(local)
    logs, group = local.client("logs"), "/aws/sagemaker/InferenceComponents/first"
    awaited(lambda: bool(logs.filter_log_events(logGroupName=group)["events"]))
    (event,) = logs.filter_log_events(logGroupName=group)["events"]
    assert event["logStreamName"].startswith("AllTraffic/i-")


def test_components_are_listed_by_endpoint_variant_and_status(local: Local) -> None:
    host(local)
    for name in ("first", "second"):
        deployed(local, name)
    sagemaker = local.client("sagemaker")

    def listed(**filters: str) -> list[str]:
        answer = sagemaker.list_inference_components(
            SortBy="Name", SortOrder="Ascending", **filters
        )
        return [each["InferenceComponentName"] for each in answer["InferenceComponents"]]

    assert listed() == ["first", "second"]
    assert listed(EndpointNameEquals="endpoint-1", VariantNameEquals="AllTraffic") == [
        "first",
        "second",
    ]
    assert listed(EndpointNameEquals="endpoint-2") == []
    assert listed(VariantNameEquals="Other") == []
    assert listed(NameContains="sec", StatusEquals="InService") == ["second"]
    assert listed(StatusEquals="Failed") == []


def test_a_component_has_tags(local: Local) -> None:
    host(local)
    sagemaker = local.client("sagemaker")
    made = sagemaker.create_inference_component(
        InferenceComponentName="first",
        EndpointName="endpoint-1",
        VariantName="AllTraffic",
        Specification={"ModelName": "model-1", "ComputeResourceRequirements": NEEDS},
        RuntimeConfig={"CopyCount": 1},
        Tags=[{"Key": "team", "Value": "a"}],
    )
    arn = made["InferenceComponentArn"]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "a"}]


def test_deleting_components_and_the_endpoint_leaves_nothing(local: Local) -> None:
    put_model(local)
    host(local)
    create_model(local, "with-data", ModelDataUrl=MODEL_URI)
    for name in ("first", "second"):
        deployed(local, name, ModelName="with-data")
    sagemaker = local.client("sagemaker")
    said = refused(sagemaker.delete_endpoint, EndpointName="endpoint-1")
    assert said.endswith("with inference components: first, second. Delete them first.")
    assert settled(local)["EndpointStatus"] == "InService"
    for name in ("first", "second"):
        sagemaker.delete_inference_component(InferenceComponentName=name)
    awaited(lambda: not sagemaker.list_inference_components()["InferenceComponents"])
    assert local.engine.all == {}
    assert list((local.server.settings.home / "components").rglob("*.bin")) == []
    said = refused(invoke, local, InferenceComponentName="first")
    assert said == "Inference Component first not found for endpoint endpoint-1."
    sagemaker.delete_endpoint(EndpointName="endpoint-1")
    awaited(lambda: not sagemaker.list_endpoints()["Endpoints"])


def test_a_name_can_be_used_again(local: Local) -> None:
    host(local)
    deployed(local)
    said = refused(create_component, local, "First")
    assert said.startswith('Cannot create already existing inference component "arn:aws:')
    sagemaker = local.client("sagemaker")
    sagemaker.delete_inference_component(InferenceComponentName="first")
    awaited(lambda: not sagemaker.list_inference_components()["InferenceComponents"])
    assert deployed(local)["InferenceComponentStatus"] == "InService"


def test_calls_say_which_component_where_there_are_any_and_only_there(local: Local) -> None:
    host(local)
    assert refused(invoke, local).startswith("Inference Component Name header is required for")
    deployed(local)
    assert refused(invoke, local).startswith("Inference Component Name header is required for")
    said = refused(invoke, local, InferenceComponentName="first", TargetVariant="Other")
    assert said == "Variant Other not found for endpoint endpoint-1."
    create_config(local, "config-2", variant())
    create_endpoint(local, "endpoint-2", "config-2")
    settled(local, "endpoint-2")
    said = refused(invoke, local, name="endpoint-2", InferenceComponentName="first")
    assert said.startswith("Inference Component Name header is not allowed for endpoints to which")
    hosting_config(local, "config-3")
    create_endpoint(local, "endpoint-3", "config-3")
    settled(local, "endpoint-3")
    said = refused(invoke, local, name="endpoint-3", InferenceComponentName="first")
    assert said == "Inference Component first not found for endpoint endpoint-3."


@pytest.mark.parametrize(
    ("changes", "begins"),
    [
        ({"EndpointName": "endpoint-9"}, 'Could not find endpoint "arn:aws:sagemaker:'),
        ({"VariantName": "Other"}, 'Could not find variant "Other" of endpoint "endpoint-1".'),
        ({"VariantName": None}, "You must provide the VariantName"),
        ({"RuntimeConfig": {"CopyCount": 0}}, "Inference components copy count an integer larger"),
        ({"RuntimeConfig": None}, "You must provide the RuntimeConfig"),
        ({"Specification": None}, "You must provide exactly one of Specification and"),
    ],
)
def test_what_a_component_must_be_on_is_said(
    local: Local, changes: dict[str, Any], begins: str
) -> None:
    host(local)
    request = {
        "InferenceComponentName": "first",
        "EndpointName": "endpoint-1",
        "VariantName": "AllTraffic",
        "Specification": {"ModelName": "model-1", "ComputeResourceRequirements": NEEDS},
        "RuntimeConfig": {"CopyCount": 1},
        **changes,
    }
    given = {key: value for key, value in request.items() if value is not None}
    said = refused(local.client("sagemaker").create_inference_component, **given)
    assert said.startswith(begins)
    assert local.client("sagemaker").list_inference_components()["InferenceComponents"] == []


@pytest.mark.parametrize(
    ("changes", "begins"),
    [
        ({"ModelName": "model-9"}, 'Could not find model "arn:aws:sagemaker:'),
        ({"Container": {"Image": IMAGE}}, "A Specification must have exactly one of"),
        ({"ModelName": None}, "A Specification must have exactly one of ModelName and Container"),
        (
            {"ModelName": None, "Container": {"Environment": {}}},
            "The Container of",
        ),
        ({"ComputeResourceRequirements": None}, "A Specification must have ComputeResource"),
        (
            {"ComputeResourceRequirements": {**NEEDS, "MaxMemoryRequiredInMb": 512}},
            "MaxMemoryRequiredInMb must not be less than",
        ),
        (
            {"BaseInferenceComponentName": "base"},
            "The local SageMaker cannot carry out: Specification.BaseInferenceComponentName.",
        ),
        (
            {"SchedulingConfig": {"PlacementStrategy": "SPREAD"}},
            "The local SageMaker cannot carry out: Specification.SchedulingConfig.",
        ),
        ({"ModelName": "many"}, "The local SageMaker cannot carry out: Specification.ModelName"),
    ],
)
def test_what_a_component_can_be_is_said(
    local: Local, changes: dict[str, Any], begins: str
) -> None:
    host(local)
    local.engine.labels = {labels.SERVES_MANY: labels.SAYS_YES}
    create_model(local, "many", Mode="MultiModel", ModelDataUrl=f"s3://{BUCKET}/many/")
    assert refused(create_component, local, **changes).startswith(begins)


def test_a_component_needs_an_endpoint_that_hosts_them(local: Local) -> None:
    deploy(local)
    said = refused(create_component, local)
    assert said.startswith("Inference Components are not supported in this Endpoint.")


def test_what_is_not_there_is_said_by_all_operations(local: Local) -> None:
    sagemaker = local.client("sagemaker")
    begins = 'Could not find inference component "arn:aws:sagemaker:us-west-2:123456789012:inf'
    name = {"InferenceComponentName": "first"}
    assert refused(sagemaker.describe_inference_component, **name).startswith(begins)
    assert refused(sagemaker.delete_inference_component, **name).startswith(begins)
    assert refused(resize, local, 2).startswith(begins)
    count = {"RuntimeConfig": {"CopyCount": 2}}
    assert refused(sagemaker.update_inference_component, **name, **count).startswith(begins)


@pytest.mark.parametrize(
    ("changes", "begins"),
    [
        ({"ExecutionRoleArn": None}, "ExecutionRoleArn is required for"),
        (
            {"AsyncInferenceConfig": {"OutputConfig": {}}},
            "The local SageMaker cannot carry out",
        ),
        (
            {"more": {"ManagedInstanceScaling": {"ScaleInPolicy": {"Strategy": "IDLE_RELEASE"}}}},
            "The local SageMaker cannot carry out: ProductionVariants[0].ManagedInstanceScaling.Sc",
        ),
        ({"second": "model-1"}, "Variants with a ModelName and variants without one"),
    ],
)
def test_configurations_that_cannot_host_components_are_refused(
    local: Local, changes: dict[str, Any], begins: str
) -> None:
    create_model(local)
    first = {
        "VariantName": "AllTraffic",
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
        **changes.pop("more", {}),
    }
    others = [variant("other", ModelName=name) for name in (changes.pop("second", None),) if name]
    request = {
        "EndpointConfigName": "config-1",
        "ExecutionRoleArn": ROLE,
        "ProductionVariants": [first, *others],
        **changes,
    }
    given = {key: value for key, value in request.items() if value is not None}
    said = refused(local.client("sagemaker").create_endpoint_config, **given)
    assert said.startswith(begins)


def test_a_component_that_does_not_serve_fails_and_leaves_nothing(impatient: Local) -> None:
    local = impatient
    host(local)
    local.engine.program = serving(lambda _: Reply(status=503))
    found = deployed(local)
    assert found["InferenceComponentStatus"] == "Failed"
    assert "did not pass the ping health check" in found["FailureReason"]
    assert "CloudWatch logs for this inference component." in found["FailureReason"]
    assert found["RuntimeConfig"] == {"DesiredCopyCount": 1, "CurrentCopyCount": 0}
    assert local.engine.all == {}
    local.client("sagemaker").delete_inference_component(InferenceComponentName="first")
    awaited(
        lambda: not local.client("sagemaker").list_inference_components()["InferenceComponents"]
    )


def test_a_component_without_its_artifact_fails(local: Local) -> None:
    host(local)
    found = deployed(local, **container(ArtifactUrl=f"s3://{BUCKET}/gone.tar.gz"))
    assert found["InferenceComponentStatus"] == "Failed"
    assert found["FailureReason"].startswith("Could not access model data at s3://")


def test_an_isolated_model_has_a_network_of_its_own(local: Local) -> None:
    local.client("sagemaker").create_model(
        ModelName="isolated", PrimaryContainer={"Image": IMAGE}, EnableNetworkIsolation=True
    )
    host(local)
    deployed(local, ModelName="isolated")
    (running,) = local.engine.all.values()
    assert local.engine.all_networks[running.spec.network]["isolated"] == "True"
    assert invoke(local, InferenceComponentName="first")["Body"] == b"hello"
    local.client("sagemaker").delete_inference_component(InferenceComponentName="first")
    awaited(lambda: running.spec.network not in local.engine.all_networks)


def test_a_copy_that_ends_is_replaced(local: Local) -> None:
    host(local)
    deployed(local)
    (first,) = local.engine.all
    local.engine.kill(first)
    awaited(lambda: first not in local.engine.all and len(local.engine.all) == 1)
    awaited(lambda: answers(local))


def answers(local: Local) -> bool:
    try:
        return bool(invoke(local, InferenceComponentName="first")["Body"] == b"hello")
    except ClientError:
        return False
