"""Rules across the fields of a request, which no shape of the model can state."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from sagedock.api.rules import (
    components,
    hosting,
    logs,
    processing,
    registry,
    scaling,
    search,
    tags,
    training_algorithm,
    training_compute,
    training_data,
    training_update,
    transform,
    tuning,
)
from sagedock.api.rules.rule import Rule, RuleProblem
from sagedock.api.scaling import AUTOSCALING

__all__ = ["RULES", "Rule", "RuleProblem", "rule_problems"]

#: The rules of each operation, in the order in which they are reported.
RULES: Mapping[tuple[str, str], tuple[Rule, ...]] = MappingProxyType(
    {
        ("sagemaker", "CreateTrainingJob"): (
            *training_compute.RULES,
            *training_algorithm.RULES,
            *training_data.RULES,
            *tags.RULES,
        ),
        ("sagemaker", "CreateProcessingJob"): (*processing.CREATE_PROCESSING, *tags.RULES),
        ("sagemaker", "CreateTransformJob"): (*transform.CREATE_TRANSFORM, *tags.RULES),
        ("sagemaker", "CreateHyperParameterTuningJob"): (*tuning.CREATE_TUNING, *tags.RULES),
        ("sagemaker", "AddTags"): tags.RULES,
        ("sagemaker", "CreateModel"): hosting.CREATE_MODEL,
        ("sagemaker", "CreateEndpointConfig"): hosting.CREATE_CONFIG,
        ("sagemaker", "CreateEndpoint"): hosting.CREATE_ENDPOINT,
        ("sagemaker", "UpdateEndpoint"): hosting.UPDATE_ENDPOINT,
        ("sagemaker", "UpdateEndpointWeightsAndCapacities"): hosting.UPDATE_WEIGHTS,
        ("sagemaker", "CreateInferenceComponent"): components.CREATE_COMPONENT,
        ("sagemaker", "UpdateInferenceComponent"): components.UPDATE_COMPONENT,
        ("sagemaker", "UpdateTrainingJob"): training_update.RULES,
        ("sagemaker", "CreateModelPackage"): registry.CREATE_PACKAGE,
        ("sagemaker", "CreateAction"): tags.RULES,
        ("sagemaker", "CreateArtifact"): tags.RULES,
        ("sagemaker", "CreateContext"): tags.RULES,
        ("sagemaker", "CreateExperiment"): tags.RULES,
        ("sagemaker", "CreateModelPackageGroup"): tags.RULES,
        ("sagemaker", "CreateTrial"): tags.RULES,
        ("sagemaker", "CreateTrialComponent"): tags.RULES,
        ("sagemaker", "Search"): search.SEARCH,
        ("sagemaker", "UpdateModelPackage"): registry.UPDATE_PACKAGE,
        ("logs", "DescribeLogGroups"): logs.DESCRIBE_GROUPS,
        ("logs", "DescribeLogStreams"): logs.DESCRIBE_STREAMS,
        ("logs", "FilterLogEvents"): logs.FILTER_EVENTS,
        ("logs", "GetLogEvents"): logs.GET_EVENTS,
        (AUTOSCALING, "DescribeScalableTargets"): scaling.DESCRIBE,
        (AUTOSCALING, "DescribeScalingActivities"): scaling.DESCRIBE,
        (AUTOSCALING, "DescribeScalingPolicies"): scaling.DESCRIBE_POLICIES,
        (AUTOSCALING, "DescribeScheduledActions"): scaling.DESCRIBE,
        (AUTOSCALING, "PutScalingPolicy"): scaling.POLICY,
        (AUTOSCALING, "PutScheduledAction"): scaling.SCHEDULED_ACTION,
        (AUTOSCALING, "RegisterScalableTarget"): scaling.TARGET,
    }
)


def rule_problems(
    service: str, operation: str, request: Mapping[str, Any]
) -> tuple[RuleProblem, ...]:
    """Return every rule that ``request`` breaks. The service itself reports only the first.

    Expects a request in which ``problems_in_request`` found nothing.
    """
    return tuple(
        RuleProblem(rule=rule, message=rule.message.format_map(finding))
        for rule in RULES.get((service, operation), ())
        if (finding := rule.finding(request)) is not None
    )
