"""Whether something is there, asked of the service."""

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["found"]

#: SageMaker's Describe calls say ValidationException where there is no such thing. Who may not
#: look is not told either: the call that matters is refused then.
_UNSEEN = ("AccessDeniedException", "ResourceNotFound", "ValidationException")


def found(describe: Callable[..., Mapping[str, Any]], **name: str) -> Mapping[str, Any] | None:
    """Return what a Describe call answers; None where there is nothing, or it is not shown."""
    from botocore.exceptions import ClientError

    try:
        return describe(**name)
    except ClientError as error:
        if error.response["Error"]["Code"] in _UNSEEN:
            return None
        raise
