"""Continuation tokens: opaque to clients, the last name of a page to us."""

import base64

from sagedock.local.s3.errors import S3Error

__all__ = ["name_in", "token_for"]


def token_for(name: str) -> str:
    """Return the token that continues after ``name``."""
    return base64.urlsafe_b64encode(name.encode()).decode()


def name_in(token: str) -> str:
    """Return the name that a token continues after. Raises InvalidArgument."""
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except ValueError:
        raise S3Error(
            "InvalidArgument",
            "The continuation token provided is incorrect",
            ArgumentName="continuation-token",
        ) from None
