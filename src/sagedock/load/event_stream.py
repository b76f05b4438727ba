"""AWS's event stream, as far as a load test looks at it: when data came, and whether it failed."""

from sagedock.load.exchange import Failure

__all__ = ["EventStream"]


class EventStream:
    """Reads the answer of InvokeEndpointWithResponseStream, piece by piece.

    Source: API_runtime_InvokeEndpointWithResponseStream, ResponseStream: events ``PayloadPart``,
    and exceptions ``ModelStreamError`` and ``InternalStreamFailure``.
    """

    def __init__(self) -> None:
        from botocore.eventstream import EventStreamBuffer

        self._buffer = EventStreamBuffer()
        self.has_data = False
        self.failure: Failure | None = None

    def feed(self, piece: bytes) -> None:
        """Take what came. A stream that cannot be read is a failure of its own."""
        from botocore.eventstream import ParserError

        if self.failure is not None:
            return
        self._buffer.add_data(piece)
        try:
            for event in self._buffer:
                self._take(event.headers, event.payload)
        except ParserError as error:
            self.failure = Failure(kind="malformed", detail=f"event stream: {error}")

    def _take(self, headers: dict[str, str], payload: bytes) -> None:
        match headers.get(":message-type"):
            case "event":
                self.has_data = self.has_data or headers.get(":event-type") == "PayloadPart"
            case _:
                name = headers.get(":exception-type") or headers.get(":error-code") or "error"
                self.failure = Failure(
                    kind="stream", detail=name, example=payload.decode(errors="replace")
                )
