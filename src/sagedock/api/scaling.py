"""Application Auto Scaling for SageMaker as data: dimensions, predefined metrics, alarms, quotas.

Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-add-code-define.html,
https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-quotas.html
and the service's model.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sagedock.api.component_metrics import CONCURRENT_PER_COPY, PER_COPY
from sagedock.api.metrics import PER_INSTANCE, PUBLISHED_EVERY_S

__all__ = [
    "AUTOSCALING",
    "DEFAULT_COOLDOWN_S",
    "DIMENSIONS",
    "HIGH_PERIODS",
    "KEPT_S",
    "LOW_PERIODS",
    "LOW_SHARE",
    "MOST_ACTIONS",
    "MOST_POLICIES",
    "MOST_STEPS",
    "NAMESPACE",
    "PAGE_OF_POLICIES",
    "PAGE_SIZE",
    "PREDEFINED",
    "VARIANT",
    "ScalableDimension",
    "ScalingMetric",
]

#: The service, as its model is called and as its requests are signed. Source: row 117 of the rest.
AUTOSCALING = "application-autoscaling"
#: The only ServiceNamespace that is SageMaker's.
NAMESPACE = "sagemaker"
#: What SageMaker's variants wait if a policy does not say. Sources:
#: API_TargetTrackingScalingPolicyConfiguration, API_StepScalingPolicyConfiguration.
DEFAULT_COOLDOWN_S = 300
#: Sources: the quotas' page; none of the three can be raised.
MOST_POLICIES = 50
MOST_ACTIONS = 200
MOST_STEPS = 20
#: Sources: API_DescribeScalableTargets, API_DescribeScalingPolicies.
PAGE_SIZE = 50
PAGE_OF_POLICIES = 10
#: Activities are answered for six weeks. Source: API_DescribeScalingActivities.
KEPT_S = 6 * 7 * 24 * 3600

#: Target tracking scales out when the metric is above the target for so many periods, and in when
#: it is below nine tenths of it for so many minutes. Seen in alarms that Terraformer wrote down and
#: in hashicorp/terraform-provider-aws#42553 (both ECS); "usually more than 10% lower" is the
#: guide's. That SageMaker's alarms have the same numbers is unverified.
HIGH_PERIODS = 3
LOW_PERIODS = 15
LOW_SHARE = 0.9


@dataclass(frozen=True, kw_only=True)
class ScalableDimension:
    """What of a resource is scaled: how its ResourceId is written, and what activities call it.

    The words for copies are unverified.
    """

    name: str
    resource: re.Pattern[str]
    words: str


VARIANT = ScalableDimension(
    name="sagemaker:variant:DesiredInstanceCount",
    resource=re.compile(
        r"endpoint/(?P<endpoint>[a-zA-Z0-9][a-zA-Z0-9-]{0,62})"
        r"/variant/(?P<variant>[a-zA-Z0-9][a-zA-Z0-9-]{0,62})"
    ),
    words="desired instance count",
)
_COMPONENT = ScalableDimension(
    name="sagemaker:inference-component:DesiredCopyCount",
    resource=re.compile(r"inference-component/(?P<component>[a-zA-Z0-9][a-zA-Z0-9-]{0,62})"),
    words="desired copy count",
)
#: The dimensions that can be scaled here. Provisioned concurrency is not among them.
DIMENSIONS: Mapping[str, ScalableDimension] = MappingProxyType(
    {each.name: each for each in (VARIANT, _COMPONENT)}
)


@dataclass(frozen=True, kw_only=True)
class ScalingMetric:
    """A predefined metric of target tracking: what CloudWatch calls it, and how it is put together.

    ``period_s`` is how often it is published, and the period of the alarm that scales out.
    """

    name: str
    statistic: str
    period_s: int
    dimension: ScalableDimension


#: High-resolution metrics are published every 10 seconds. Their alarm's statistic was told by one
#: who measured it (Maximum); its number of periods is unverified.
_HIGH_RESOLUTION_S = 10
PREDEFINED: Mapping[str, ScalingMetric] = MappingProxyType(
    {
        "SageMakerVariantInvocationsPerInstance": ScalingMetric(
            name=PER_INSTANCE,
            statistic="Sum",
            period_s=PUBLISHED_EVERY_S,
            dimension=VARIANT,
        ),
        "SageMakerVariantConcurrentRequestsPerModelHighResolution": ScalingMetric(
            name="ConcurrentRequestsPerModel",
            statistic="Maximum",
            period_s=_HIGH_RESOLUTION_S,
            dimension=VARIANT,
        ),
        "SageMakerInferenceComponentInvocationsPerCopy": ScalingMetric(
            name=PER_COPY,
            statistic="Sum",
            period_s=PUBLISHED_EVERY_S,
            dimension=_COMPONENT,
        ),
        "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution": ScalingMetric(
            name=CONCURRENT_PER_COPY,
            statistic="Maximum",
            period_s=_HIGH_RESOLUTION_S,
            dimension=_COMPONENT,
        ),
    }
)
