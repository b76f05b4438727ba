"""What the platform says of an instance's data, in a log stream of its own.

Source of the form: rows 116 to 118 of the fidelity corpus.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sagedock.local.logs import Line, LogStore
from sagedock.local.logs.store import Stream

__all__ = ["DataLog"]


@dataclass(frozen=True, kw_only=True)
class DataLog:
    """One data log. Every line of one call has the same time."""

    logs: LogStore
    stream: Stream

    def say(self, lines: Sequence[str]) -> None:
        """Write lines."""
        now = time.time()
        moment = datetime.fromtimestamp(now, UTC)
        stamp = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}:[sagemaker logs]: "
        self.logs.write(
            self.stream,
            [
                Line(stream="stdout", time_s=now, data=f"{stamp}{line}".encode(), consumed=0)
                for line in lines
            ],
        )
