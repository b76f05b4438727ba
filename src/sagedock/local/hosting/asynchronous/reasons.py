"""Why an asynchronous invocation failed, where no container said so. Unverified, unless a source is
given.
"""

__all__ = ["CONTENT_TYPE", "EXPIRED", "NO_LENGTH", "large_input", "no_input", "not_stored"]

#: Of a failure's object that no container wrote.
CONTENT_TYPE = "text/plain; charset=utf-8"
EXPIRED = "The request expired: it was in the queue for longer than RequestTTLSeconds."
#: Source: row 97 of aws-answers' page on the rest (deepjavalibrary/djl-serving#2567).
NO_LENGTH = "The response from container primary did not specify the required Content-Length header"


def no_input(uri: str, why: str) -> str:
    """The input is not there."""
    return (
        f"Could not access the input at {uri}: {why}. Please ensure that there is an object "
        "located at the URI and that the role passed to CreateModel has permissions to download it."
    )


def large_input(uri: str, size: int) -> str:
    """The input has more than a gigabyte."""
    return f"The input at {uri} has {size} bytes: at most 1 GB can be processed."


def not_stored(uri: str, why: str) -> str:
    """The result could not be stored."""
    return f"Could not upload the response to {uri}: {why}."
