"""The messages of a training job's secondary statuses, taken from the service's own courses."""

from sagedock.api import states

__all__ = ["KIND", "TERMINAL", "messages"]

KIND: states.Kind = "training-job"
TERMINAL = states.STATUSES[KIND].terminal

_ORDINARY = (
    "spot-interrupted",
    "max-wait-never-launched",
    "retried",
    "completed",
    "script-failed",
    "stopped",
    "max-runtime",
)
_MESSAGES = {
    step.status: step.messages for story in _ORDINARY for step in states.STORIES[story].steps
}


def messages(status: str, story: str | None = None) -> tuple[str, ...]:
    """Return the messages of a secondary status, in the order in which they appear.

    They are those of the ordinary course, or of one of ``states.STORIES``.
    """
    if story is None:
        return _MESSAGES[status]
    return next(step.messages for step in states.STORIES[story].steps if step.status == status)
