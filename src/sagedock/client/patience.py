"""Calls that are made again while a service is busy or out of reach."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from sagedock.client.show import Show

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

__all__ = ["Clock", "patiently"]

Answer = TypeVar("Answer")

#: The codes by which AWS says "later"; botocore has already tried a few times when they show.
_LATER = frozenset(
    {
        "InternalFailure",
        "InternalServerError",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 30.0


class Clock:
    """The time, and waiting; tests pass one of their own."""

    def now(self) -> float:
        """Return seconds that only ever grow."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def patiently(call: Callable[[], Answer], *, patience_s: float, clock: Clock, show: Show) -> Answer:
    """Return what ``call`` returns, calling again while the service is busy or out of reach.

    The error is raised once it has lasted ``patience_s``; any other error at once.
    """
    from botocore import exceptions as aws

    began = clock.now()
    wait_s = _FIRST_WAIT_S
    while True:
        try:
            return call()
        except (aws.ClientError, aws.ConnectionError, aws.HTTPClientError) as error:
            if not _passes(error) or clock.now() + wait_s - began > patience_s:
                raise
            show(f"the service does not answer ({error}): asking again in {wait_s:.0f} s")
        clock.sleep(wait_s)
        wait_s = min(2 * wait_s, _LONGEST_WAIT_S)


def _passes(error: "ClientError | BotoCoreError") -> bool:
    response = getattr(error, "response", None)
    return response is None or response["Error"]["Code"] in _LATER
