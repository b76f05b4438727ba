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


def messages(status: str) -> tuple[str, ...]:
    """Return the messages of a secondary status, in the order in which they appear."""
    return _MESSAGES[status]
