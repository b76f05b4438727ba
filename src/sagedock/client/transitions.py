"""A job's secondary states, as lines."""

from collections.abc import Mapping
from typing import Any

from sagedock.client.show import Show

__all__ = ["Transitions"]

#: States in which the container still runs, or has yet to: they are shown before its lines.
_BEFORE_LINES = frozenset({"Starting", "Pending", "Downloading", "Training", "Restarting"})


class Transitions:
    """Shows each secondary state and message of a job once."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._shown: dict[tuple[object, ...], set[str]] = {}

    def before_lines(self, description: Mapping[str, Any]) -> None:
        """Show the new states up to the one in which the container runs."""
        for transition in description.get("SecondaryStatusTransitions", ()):
            if transition["Status"] not in _BEFORE_LINES:
                break
            self._show_once(transition, description)

    def after_lines(self, description: Mapping[str, Any]) -> None:
        """Show all other new states."""
        for transition in description.get("SecondaryStatusTransitions", ()):
            self._show_once(transition, description)

    def _show_once(self, transition: Mapping[str, Any], description: Mapping[str, Any]) -> None:
        # A message is overwritten in place while its state lasts, so the text is part of the key,
        # and a later message has the time of the change.
        state = (transition["Status"], transition["StartTime"])
        message = transition.get("StatusMessage", "")
        if message in self._shown.setdefault(state, set()):
            return
        at = transition["StartTime"]
        if self._shown[state] and "EndTime" not in transition:
            at = description.get("LastModifiedTime", at)
        self._shown[state].add(message)
        self._show(f"[{at:%H:%M:%S}] {transition['Status']} - {message}")
