"""What a transform job asks of whatever starts serving containers.

Endpoints' containers are made there too: images, model data, networks, limits and health checks are
the same.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sagedock.local.resources import Key

__all__ = ["CannotServe", "Fleet", "Served", "ServingContainers", "Started"]

Document = Mapping[str, Any]


class CannotServe(Exception):
    """The containers of a model will not answer; ``reason`` is FailureReason, whole, and ``why``
    what the data log says, where the containers' own logs do not.
    """

    def __init__(self, reason: str, why: str | None = None) -> None:
        self.reason = reason
        self.why = why
        super().__init__(why or reason)


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """The containers that one job wants: those of ``model`` (DescribeModel's answer) for each of
    ``instances``, with ``environment`` over the model's own, carrying ``labels``.
    """

    key: Key
    model: Document
    instance_type: str
    instances: tuple[str, ...]
    environment: Mapping[str, str]
    labels: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Started:
    """A container that was started: its id, the instance that it is of, what it is called there
    (None where it is the only one), and the port that it listens on.
    """

    container: str
    instance: str
    name: str | None
    port: int


@dataclass(frozen=True, kw_only=True)
class Served:
    """A container that serves: its id, what it is called, and where this machine reaches its
    port.
    """

    container: str
    name: str | None
    address: tuple[str, int]


class ServingContainers(Protocol):
    """Starts containers that serve a model, and removes them."""

    def start(
        self, fleet: Fleet, started: Callable[[Started], None], check_stop: Callable[[], None]
    ) -> None:
        """Lay out the model, and start its containers for each instance with ``serve``.

        ``started`` is told right after each began, so that its output is followed: an instance's
        in the order in which payloads go through them. ``check_stop`` is called again and again;
        what it raises ends it. Raises CannotServe.
        """
        ...

    def await_health(
        self, containers: Sequence[Started], check_stop: Callable[[], None]
    ) -> Mapping[str, Sequence[Served]]:
        """Return the containers by instance, in their order, once each answers /ping with 200.

        ``check_stop`` is as for ``start``. Raises CannotServe where one ended, or did not answer
        in time.
        """
        ...

    def stop(self, containers: Sequence[str], most_s: float) -> None:
        """Stop them all: SIGTERM, and SIGKILL after what serving containers have, or after
        ``most_s`` seconds where that is less. Returns when they ended.
        """
        ...

    def remove(self, key: Key, labels: Mapping[str, str]) -> None:
        """Remove every container with ``labels``, and what was laid out for the job ``key``."""
        ...
