"""What a training job's thread is told while it waits."""

from dataclasses import dataclass

from sagedock.engine import Exit

__all__ = ["Broke", "Ended", "Event", "Granted", "HostLost", "Interrupted", "StopAsked"]


@dataclass(frozen=True, kw_only=True)
class Granted:
    """The machine has room for the job."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A host's container of an attempt ended."""

    attempt: int
    host: str
    exit: Exit


@dataclass(frozen=True, kw_only=True)
class Broke:
    """A host's container of an attempt could not be followed any longer."""

    attempt: int
    error: Exception


@dataclass(frozen=True, kw_only=True)
class StopAsked:
    """Somebody wants the job stopped; SIGKILL follows SIGTERM after ``grace_s`` seconds."""

    grace_s: float


@dataclass(frozen=True, kw_only=True)
class Interrupted:
    """The machines of a spot job are taken away. ``attempt`` None means whichever runs."""

    attempt: int | None = None


@dataclass(frozen=True, kw_only=True)
class HostLost:
    """A machine fails, without notice. ``host`` None means the last one."""

    attempt: int | None = None
    host: str | None = None


Event = Granted | Ended | Broke | StopAsked | Interrupted | HostLost
