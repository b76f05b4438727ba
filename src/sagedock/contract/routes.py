"""What a serving container answers over HTTP."""

from dataclasses import dataclass

from sagedock.contract import _sources as source

__all__ = [
    "BIDIRECTIONAL_STREAM",
    "EXECUTION_PARAMETERS",
    "INVOCATIONS",
    "MODELS",
    "PING",
    "PORT",
    "QUERY_STRING_HEADER",
    "Route",
]

#: Where the container listens, unless SAGEMAKER_BIND_TO_PORT names another port (source: HOSTING).
PORT = 8080


@dataclass(frozen=True, kw_only=True)
class Route:
    """One path and its method: what it is for, and the page that says so."""

    method: str
    path: str
    answers: str
    source: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


PING = Route(
    method="GET",
    path="/ping",
    answers="200 while the container can serve; within two seconds",
    source=source.HOSTING,
)
INVOCATIONS = Route(
    method="POST",
    path="/invocations",
    answers="a prediction for the body",
    source=source.HOSTING,
)
#: Only containers whose image has the label com.amazonaws.sagemaker.capabilities.
#: bidirectional-streaming=true are asked; each Ping (one a minute) must be answered with a Pong.
BIDIRECTIONAL_STREAM = Route(
    method="GET",
    path="/invocations-bidirectional-stream",
    answers="a WebSocket: text and binary messages both ways, until either side closes it",
    source=source.HOSTING,
)
#: What a client of a bidirectional stream asked SageMaker to append to the path, under the name of
#: the header that it used (source: HOSTING).
QUERY_STRING_HEADER = "x-amzn-sagemaker-model-query-string"
MODELS = Route(
    method="POST",
    path="/models",
    answers="200 once model_name is loaded from url; GET lists, /models/NAME describes (GET) and "
    "unloads (DELETE), /models/NAME/invoke predicts (POST)",
    source=source.MULTI_MODEL,
)
EXECUTION_PARAMETERS = Route(
    method="GET",
    path="/execution-parameters",
    answers="how batch transform should call: MaxConcurrentTransforms, BatchStrategy, "
    "MaxPayloadInMB",
    source=source.BATCH,
)
