"""Calls of an endpoint: at once, as a stream, and by way of S3."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sagedock.client.async_result import AsyncResult
from sagedock.client.endpoint import Endpoint
from sagedock.client.existing import endpoint_explained
from sagedock.client.refusals import explained
from sagedock.client.serializers import (
    BytesDeserializer,
    Deserializer,
    IdentitySerializer,
    Serializer,
)
from sagedock.client.session import Session
from sagedock.client.show import Show, to_stdout
from sagedock.errors import InvalidRequest, InvocationFailed

__all__ = ["Predictor"]


class Predictor:
    """Calls one endpoint; ``serializer`` makes the bodies, ``deserializer`` reads the answers."""

    def __init__(
        self,
        endpoint_name: str,
        *,
        session: Session | None = None,
        serializer: Serializer | None = None,
        deserializer: Deserializer | None = None,
        show: Show = to_stdout,
    ) -> None:
        self.endpoint = Endpoint(endpoint_name, session=session, show=show)
        self.serializer = serializer or IdentitySerializer()
        self.deserializer = deserializer or BytesDeserializer()

    def __repr__(self) -> str:
        return f"Predictor({self.endpoint.name!r})"

    @property
    def endpoint_name(self) -> str:
        """Its endpoint's name."""
        return self.endpoint.name

    def predict(self, data: Any, **options: Any) -> Any:
        """Return the model's answer to ``data``.

        ``options`` are members of InvokeEndpoint, by SDK v2's names (target_model,
        target_variant, inference_id, custom_attributes, ...). Raises InvocationFailed with what
        the container answered where it refused or failed.
        """
        with _explained(self.endpoint):
            answer = self._runtime.invoke_endpoint(**self._request(data, options))
        return self.deserializer.deserialize(answer["Body"], answer.get("ContentType", ""))

    def predict_stream(self, data: Any, **options: Any) -> Iterator[bytes]:
        """Yield the pieces of the model's answer as they come. Raises as ``predict`` does."""
        with _explained(self.endpoint):
            answer = self._runtime.invoke_endpoint_with_response_stream(
                **self._request(data, options)
            )
            for event in answer["Body"]:
                if part := event.get("PayloadPart"):
                    yield part["Bytes"]

    def predict_async(
        self, data: Any = None, *, input_path: str | None = None, **options: Any
    ) -> AsyncResult:
        """Have ``data``, or the object ``input_path``, answered by way of S3; return at once.

        Data is uploaded to the default bucket first.
        """
        if (data is None) == (input_path is None):
            raise InvalidRequest(["data: give data, or input_path (s3://bucket/key), and one only"])
        session = self.endpoint.session
        request = self._request(None, options)
        del request["Body"]
        request["InputLocation"] = input_path or self._uploaded(data)
        with _explained(self.endpoint):
            answer = self._runtime.invoke_endpoint_async(**request)
        return AsyncResult(
            endpoint_name=self.endpoint.name,
            inference_id=answer["InferenceId"],
            output_path=answer["OutputLocation"],
            failure_path=answer.get("FailureLocation"),
            session=session,
            deserializer=self.deserializer,
        )

    def delete_endpoint(self) -> None:
        """Delete the endpoint and its configuration, once no change of it is under way."""
        self.endpoint.delete()

    def _request(self, data: Any, options: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "EndpointName": self.endpoint.name,
            "Body": b"" if data is None else self.serializer.serialize(data),
            "ContentType": self.serializer.CONTENT_TYPE,
            "Accept": ", ".join(self.deserializer.ACCEPT),
            **{_api_name(name): value for name, value in options.items()},
        }

    def _uploaded(self, data: Any) -> str:
        session = self.endpoint.session
        bucket, key = session.default_bucket(), f"async-inputs/{self.endpoint.name}/{uuid.uuid4()}"
        with explained(session.target):
            session.client("s3").put_object(
                Bucket=bucket, Key=key, Body=self.serializer.serialize(data)
            )
        return f"s3://{bucket}/{key}"

    @property
    def _runtime(self) -> Any:
        return self.endpoint.session.client("sagemaker-runtime")


def _api_name(name: str) -> str:
    """Return InvokeEndpoint's member for SDK v2's name of it: ``target_model``, TargetModel."""
    return "".join(word.capitalize() for word in name.split("_"))


@contextmanager
def _explained(endpoint: Endpoint) -> Iterator[None]:
    """Raise what the container answered as InvocationFailed, and others as SagedockErrors."""
    from botocore.exceptions import ClientError

    try:
        with endpoint_explained(endpoint.session):
            yield
    except ClientError as error:
        answer: Any = error.response
        if answer["Error"]["Code"] != "ModelError":
            raise
        raise InvocationFailed(
            endpoint.name,
            status=answer.get("OriginalStatusCode"),
            answer=str(answer.get("OriginalMessage") or answer["Error"].get("Message", "")),
        ) from error
