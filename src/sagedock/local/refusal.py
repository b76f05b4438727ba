"""A refusal on its way from an operation to the wire."""

from sagedock.api import ServiceError

__all__ = ["Refused"]


class Refused(Exception):
    """An operation refuses a request; ``error`` is what the caller is answered."""

    def __init__(self, error: ServiceError) -> None:
        self.error = error
        super().__init__(f"{error.code}: {error.message}")
