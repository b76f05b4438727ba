"""An endpoint, as data: its variants, what it captures, and how it is called."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sagedock.errors import InvalidRequest
from sagedock.jobs.request import Request, merged, present
from sagedock.jobs.tags import Tags, tag_list

__all__ = [
    "AsyncInference",
    "DataCapture",
    "EndpointDeployment",
    "ProductionVariant",
    "Serverless",
]

#: Source: API_ProductionVariantServerlessConfig, MemorySizeInMB and MaxConcurrency.
_MEMORIES_MB = (1024, 2048, 3072, 4096, 5120, 6144)
_MOST_AT_ONCE = 200


@dataclass(frozen=True, kw_only=True)
class Serverless:
    """A variant without instances: it starts with the first request.

    The names are SageMaker SDK v2's ``ServerlessInferenceConfig``. Raises InvalidRequest for
    numbers that the service does not have.
    """

    memory_size_in_mb: int = 2048
    max_concurrency: int = 5
    provisioned_concurrency: int | None = None

    def __post_init__(self) -> None:
        if problems := [*self._problems()]:
            raise InvalidRequest(problems)

    def parameters(self) -> dict[str, Any]:
        """Return it as a ServerlessConfig."""
        return present(
            {
                "MemorySizeInMB": self.memory_size_in_mb,
                "MaxConcurrency": self.max_concurrency,
                "ProvisionedConcurrency": self.provisioned_concurrency,
            }
        )

    def _problems(self) -> Iterator[str]:
        if self.memory_size_in_mb not in _MEMORIES_MB:
            sizes = f"{', '.join(map(str, _MEMORIES_MB[:-1]))} or {_MEMORIES_MB[-1]}"
            yield f"memory_size_in_mb: {self.memory_size_in_mb!r} is no size: give {sizes}"
        if self.max_concurrency not in range(1, _MOST_AT_ONCE + 1):
            yield f"max_concurrency: {self.max_concurrency!r} is not within 1 and {_MOST_AT_ONCE}"
        most, kept = self.max_concurrency, self.provisioned_concurrency
        if kept is not None and kept not in range(1, most + 1):
            yield f"provisioned_concurrency: {kept!r} is not within 1 and max_concurrency, {most}"


@dataclass(frozen=True, kw_only=True)
class AsyncInference:
    """Answers go to S3, below ``output_path``; what failed goes below ``failure_path``, which is
    ``output_path``'s failures/ unless given: who waits for an answer must get to know.

    The topics are ARNs of SNS: they are told of each answer. The names are SageMaker SDK v2's
    ``AsyncInferenceConfig``.
    """

    output_path: str
    failure_path: str | None = None
    max_concurrent_invocations_per_instance: int | None = None
    success_topic: str | None = None
    error_topic: str | None = None
    kms_key_id: str | None = None

    def parameters(self) -> dict[str, Any]:
        """Return it as an AsyncInferenceConfig."""
        topics = {"SuccessTopic": self.success_topic, "ErrorTopic": self.error_topic}
        output = {
            "KmsKeyId": self.kms_key_id,
            "S3OutputPath": self.output_path,
            "S3FailurePath": self.failure_path or f"{self.output_path.rstrip('/')}/failures",
            "NotificationConfig": present(topics),
        }
        most = self.max_concurrent_invocations_per_instance
        client = {"MaxConcurrentInvocationsPerInstance": most}
        return present({"ClientConfig": present(client), "OutputConfig": present(output)})


@dataclass(frozen=True, kw_only=True)
class DataCapture:
    """Requests and answers are kept as JSON lines below ``destination_s3_uri``.

    The names are SageMaker SDK v2's ``DataCaptureConfig``; ``sampling_percentage`` is 0 to 100.
    """

    destination_s3_uri: str
    sampling_percentage: int = 20
    capture_options: Sequence[Literal["REQUEST", "RESPONSE"]] = ("REQUEST", "RESPONSE")
    csv_content_types: Sequence[str] = ("text/csv",)
    json_content_types: Sequence[str] = ("application/json",)
    kms_key_id: str | None = None

    def parameters(self) -> dict[str, Any]:
        """Return it as a DataCaptureConfig."""
        # The service says Input and Output (source: API_CaptureOption).
        names = {"REQUEST": "Input", "RESPONSE": "Output"}
        types = {
            "CsvContentTypes": list(self.csv_content_types),
            "JsonContentTypes": list(self.json_content_types),
        }
        return present(
            {
                "EnableCapture": True,
                "InitialSamplingPercentage": self.sampling_percentage,
                "DestinationS3Uri": self.destination_s3_uri,
                "KmsKeyId": self.kms_key_id,
                "CaptureOptions": [{"CaptureMode": names[each]} for each in self.capture_options],
                "CaptureContentTypeHeader": present(types),
            }
        )


@dataclass(frozen=True, kw_only=True)
class ProductionVariant:
    """A model on machines of its own, which gets the share ``initial_weight`` of the requests.

    With ``serverless`` it has no instances; else it has one unless more are said. Timeouts are
    seconds, ``volume_size`` GB. ``extra`` is in API casing and is merged in last.
    """

    model_name: str
    variant_name: str = "AllTraffic"
    instance_type: str | None = None
    initial_instance_count: int | None = None
    initial_weight: float = 1.0
    serverless: Serverless | None = None
    volume_size: int | None = None
    model_data_download_timeout: int | None = None
    container_startup_health_check_timeout: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def parameters(self) -> dict[str, Any]:
        """Return it as a ProductionVariant of the API."""
        count = self.initial_instance_count
        if count is None and self.instance_type is not None and self.serverless is None:
            count = 1
        members = {
            "VariantName": self.variant_name,
            "ModelName": self.model_name,
            "InitialInstanceCount": count,
            "InstanceType": self.instance_type,
            "InitialVariantWeight": self.initial_weight,
            "ServerlessConfig": self.serverless.parameters() if self.serverless else None,
            "VolumeSizeInGB": self.volume_size,
            "ModelDataDownloadTimeoutInSeconds": self.model_data_download_timeout,
            "ContainerStartupHealthCheckTimeoutInSeconds": (
                self.container_startup_health_check_timeout
            ),
        }
        return merged(present(members), self.extra)


@dataclass(frozen=True, kw_only=True)
class EndpointDeployment:
    """An endpoint and its configuration, which has the endpoint's name unless ``config_name`` is
    given. ``extra`` is merged into the configuration's request.
    """

    name: str
    variants: Sequence[ProductionVariant]
    config_name: str | None = None
    shadow_variants: Sequence[ProductionVariant] = ()
    async_inference: AsyncInference | None = None
    data_capture: DataCapture | None = None
    kms_key: str | None = None
    tags: Tags = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def requests(self) -> tuple[Request, ...]:
        """Return CreateEndpointConfig and CreateEndpoint."""
        return (self._config(), self._endpoint("CreateEndpoint", {"Tags": tag_list(self.tags)}))

    def update_requests(self) -> tuple[Request, ...]:
        """Return CreateEndpointConfig and UpdateEndpoint, for an endpoint that is there."""
        return (self._config(), self._endpoint("UpdateEndpoint", {}))

    def _config(self) -> Request:
        members = {
            "EndpointConfigName": self.config_name or self.name,
            "ProductionVariants": [each.parameters() for each in self.variants],
            "ShadowProductionVariants": [each.parameters() for each in self.shadow_variants],
            "AsyncInferenceConfig": self.async_inference and self.async_inference.parameters(),
            "DataCaptureConfig": self.data_capture and self.data_capture.parameters(),
            "KmsKeyId": self.kms_key,
            "Tags": tag_list(self.tags),
        }
        parameters = merged(present(members), self.extra)
        return Request(service="sagemaker", operation="CreateEndpointConfig", parameters=parameters)

    def _endpoint(self, operation: str, more: Mapping[str, Any]) -> Request:
        members = {
            "EndpointName": self.name,
            "EndpointConfigName": self.config_name or self.name,
            **more,
        }
        return Request(service="sagemaker", operation=operation, parameters=present(members))
