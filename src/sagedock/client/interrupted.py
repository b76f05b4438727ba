"""Ctrl-C while a job is waited for: the job is stopped, and what is left of it is told."""

from collections.abc import Callable
from functools import cache
from typing import TypeVar

from sagedock.client.show import Show
from sagedock.contract import limits
from sagedock.errors import SagedockError

__all__ = ["begun_when_followed", "stopped_by_ctrl_c"]

Found = TypeVar("Found")

_GRACE = f"up to {int(limits.TRAINING_STOP_GRACE_S)} s to end"


def begun_when_followed(begin: Callable[[], Callable[[], Found]]) -> Callable[[], Found]:
    """Return what follows a job by what ``begin`` returns, which is called once, at first: what it
    asks of the service is part of the waiting, then.
    """
    begun = cache(begin)

    def follow() -> Found:
        return begun()()

    return follow


def stopped_by_ctrl_c(
    follow: Callable[[], Found],
    *,
    what: str,
    stop: Callable[[], None],
    left: Callable[[Found], str],
    show: Show,
) -> Found:
    """Return what ``follow`` finds at the end of a job; it may be called again, and goes on.

    Ctrl-C stops the job, follows it to its end, shows what is ``left``, and is raised then; a
    second one is raised at once.
    """
    try:
        return follow()
    except KeyboardInterrupt:
        _stop(follow, what=what, stop=stop, left=left, show=show)
        raise


def _stop(
    follow: Callable[[], Found],
    *,
    what: str,
    stop: Callable[[], None],
    left: Callable[[Found], str],
    show: Show,
) -> None:
    from botocore import exceptions as aws

    asked = False
    show(f"Ctrl-C: stopping {what}: its containers have {_GRACE}. A second Ctrl-C does not wait")
    try:
        stop()
        asked = True
        show(left(follow()))
    except KeyboardInterrupt:
        told = "was asked to stop, and is left to it" if asked else "was perhaps not stopped"
        show(f"{what} {told}")
        raise
    except (SagedockError, aws.ClientError, aws.BotoCoreError) as error:
        told = "was asked to stop; its end is not known" if asked else "was not stopped"
        show(f"{what} {told}: {error}")
