"""What the service publishes of asynchronous and serverless endpoints in CloudWatch.

Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/async-inference-monitor.html (which spells
InvocationsProcessed with a third s; clients know it as here) and
https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints-monitoring.html.
HasBacklogWithoutCapacity: .../async-inference-autoscale.html, and "Metrics" of aws-answers.
"""

from collections.abc import Mapping
from types import MappingProxyType

__all__ = [
    "AGE_OF_OLDEST",
    "BACKLOG",
    "BACKLOG_PER_INSTANCE",
    "BACKLOG_UNITS",
    "CONCURRENT_EXECUTIONS",
    "DOWNLOAD_FAILURES",
    "DOWNLOAD_LATENCY",
    "EXPIRED",
    "FAILURES",
    "MEMORY",
    "MEMORY_NAMESPACE",
    "NOTIFICATION_FAILURES",
    "PROCESSED",
    "PROVISIONED_EXECUTIONS",
    "PROVISIONED_INVOCATIONS",
    "PROVISIONED_UTILIZATION",
    "SETUP_TIME",
    "SPILLOVER",
    "TIME_IN_BACKLOG",
    "TOTAL_TIME",
    "UNITS",
    "UPLOAD_FAILURES",
    "UPLOAD_LATENCY",
    "WITHOUT_CAPACITY",
    "endpoint_dimension",
]

#: Of a whole endpoint, by its name alone.
BACKLOG = "ApproximateBacklogSize"
BACKLOG_PER_INSTANCE = "ApproximateBacklogSizePerInstance"
AGE_OF_OLDEST = "ApproximateAgeOfOldestRequest"
WITHOUT_CAPACITY = "HasBacklogWithoutCapacity"
BACKLOG_UNITS: Mapping[str, str] = MappingProxyType(
    {
        BACKLOG: "Count",
        BACKLOG_PER_INSTANCE: "Count",
        AGE_OF_OLDEST: "Seconds",
        WITHOUT_CAPACITY: "Count",
    }
)

#: Of a variant of an asynchronous endpoint.
PROCESSED = "InvocationsProcessed"
FAILURES = "InvocationFailures"
EXPIRED = "ExpiredRequests"
DOWNLOAD_FAILURES = "RequestDownloadFailures"
UPLOAD_FAILURES = "ResponseUploadFailures"
NOTIFICATION_FAILURES = "NotificationFailures"
DOWNLOAD_LATENCY = "RequestDownloadLatency"
UPLOAD_LATENCY = "ResponseUploadLatency"
TIME_IN_BACKLOG = "TimeInBacklog"
TOTAL_TIME = "TotalProcessingTime"

#: Of a variant of a serverless endpoint.
SETUP_TIME = "ModelSetupTime"
CONCURRENT_EXECUTIONS = "ServerlessConcurrentExecutionsUtilization"
PROVISIONED_EXECUTIONS = "ServerlessProvisionedConcurrencyExecutions"
PROVISIONED_UTILIZATION = "ServerlessProvisionedConcurrencyUtilization"
PROVISIONED_INVOCATIONS = "ServerlessProvisionedConcurrencyInvocations"
SPILLOVER = "ServerlessProvisionedConcurrencySpilloverInvocations"
MEMORY = "MemoryUtilization"
MEMORY_NAMESPACE = "/aws/sagemaker/Endpoints"

UNITS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(
            (PROCESSED, FAILURES, EXPIRED, DOWNLOAD_FAILURES, UPLOAD_FAILURES), "Count"
        ),
        NOTIFICATION_FAILURES: "Count",
        DOWNLOAD_LATENCY: "Microseconds",
        UPLOAD_LATENCY: "Microseconds",
        TIME_IN_BACKLOG: "Microseconds",
        TOTAL_TIME: "Milliseconds",
        SETUP_TIME: "Microseconds",
        CONCURRENT_EXECUTIONS: "None",
        PROVISIONED_EXECUTIONS: "Count",
        PROVISIONED_UTILIZATION: "None",
        PROVISIONED_INVOCATIONS: "Count",
        SPILLOVER: "Count",
        MEMORY: "Percent",
    }
)


def endpoint_dimension(endpoint: str) -> Mapping[str, str]:
    """Return the dimension of what a whole endpoint has."""
    return {"EndpointName": endpoint}
