"""What the service publishes of inference components in CloudWatch, in ``AWS/SageMaker``.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html; of
NoCapacityInvocationFailures: .../endpoint-auto-scaling-zero-instances.html.
"""

from collections.abc import Mapping

from sagedock.api.metrics import UNIT_OF_INVOCATIONS, Metric

__all__ = ["CONCURRENT_PER_COPY", "NO_CAPACITY", "PER_COPY", "component_dimension"]

PER_COPY = "InvocationsPerCopy"
CONCURRENT_PER_COPY = "ConcurrentRequestsPerCopy"
#: One for each request that found no copy. Its unit is unverified.
NO_CAPACITY = Metric(name="NoCapacityInvocationFailures", unit=UNIT_OF_INVOCATIONS)


def component_dimension(component: str) -> Mapping[str, str]:
    """Return the dimension of what an inference component answers."""
    return {"InferenceComponentName": component}
