"""A SageMaker endpoint as a target, on AWS or locally: requests as boto3 writes and signs them."""

import io
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sagedock.api.aws_errors import no_credentials, not_signed_in
from sagedock.client.refusals import WITHOUT
from sagedock.errors import InvalidRequest
from sagedock.load.target import Address, Body, message_of

__all__ = ["EndpointTarget"]

_INVOKE = "invoke_endpoint"
_STREAM = "invoke_endpoint_with_response_stream"
_OK = 200
#: How long a signature is used: AWS takes one for five minutes in most cases, and making it costs
#: a millisecond. Source: IAM user guide, reference_aws-signing. Unverified: that the runtime takes
#: the same one twice.
_SIGNED_FOR_S = 60.0


class EndpointTarget:
    """An endpoint by name, by way of a boto3 client of ``sagemaker-runtime``.

    boto3 makes, checks and signs each request, and hands it over instead of sending it. Several
    ``bodies`` take turns. ``members`` are further members of InvokeEndpoint, such as TargetModel.
    """

    def __init__(
        self,
        client: Any,
        endpoint: str,
        *,
        bodies: Sequence[Body],
        members: Mapping[str, str] | None = None,
        streams: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._endpoint, self._bodies, self._members = endpoint, tuple(bodies), dict(members or {})
        self._call = getattr(client, _STREAM if streams else _INVOKE)
        self._clock = clock
        self._signed: dict[int, tuple[float, bytes]] = {}
        self._caught: list[Any] = []
        self.is_event_stream = streams
        client.meta.events.register_last("before-send.sagemaker-runtime.*", self._catch)
        self.address = Address.of(self._prepared(self._bodies[0]).url)

    @property
    def name(self) -> str:
        """The endpoint's name, and where it is."""
        return f"endpoint {self._endpoint} at {self.address.authority}"

    def message(self, number: int) -> bytes:
        """Return the whole ``number``th request, head and body, with a signature that holds."""
        index = number % len(self._bodies)
        until, message = self._signed.get(index, (-math.inf, b""))
        now = self._clock()
        if now >= until:
            message = self._written(self._bodies[index])
            self._signed[index] = (now + _SIGNED_FOR_S, message)
        return message

    def _written(self, body: Body) -> bytes:
        prepared = self._prepared(body)
        path = prepared.url.partition("://")[2].partition("/")[2]
        headers = {name: _text(value) for name, value in prepared.headers.items()}
        return message_of(
            prepared.method, f"/{path}", {"Host": self.address.authority, **headers}, body.data
        )

    def _prepared(self, body: Body) -> Any:
        from botocore.exceptions import ParamValidationError

        self._caught.clear()
        try:
            self._call(
                EndpointName=self._endpoint,
                Body=body.data,
                ContentType=body.content_type,
                **self._members,
            )
        except ParamValidationError as error:
            raise InvalidRequest([f"{self._endpoint}: {error}"]) from error
        except no_credentials() as error:  # to sign it with
            raise not_signed_in(error, "AWS", WITHOUT) from error
        (prepared,) = self._caught
        return prepared

    def _catch(self, request: Any, **_: Any) -> Any:
        """Take a request that is ready to be sent, and answer in the endpoint's place."""
        from botocore.awsrequest import AWSResponse

        self._caught.append(request)
        return AWSResponse(request.url, _OK, {}, io.BytesIO())


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
