"""What the environment says of serving, read once, every problem at once."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sagedock.contract import limits, paths, routes, variables
from sagedock.errors import InvalidRequest
from sagedock.runtime import memory
from sagedock.runtime.place import locate
from sagedock.runtime.serving.copies import copies_that_fit

__all__ = ["Options", "gpus_of"]

_BYTES_PER_MB = 1024 * 1024
_STARTUP_S = 600.0
_QUEUE_SIZE, _BATCH_SIZE = 100, 32
_LARGEST_COUNT = 10_000

_Number = TypeVar("_Number", int, float)


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to serve. ``gpus`` are the devices that workers share out, as CUDA numbers them.

    ``threads`` is how many processors each worker may use.
    """

    port: int
    workers: int
    timeout_s: float
    startup_timeout_s: float
    max_payload_mb: int
    queue_size: int
    batch_size: int
    transforms: int
    several_records: bool
    gpus: Sequence[str]
    threads: int
    multi_model: bool
    streams: int

    @property
    def max_payload_bytes(self) -> int:
        """The largest body of a request, in bytes."""
        return self.max_payload_mb * _BYTES_PER_MB

    @property
    def answer_bytes(self) -> int:
        """The largest whole answer: as large as a request, and never below SageMaker's 25 MB."""
        return max(self.max_payload_bytes, int(limits.INVOCATION_PAYLOAD_MB) * _BYTES_PER_MB)

    @classmethod
    def read(cls, env: Mapping[str, str], devices: Path = Path("/dev")) -> "Options":
        """Read the variables. Raises InvalidRequest with all that cannot be used."""
        read = _Reader(env)
        gpus = gpus_of(env, devices)
        processors = len(os.sched_getaffinity(0))
        many = _is_true(env, variables.SAGEMAKER_MULTI_MODEL)
        usual = 1 if many else len(gpus) or _fitting(_usable(processors), env)
        workers = read.whole(variables.SAGEMAKER_MODEL_SERVER_WORKERS, usual, least=1)
        options = cls(
            port=read.whole(variables.SAGEMAKER_BIND_TO_PORT, routes.PORT, least=1, most=65535),
            workers=workers,
            timeout_s=_timeout(read),
            startup_timeout_s=read.seconds(variables.SAGEMAKER_STARTUP_TIMEOUT, _STARTUP_S),
            max_payload_mb=_payload(read, in_batch=_is_true(env, variables.SAGEMAKER_BATCH)),
            queue_size=read.whole(variables.SAGEDOCK_QUEUE_SIZE, _QUEUE_SIZE, least=1),
            batch_size=read.whole(variables.SAGEDOCK_BATCH_SIZE, _BATCH_SIZE, least=1),
            transforms=read.whole(variables.SAGEMAKER_MAX_CONCURRENT_TRANSFORMS, workers, least=0),
            several_records=_several(env),
            gpus=gpus,
            threads=max(1, _usable(processors) // workers),
            multi_model=many,
            streams=read.whole(variables.SAGEDOCK_STREAMS, workers, least=0),
        )
        if read.problems:
            raise InvalidRequest(read.problems)
        return options


class _Reader:
    """Reads numbers; what is none is kept as a problem."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self.problems: list[str] = []

    def whole(
        self, variable: variables.Variable, default: int, *, least: int, most: int = _LARGEST_COUNT
    ) -> int:
        wanted = f"a whole number from {least} to {most}"
        return self._number(variable, default, int, lambda n: least <= n <= most, wanted)

    def seconds(self, variable: variables.Variable, default: float) -> float:
        wanted = "a number of seconds above 0"
        return self._number(variable, float(default), float, lambda n: 0 < n < 1e9, wanted)

    def _number(
        self,
        variable: variables.Variable,
        default: _Number,
        kind: Callable[[str], _Number],
        fits: Callable[[_Number], bool],
        wanted: str,
    ) -> _Number:
        text = self._env.get(variable.name, "")
        if not text:
            return default
        try:
            number = kind(text)
        except ValueError:
            fitting = False
        else:
            fitting = fits(number)
        if not fitting:
            self.problems.append(f"{variable}: {text!r} must be {wanted}")
        return number if fitting else default


def _fitting(processors: int, env: Mapping[str, str]) -> int:
    """Return how many workers there are where nothing is said: one for each processor, as far as
    their copies of the model fit the memory.
    """
    return min(processors, copies_that_fit(locate(paths.MODEL, env), memory.limit_bytes()))


def _is_true(env: Mapping[str, str], variable: variables.Variable) -> bool:
    return env.get(variable.name, "").lower() == "true"  # local mode writes True


def _payload(read: _Reader, *, in_batch: bool) -> int:
    """Return the largest body in megabytes; 0, batch transform's word for any, is the most."""
    most, usual = int(limits.BATCH_PAYLOAD_MB), int(limits.INVOCATION_PAYLOAD_MB)
    least = 0 if in_batch else 1
    given = read.whole(variables.SAGEMAKER_MAX_PAYLOAD_IN_MB, usual, least=least, most=most)
    return given or most


def _timeout(read: _Reader) -> float:
    """Return how long a request may take, in seconds, from the toolkit's two variables."""
    usual = read.seconds(variables.SAGEMAKER_MODEL_SERVER_TIMEOUT, int(limits.INVOCATION_TIMEOUT_S))
    return read.seconds(variables.SAGEMAKER_MODEL_SERVER_TIMEOUT_SECONDS, usual)


def _several(env: Mapping[str, str]) -> bool:
    return not env.get(variables.SAGEMAKER_BATCH_STRATEGY.name, "").upper().startswith("SINGLE")


def gpus_of(env: Mapping[str, str], devices: Path) -> tuple[str, ...]:
    """Return the GPUs that this container has: CUDA_VISIBLE_DEVICES, else one per device file."""
    if (chosen := env.get("CUDA_VISIBLE_DEVICES")) is not None:
        return tuple(name.strip() for name in chosen.split(",") if name.strip() not in ("", "-1"))
    found = [file.name for file in devices.glob("nvidia[0-9]*")]
    return tuple(str(number) for number in range(len(found)))


def _usable(processors: int, quota: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Return how many processors this container may use: its share, where it has one."""
    try:
        share, period = quota.read_text(encoding="ascii").split()
        return max(1, min(processors, round(int(share) / int(period))))
    except (OSError, ValueError):  # cgroup v1, or `max`
        return _share_v1(processors)


def _share_v1(processors: int, folder: Path = Path("/sys/fs/cgroup/cpu")) -> int:
    try:
        share = int((folder / "cpu.cfs_quota_us").read_text(encoding="ascii"))
        period = int((folder / "cpu.cfs_period_us").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return processors
    return max(1, min(processors, round(share / period))) if share > 0 else processors
