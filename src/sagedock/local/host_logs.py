"""The log streams of one job, one for each of its hosts."""

import re
import time
from dataclasses import dataclass

from sagedock.engine import Engine, LogFrame
from sagedock.local.logs import LogStore, follow

__all__ = ["HostLogs", "engine_words"]


@dataclass(frozen=True, kw_only=True)
class HostLogs:
    """The streams of the job ``job`` in a log group. A stream's name begins with the job's."""

    logs: LogStore
    region: str
    group: str
    job: str

    def store(self, engine: Engine, container: str, stream: str) -> None:
        """Store a container's output, from where it was left, until the container ends."""
        opened = self.logs.open(self.region, self.group, stream)
        follow(engine.logs(container), self.logs, opened)

    def say(self, stream: str, text: str) -> None:
        """Put the platform's own words into a stream, as the platform does."""
        opened = self.logs.open(self.region, self.group, stream)
        frame = LogFrame(stream="stderr", time_s=time.time(), data=f"{text}\n".encode())
        follow(iter([frame]), self.logs, opened)
        self.logs.begin_anew(opened)  # no container printed that

    def begin_anew(self) -> None:
        """Let every stream take the output of a new container from its first byte."""
        for stream in self.logs.streams(self.region, self.group, f"{self.job}/"):
            self.logs.begin_anew(stream)

    def forget(self) -> None:
        """Delete all streams."""
        for stream in self.logs.streams(self.region, self.group, f"{self.job}/"):
            self.logs.delete(stream)


def engine_words(text: str) -> str:
    """Return an engine's error as a log tells it, without what is only the engine's."""
    short = re.search(r'exec: ".*?": .*?(?=: unknown|$)', text)
    return short[0] if short else text
