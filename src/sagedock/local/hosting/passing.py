"""What of an invocation's headers reaches a container, and what of its answer the caller."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sagedock import api
from sagedock.contract import routes
from sagedock.local import agents
from sagedock.local.hosting.connection import Answer
from sagedock.local.hosting.eventstream import CONTENT_TYPE

__all__ = ["CLOSED_SESSION", "NEW_SESSION", "Asked", "Headers", "passed_on", "returned"]

Headers = list[tuple[bytes, bytes]]

_SERVICE = "sagemaker-runtime"
_OURS = b"x-amzn-sagemaker-"
_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_TARGET_VARIANT = _OURS + b"target-variant"
_TARGET_MODEL = _OURS + b"target-model"
_STREAM_ACCEPT = _OURS + b"accept"
_ATTRIBUTES = _OURS + b"custom-attributes"
_SESSION = _OURS + b"session-id"
#: By these a model tells that it has begun a session, or ended one.
NEW_SESSION = _OURS + b"new-session-id"
CLOSED_SESSION = _OURS + b"closed-session-id"
#: What reaches the container beside Content-Type and Accept; everything else is stripped. Source:
#: the contract's INFERENCE page; for others than CustomAttributes unverified.
_PASSED = (
    (_ATTRIBUTES, b"X-Amzn-SageMaker-Custom-Attributes"),
    (_OURS + b"inference-id", b"X-Amzn-SageMaker-Inference-Id"),
    (_TARGET_VARIANT, b"X-Amzn-SageMaker-Target-Variant"),
    (_TARGET_MODEL, b"X-Amzn-SageMaker-Target-Model"),
    (_OURS + b"prefix-aware-id", b"X-Amzn-SageMaker-Prefix-Aware-Id"),
    (_SESSION, b"X-Amzn-SageMaker-Session-Id"),
)
#: The members of a request that travel in headers, by header.
_MEMBERS = {
    _ATTRIBUTES: "CustomAttributes",
    _OURS + b"inference-id": "InferenceId",
    _TARGET_MODEL: "TargetModel",
    _TARGET_VARIANT: "TargetVariant",
    _OURS + b"prefix-aware-id": "PrefixAwareId",
    _SESSION: "SessionId",
    _OURS + b"inference-component": "InferenceComponentName",
    _OURS + b"target-container-hostname": "TargetContainerHostname",
    _OURS + b"enable-explanations": "EnableExplanations",
}
#: Members that no endpoint here can follow.
_NOT_HERE = ("EnableExplanations",)
#: The SessionId of a request that asks for a session.
_TO_COME = "NEW_SESSION"


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One invocation as its head tells it. Names of headers are lower-case."""

    operation: str
    endpoint: str
    region: str
    request_id: str
    headers: Mapping[bytes, bytes]
    members: Mapping[str, str]

    @classmethod
    def of(
        cls, headers: Headers, *, operation: str, endpoint: str, region: str, request_id: str
    ) -> "Asked":
        """Return what the head of a request says."""
        by_name = dict(headers)
        members = {
            _MEMBERS[name]: value.decode("latin-1")
            for name, value in headers
            if name.startswith(_OURS) and name in _MEMBERS
        }
        return cls(
            operation=operation,
            endpoint=endpoint,
            region=region,
            request_id=request_id,
            headers=by_name,
            members=members,
        )

    @property
    def variant(self) -> str | None:
        """The variant that the caller wants, or None."""
        return self.members.get("TargetVariant")

    @property
    def component(self) -> str | None:
        """The inference component that the caller wants, or None."""
        return self.members.get("InferenceComponentName")

    @property
    def session(self) -> str | None:
        """The session that the request belongs to, or None; one that it asks for is none yet."""
        session = self.members.get("SessionId")
        return None if session == _TO_COME else session

    @property
    def accept(self) -> bytes | None:
        """What the caller accepts: a stream's own Accept is the event stream's."""
        streams = self.operation != "InvokeEndpoint"
        return self.headers.get(_STREAM_ACCEPT if streams else b"accept")

    def problems(self) -> tuple[api.Problem, ...]:
        """Return what the service's model forbids of the names and members."""
        if not self.members and _NAME.fullmatch(self.endpoint):
            return ()  # as nearly always
        request = {"EndpointName": self.endpoint, "Body": b"", **self.members}
        return tuple(api.problems_in_request(_SERVICE, self.operation, request))

    def not_here(self) -> list[str]:
        """Return the members that no endpoint of the local SageMaker can follow."""
        return [name for name in _NOT_HERE if name in self.members]


def passed_on(
    asked: Asked,
    body: bytes,
    *,
    path: str = routes.INVOCATIONS.path,
    content_type: bytes | None = None,
    accepts: bool = True,
) -> bytes:
    """Return the request that a container gets: at ``path``, of the caller's content type unless
    there is another one, and with what the caller accepts if it ``accepts``.
    """
    lines = [
        b"POST " + path.encode() + b" HTTP/1.1",
        b"Host: model",
        b"User-Agent: " + agents.ENDPOINTS.encode(),
        b"Content-Length: " + str(len(body)).encode(),
    ]
    if content_type is None:
        content_type = asked.headers.get(b"content-type")
    if content_type:
        lines.append(b"Content-Type: " + content_type)
    if accepts and (accept := asked.accept):
        lines.append(b"Accept: " + accept)
    if asked.members:
        lines += (
            name + b": " + asked.headers[key] for key, name in _PASSED if key in asked.headers
        )
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def returned(answer: Answer, asked: Asked, variant: str, *, streamed: bool = False) -> Headers:
    """Return the headers that the caller gets. Source of a stream's: row 102 of aws-answers' page
    on the rest.
    """
    headers = [
        (b"x-amzn-requestid", asked.request_id.encode()),
        (b"x-amzn-invoked-production-variant", variant.encode()),
    ]
    content_type = answer.header(b"content-type")
    if streamed:
        headers += ((b"content-type", CONTENT_TYPE), (b"connection", b"keep-alive"))
        if content_type:
            headers.append((b"x-amzn-sagemaker-content-type", content_type))
    else:
        headers.append((b"content-length", str(answer.size).encode()))
        if content_type:
            headers.append((b"content-type", content_type))
    names = (_ATTRIBUTES,) if streamed else (_ATTRIBUTES, NEW_SESSION, CLOSED_SESSION)
    headers += ((name, value) for name in names if (value := answer.header(name)))
    return headers
