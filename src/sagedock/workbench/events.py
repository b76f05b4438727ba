"""What a workbench tells while it serves."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

__all__ = [
    "Edited",
    "Ended",
    "Event",
    "Log",
    "Refused",
    "Removed",
    "Serving",
    "Slow",
    "Starting",
    "Waiting",
]


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happened."""

    name: ClassVar[str]

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object."""
        return {"event": self.name, **asdict(self)}


@dataclass(frozen=True, kw_only=True)
class Removed(Event):
    """A workbench that was killed had left this container."""

    name: ClassVar[str] = "removed"
    container: str


@dataclass(frozen=True, kw_only=True)
class Starting(Event):
    """A container was started; ``container`` is its name."""

    name: ClassVar[str] = "starting"
    image: str
    container: str


@dataclass(frozen=True, kw_only=True)
class Log(Event):
    """A line of the container's output."""

    name: ClassVar[str] = "log"
    stream: Literal["stdout", "stderr"]
    text: str


@dataclass(frozen=True, kw_only=True)
class Serving(Event):
    """/ping answers 200, ``took_s`` seconds after the container was started."""

    name: ClassVar[str] = "serving"
    url: str
    took_s: float


@dataclass(frozen=True, kw_only=True)
class Slow(Event):
    """/ping has not answered 200 for longer than the platform would wait."""

    name: ClassVar[str] = "slow"
    after_s: float


@dataclass(frozen=True, kw_only=True)
class Edited(Event):
    """Files of the source differ from those that were served: the container is started again, or
    a new one in its place (``anew``), since what pip installed there may be other now.
    """

    name: ClassVar[str] = "edited"
    changed: Sequence[str]
    added: Sequence[str]
    removed: Sequence[str]
    anew: bool


@dataclass(frozen=True, kw_only=True)
class Refused(Event):
    """The source as it is now cannot be served."""

    name: ClassVar[str] = "refused"
    problems: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Ended(Event):
    """The container ended by itself; ``last_lines`` are what it said last."""

    name: ClassVar[str] = "ended"
    code: int
    out_of_memory: bool
    last_lines: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Waiting(Event):
    """Nothing serves until the source is changed."""

    name: ClassVar[str] = "waiting"
