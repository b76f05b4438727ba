"""A refusal, as the service sends it."""

from dataclasses import dataclass

__all__ = ["ServiceError"]


@dataclass(frozen=True, kw_only=True)
class ServiceError:
    """One refusal: the error code, the text (None where the service sends none), the HTTP status.

    Nearly every refusal of SageMaker is HTTP 400, "not found" included.
    """

    code: str
    message: str | None
    http_status: int = 400
