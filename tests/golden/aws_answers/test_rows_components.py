"""Rows of the fidelity corpus on inference components (the page "the rest"), and others."""

from sagedock.api import component_messages as words
from sagedock.api.rules import rule_problems


def test_rest_rows_80_and_104_a_call_without_the_header() -> None:
    error = words.header_missing()
    assert (error.code, error.http_status) == ("ValidationError", 400)
    assert error.message == (
        "Inference Component Name header is required for endpoints to which you plan to deploy "
        "inference components. Please include Inference Component Name header or consider using "
        "SageMaker models."
    )


def test_a_call_with_the_header_where_there_are_no_components() -> None:
    error = words.header_forbidden()
    assert (error.code, error.http_status) == ("ValidationError", 400)
    assert error.message == (
        "Inference Component Name header is not allowed for endpoints to which you dont plan to "
        "deploy inference components. Please remove the Inference Component Name header and try "
        "again."
    )


def test_a_call_where_there_is_no_copy() -> None:
    error = words.no_capacity()
    assert (error.code, error.http_status) == ("ValidationError", 400)
    assert error.message == (
        "Inference Component has no capacity to process this request. ApplicationAutoScaling may "
        "be in-progress (if configured) or try to increase the capacity by invoking "
        "UpdateInferenceComponentRuntimeConfig API."
    )


def test_a_component_for_an_endpoint_of_models() -> None:
    assert words.endpoint_without_components().message == (
        "Inference Components are not supported in this Endpoint. Please make sure this endpoint "
        "can deploy inference components."
    )


def test_rest_row_106_no_copy() -> None:
    request = {
        "InferenceComponentName": "c",
        "EndpointName": "e",
        "VariantName": "v",
        "Specification": {
            "ModelName": "m",
            "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 128},
        },
        "RuntimeConfig": {"CopyCount": 0},
    }
    (problem,) = rule_problems("sagemaker", "CreateInferenceComponent", request)
    assert problem.message == "Inference components copy count an integer larger than 0"
    assert problem.error.http_status == 400


def test_a_configuration_without_models_needs_a_role() -> None:
    operation = "CreateEndpointConfig"
    variant = {"VariantName": "v", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    request = {"EndpointConfigName": "c", "ProductionVariants": [variant]}
    (problem,) = rule_problems("sagemaker", operation, request)
    assert problem.message.startswith("ExecutionRoleArn is required")
    assert rule_problems("sagemaker", operation, {**request, "ExecutionRoleArn": "role"}) == ()
