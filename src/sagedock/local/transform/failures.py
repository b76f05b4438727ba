"""What makes an object's transformation fail, in the words of the data log.

Sources of the words are rows 117, 118 and 120 of the fidelity corpus, unless they are marked.
"""

from typing import Literal

__all__ = ["Blame", "ObjectFailed", "bad_data", "bad_output", "no_answer", "refused", "too_large"]

#: Whose fault it is: what FailureReason begins with.
Blame = Literal["ClientError", "AlgorithmError"]

_CLIENT_ERRORS = range(400, 500)
#: What is told of an answer that refuses a payload.
_MOST_TOLD_BYTES = 64 * 1024


class ObjectFailed(Exception):
    """One object cannot be transformed; ``lines`` are what the data log says of it."""

    def __init__(self, blame: Blame, *lines: str) -> None:
        self.blame = blame
        self.lines = lines
        super().__init__(lines[0])


def refused(status: int, body: bytes, container: str | None = None) -> ObjectFailed:
    """The container, which ``container`` names if it is one of several, answered something else
    than 200: 4xx is the client's fault. Sources: rows 117, 118, and for several containers
    aws/amazon-sagemaker-examples#898; that an answer below 400 counts as the algorithm's fault is
    unverified.
    """
    text = body[:_MOST_TOLD_BYTES].decode("utf-8", errors="replace")
    told = ("", "Message:", *text.splitlines(), *_by(container))
    if status in _CLIENT_ERRORS:
        return ObjectFailed("ClientError", f"ClientError: {status}", *told)
    return ObjectFailed(
        "AlgorithmError", f"Bad HTTP status received from algorithm: {status}", *told
    )


def no_answer(container: str | None = None) -> ObjectFailed:
    """The container did not answer in time, or broke the connection. Source of the words:
    aws/sagemaker-python-sdk#1951.
    """
    told = "Unable to get response from algorithm"
    return ObjectFailed("AlgorithmError", told, *_by(container))


def too_large(most_bytes: int) -> ObjectFailed:
    """A record, or an object that is not split, is larger than MaxPayloadInMB. Unverified words;
    that it is an error: https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-errors.html.
    """
    mib = most_bytes // (1024 * 1024)
    return ObjectFailed("ClientError", f"Too much data for max payload size of {mib} MB")


def bad_data(why: str) -> ObjectFailed:
    """The object's own data is not what the request says of it."""
    return ObjectFailed("ClientError", why)


def bad_output(why: str) -> ObjectFailed:
    """The container's answer is not what the request says of it (whose fault is unverified)."""
    return ObjectFailed("AlgorithmError", why)


def _by(container: str | None) -> tuple[str, ...]:
    """Say which of several containers it was. On AWS nothing does: the words are ours."""
    return () if container is None else (f"sagedock: this was container {container}",)
