"""Where the local SageMaker keeps its state, and how it behaves: one frozen datum."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sagedock.api.metrics import PUBLISHED_EVERY_S
from sagedock.errors import InvalidRequest

__all__ = ["ACCOUNT", "Settings", "default_home"]

#: The account that moto answers with; ours must be the same one.
ACCOUNT = "123456789012"
DEFAULT_REGION = "us-west-2"
_PORTS = 65_536
_LOWEST_MEMORY_MIB = 6  # Docker's own minimum
_SHORTEST_PERIOD_S = 0.1


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The local SageMaker's settings.

    ``home`` holds everything it keeps. ``port`` 0 takes a free one. ``container_memory_mib`` None
    leaves containers unlimited. ``shutdown_grace_s`` is what running jobs get when the server ends.
    ``metrics_period_s`` is how often what containers use is published, in seconds.
    ``allow_instance_types`` are types newer than the installed model of the service.
    """

    home: Path
    host: str = "127.0.0.1"
    port: int = 0
    region: str = DEFAULT_REGION
    account: str = ACCOUNT
    container_memory_mib: int | None = None
    container_shm_mib: int = 1024
    shutdown_grace_s: float = 10.0
    metrics_period_s: float = PUBLISHED_EVERY_S
    allow_instance_types: frozenset[str] = frozenset()
    check_answers: bool = False

    def __post_init__(self) -> None:
        problems = []
        memory = self.container_memory_mib
        if memory is not None and memory < _LOWEST_MEMORY_MIB:
            problems.append(
                f"container memory: {memory} MiB is below Docker's {_LOWEST_MEMORY_MIB}: use more"
            )
        if self.metrics_period_s < _SHORTEST_PERIOD_S:
            problems.append(
                f"metrics period: {self.metrics_period_s:g} s is too short: use "
                f"{_SHORTEST_PERIOD_S:g} or more"
            )
        if self.port not in range(_PORTS):
            problems.append(
                f"port: {self.port} is none: use 1 to {_PORTS - 1}, or 0 for a free one"
            )
        if problems:
            raise InvalidRequest(problems)

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str] = os.environ, **overrides: Any
    ) -> "Settings":
        """Return the settings of ``environ`` (SAGEDOCK_HOME, SAGEDOCK_PORT, ...).

        An override that is None is left out, so that a command line's unset options can be passed.
        """
        settings = cls(
            home=default_home(environ),
            port=_number(environ, "SAGEDOCK_PORT") or 0,
            region=environ.get("SAGEDOCK_REGION") or DEFAULT_REGION,
            container_memory_mib=_number(environ, "SAGEDOCK_CONTAINER_MEMORY_MIB"),
            metrics_period_s=_number(environ, "SAGEDOCK_METRICS_PERIOD_S") or PUBLISHED_EVERY_S,
            allow_instance_types=frozenset(
                environ.get("SAGEDOCK_ALLOW_INSTANCE_TYPES", "").replace(",", " ").split()
            ),
        )
        return replace(settings, **{k: v for k, v in overrides.items() if v is not None})


def default_home(environ: Mapping[str, str] = os.environ) -> Path:
    """Return $SAGEDOCK_HOME, else the folder that the XDG specification gives for state.

    Source: https://specifications.freedesktop.org/basedir-spec/latest/
    """
    if home := environ.get("SAGEDOCK_HOME"):
        return Path(home).expanduser().absolute()
    state = environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser().absolute() / "sagedock"


def _number(environ: Mapping[str, str], name: str) -> int | None:
    text = environ.get(name)
    if not text:
        return None
    if not text.isdigit():
        raise InvalidRequest([f"{name}: {text!r} is not a whole number: use digits"])
    return int(text)
