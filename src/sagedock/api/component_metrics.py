"""What the service publishes of inference components in CloudWatch.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html; of
NoCapacityInvocationFailures: .../endpoint-auto-scaling-zero-instances.html.
"""

from collections.abc import Mapping

from sagedock.api.metrics import PREFIX, UNIT_OF_INSTANCES, UNIT_OF_INVOCATIONS, Metric

__all__ = [
    "CONCURRENT_PER_COPY",
    "COPIES",
    "CPU",
    "MEMORY",
    "NO_CAPACITY",
    "PER_COPY",
    "UNIT_OF_COPIES",
    "component_dimension",
]

#: Of invocations, in ``AWS/SageMaker``.
PER_COPY = "InvocationsPerCopy"
CONCURRENT_PER_COPY = "ConcurrentRequestsPerCopy"
#: One for each request that found no copy. Its unit is unverified.
NO_CAPACITY = Metric(name="NoCapacityInvocationFailures", unit=UNIT_OF_INVOCATIONS)

#: Of what each copy uses, through what is reserved for it. That the unit is Percent is unverified.
COPIES = f"{PREFIX}InferenceComponents"
CPU = "CPUUtilizationNormalized"
MEMORY = "MemoryUtilizationNormalized"
UNIT_OF_COPIES = UNIT_OF_INSTANCES


def component_dimension(component: str) -> Mapping[str, str]:
    """Return the dimension of what an inference component answers."""
    return {"InferenceComponentName": component}
