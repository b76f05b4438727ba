"""Where the local SageMaker keeps its state, and how it behaves: one frozen datum."""

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sagedock.api.metrics import PUBLISHED_EVERY_S
from sagedock.api.regions import refuse_region, region_problem
from sagedock.contract import limits
from sagedock.errors import InvalidRequest

__all__ = ["ACCOUNT", "Settings", "default_home"]

#: The account that moto answers with; ours must be the same one.
ACCOUNT = "123456789012"
DEFAULT_REGION = "us-west-2"
_PORTS = 65_536
_QUOTA = re.compile(
    r"ml\.[a-z0-9.-]+ for "
    r"((spot )?training job|training warm pool|transform job|processing job|endpoint) usage"
)
_LOWEST_MEMORY_MIB = 6  # Docker's own minimum
_SHORTEST_PERIOD_S = 0.1
#: How long a serverless container that nobody asks stays. The service's own is not told.
_SERVERLESS_IDLE_S = 300.0
#: After how many failed health checks a container in service is replaced. As above.
_HEALTH_CHECK_FAILURES = 3


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The local SageMaker's settings.

    ``home`` holds everything it keeps. ``port`` 0 takes a free one. With ``instance_limits`` a
    container has the processors and the memory of its instance type, as far as the machine has
    them; ``container_memory_mib`` and ``container_shm_mib`` say otherwise for all.
    ``max_containers`` run at once, by default two for each processor; further jobs wait.
    ``stop_grace_s`` lies between SIGTERM and SIGKILL; ``shutdown_grace_s`` does when the server
    ends. ``checkpoint_sync_s`` lies between two looks at a job's checkpoints; ``metrics_period_s``
    is how often what containers use is published, in seconds.
    ``spot_interrupt_every_s`` interrupts spot jobs after so many seconds of training on average,
    at moments that follow from ``spot_seed``.
    Of an endpoint: ``endpoint_stop_grace_s`` lies between SIGTERM and SIGKILL, ``invocation_s`` is
    how long an answer may take, ``stream_s`` how long a whole stream may; ``endpoint_startup_s``
    cuts the time for /ping shorter than a variant asks for; ``health_check_s`` lies between two
    looks at /ping of a container in service (0: it is not asked), which is replaced after
    ``health_check_failures`` bad ones in a row.
    ``time_scale`` makes the time of autoscaling pass that much faster: its periods, cooldowns and
    alarms; and that in which an endpoint stays in Creating whose model is deleted.
    ``notification_hook`` is a command that is given what SNS topics are told of asynchronous
    invocations, ``event_hook`` one that is given what EventBridge is told;
    ``serverless_idle_s`` is how long a serverless container stays that nobody asks, in
    the time that ``time_scale`` makes faster.
    ``allow_instance_types`` are types newer than the installed model of the service.
    ``file_systems`` are the folders that stand for EFS and FSx file systems, by their ids.
    ``lambdas`` are what Lambda steps of pipelines call: FILE:CALLABLE, by the functions' names.
    ``scan_findings`` is a JSON file of what the local ECR's scans find, by repository.
    ``quotas`` are numbers of instances, by the service's name of the quota; others are unlimited.
    """

    home: Path
    host: str = "127.0.0.1"
    port: int = 0
    region: str = DEFAULT_REGION
    account: str = ACCOUNT
    container_memory_mib: int | None = None
    container_shm_mib: int | None = None
    instance_limits: bool = True
    max_containers: int | None = None
    stop_grace_s: float = float(limits.TRAINING_STOP_GRACE_S.value)
    shutdown_grace_s: float = 10.0
    checkpoint_sync_s: float = 1.0
    spot_interrupt_every_s: float | None = None
    spot_seed: int = 0
    metrics_period_s: float = PUBLISHED_EVERY_S
    endpoint_startup_s: float | None = None
    endpoint_stop_grace_s: float = float(limits.SERVING_STOP_GRACE_S.value)
    invocation_s: float = float(limits.INVOCATION_TIMEOUT_S.value)
    stream_s: float = float(limits.STREAM_TIMEOUT_S.value)
    health_check_s: float = float(limits.PING_EVERY_S.value)
    health_check_failures: int = _HEALTH_CHECK_FAILURES
    time_scale: float = 1.0
    allow_instance_types: frozenset[str] = frozenset()
    file_systems: Mapping[str, Path] = field(default_factory=dict)
    check_answers: bool = False
    quotas: Mapping[str, int] = field(default_factory=dict)
    lambdas: Mapping[str, str] = field(default_factory=dict)
    notification_hook: tuple[str, ...] = ()
    event_hook: tuple[str, ...] = ()
    serverless_idle_s: float = _SERVERLESS_IDLE_S
    scan_findings: Path | None = None

    def __post_init__(self) -> None:
        problems = [
            f"quotas: {name!r} is none: use '<instance type> for training job usage', "
            "'... for spot training job usage', '... for training warm pool usage', "
            "'... for transform job usage', '... for processing job usage' or "
            "'... for endpoint usage'"
            for name in self.quotas
            if not _QUOTA.fullmatch(name)
        ]
        if problem := region_problem(self.region, "region"):
            problems.append(problem)
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
        problems += (
            f"{name}: {value:g} is below 0: use more"
            for name, value in (
                ("stop grace", self.stop_grace_s),
                ("shutdown grace", self.shutdown_grace_s),
                ("serverless idle time", self.serverless_idle_s),
                ("health check", self.health_check_s),
            )
            if value < 0
        )
        problems += (
            f"{name}: {value:g} is not above 0: use more"
            for name, value in (
                ("most containers", self.max_containers),
                ("checkpoint synchronisation", self.checkpoint_sync_s),
                ("seconds between spot interruptions", self.spot_interrupt_every_s),
                ("time scale", self.time_scale),
                ("failed health checks", self.health_check_failures),
            )
            if value is not None and value <= 0
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
        refuse_region(environ.get("SAGEDOCK_REGION"), "SAGEDOCK_REGION")
        grace_s = _number(environ, "SAGEDOCK_STOP_GRACE_S")
        time_scale = _number(environ, "SAGEDOCK_TIME_SCALE")
        idle_s = _number(environ, "SAGEDOCK_SERVERLESS_IDLE_S")
        check_s = _number(environ, "SAGEDOCK_HEALTH_CHECK_S")
        failures = _number(environ, "SAGEDOCK_HEALTH_CHECK_FAILURES")
        settings = cls(
            home=default_home(environ),
            port=_number(environ, "SAGEDOCK_PORT") or 0,
            region=environ.get("SAGEDOCK_REGION") or DEFAULT_REGION,
            container_memory_mib=_number(environ, "SAGEDOCK_CONTAINER_MEMORY_MIB"),
            container_shm_mib=_number(environ, "SAGEDOCK_CONTAINER_SHM_MIB"),
            instance_limits=environ.get("SAGEDOCK_INSTANCE_LIMITS", "on") != "off",
            stop_grace_s=cls.stop_grace_s if grace_s is None else grace_s,
            max_containers=_number(environ, "SAGEDOCK_MAX_CONTAINERS"),
            spot_interrupt_every_s=_number(environ, "SAGEDOCK_SPOT_INTERRUPT_EVERY_S"),
            spot_seed=_number(environ, "SAGEDOCK_SPOT_SEED") or 0,
            metrics_period_s=_number(environ, "SAGEDOCK_METRICS_PERIOD_S") or PUBLISHED_EVERY_S,
            time_scale=1 if time_scale is None else time_scale,
            allow_instance_types=frozenset(
                environ.get("SAGEDOCK_ALLOW_INSTANCE_TYPES", "").replace(",", " ").split()
            ),
            file_systems=_file_systems(environ),
            lambdas=_lambdas(environ),
            quotas=_quotas(environ, "SAGEDOCK_QUOTAS"),
            notification_hook=_command(environ, "SAGEDOCK_NOTIFICATION_HOOK"),
            scan_findings=_path(environ, "SAGEDOCK_SCAN_FINDINGS"),
            event_hook=_command(environ, "SAGEDOCK_EVENT_HOOK"),
            serverless_idle_s=cls.serverless_idle_s if idle_s is None else idle_s,
            health_check_s=cls.health_check_s if check_s is None else check_s,
            health_check_failures=cls.health_check_failures if failures is None else failures,
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


def _path(environ: Mapping[str, str], name: str) -> Path | None:
    text = environ.get(name)
    return Path(text).absolute() if text else None


def _command(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Return a command and its arguments, split as a shell would; it is run without one."""
    try:
        return tuple(shlex.split(environ.get(name, "")))
    except ValueError as error:
        problem = f"{name}: {environ[name]!r} is no command: {error}: close each quotation mark"
        raise InvalidRequest([problem]) from error


def _file_systems(environ: Mapping[str, str]) -> dict[str, Path]:
    """Return the folders that SAGEDOCK_FILE_SYSTEMS="fs-0123abcd=/data/efs,..." names."""
    name = "SAGEDOCK_FILE_SYSTEMS"
    entries = [entry.strip() for entry in environ.get(name, "").split(",") if entry.strip()]
    pairs = [entry.partition("=") for entry in entries]
    problems = [
        f"{name}: {entry!r} names no folder for a file system: use fs-0123abcd=/path/of/a/folder"
        for entry, (system, _, folder) in zip(entries, pairs, strict=True)
        if not re.fullmatch(r"fs-[0-9a-f]{8,}", system) or not Path(folder).is_absolute()
    ]
    if problems:
        raise InvalidRequest(problems)
    return {system: Path(folder) for system, _, folder in pairs}


def _lambdas(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the functions that SAGEDOCK_LAMBDAS="notify=/code/notify.py:handler,..." names."""
    name = "SAGEDOCK_LAMBDAS"
    entries = [entry.strip() for entry in environ.get(name, "").split(",") if entry.strip()]
    found = {}
    for entry in entries:
        function, _, target = entry.partition("=")
        file, _, handler = target.rpartition(":")
        if not function or not handler.isidentifier() or not Path(file).is_file():
            raise InvalidRequest(
                [f"{name}: {entry!r} names no function: use NAME=/path/of/a/file.py:CALLABLE"]
            )
        found[function] = f"{Path(file).absolute()}:{handler}"
    return found


def _quotas(environ: Mapping[str, str], name: str) -> dict[str, int]:
    """Return the quotas of "NAME=NUMBER, NAME=NUMBER"."""
    quotas = {}
    for text in filter(None, (each.strip() for each in environ.get(name, "").split(","))):
        quota, _, limit = (part.strip() for part in text.rpartition("="))
        if not quota or not limit.isdigit():
            raise InvalidRequest(
                [f"{name}: {text!r} is no quota: use 'ml.g5.xlarge for training job usage=2'"]
            )
        quotas[quota] = int(limit)
    return quotas
