"""A refusal on its way from an operation to the wire."""

from sagedock.api import ServiceError

__all__ = ["ENDING", "Refused"]

#: What no server that ends can carry out any more.
ENDING = ServiceError(
    code="ServiceUnavailable",
    message="The local SageMaker is ending: start it again with `sagedock local up`",
    http_status=503,
)


class Refused(Exception):
    """An operation refuses a request; ``error`` is what the caller is answered."""

    def __init__(self, error: ServiceError) -> None:
        self.error = error
        super().__init__(f"{error.code}: {error.message}")
