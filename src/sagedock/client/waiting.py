"""Waiting for a job's end, with its lines and states shown meanwhile."""

from collections.abc import Callable, Mapping
from typing import Any

from sagedock.client.pace import Pace
from sagedock.client.patience import Clock, patiently
from sagedock.client.show import Show
from sagedock.client.transitions import Transitions

__all__ = ["wait_until_ended"]

Description = Mapping[str, Any]


def wait_until_ended(
    describe: Callable[[], Description],
    *,
    ended: Callable[[Description], bool],
    read_logs: Callable[[], int],
    pace: Pace,
    show: Show,
    clock: Clock | None = None,
    transitions: Transitions | None = None,
) -> Description:
    """Return the job's description once it has ended and its last line was shown.

    ``read_logs`` shows the new lines and returns how many there were; ``transitions`` shows the
    states, of which it may have shown some before.
    """
    clock = clock or Clock()
    transitions = transitions or Transitions(show)

    def patient_describe() -> Description:
        return patiently(describe, patience_s=pace.patience_s, clock=clock, show=show)

    def patient_read() -> int:
        return patiently(read_logs, patience_s=pace.patience_s, clock=clock, show=show)

    while True:
        # The state first and the lines second: all lines of an ended job are there to be read.
        description = patient_describe()
        transitions.before_lines(description)
        patient_read()
        if ended(description):
            _read_until_quiet(patient_read, pace, clock)
            transitions.after_lines(description)
            return description
        transitions.after_lines(description)
        clock.sleep(pace.poll_s)


def _read_until_quiet(read_logs: Callable[[], int], pace: Pace, clock: Clock) -> None:
    """Read on until no line has come for ``pace.quiet_s``."""
    last_line = clock.now()
    while clock.now() - last_line < pace.quiet_s:
        clock.sleep(min(pace.poll_s, pace.quiet_s))
        if read_logs():
            last_line = clock.now()
