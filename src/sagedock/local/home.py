"""The folder that a local SageMaker owns: one server at a time, and how to find it."""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from sagedock.engine import GivenNames
from sagedock.errors import LocalServerError, StorageError

__all__ = ["DATABASE", "Home", "Running", "describe"]

_LOCK_ATTEMPTS = 20
_LOCK_PAUSE_S = 0.01

DATABASE = "state.sqlite"
#: Everything that a local SageMaker makes in its folder.
_OWN = frozenset(
    {
        *(DATABASE, f"{DATABASE}-shm", f"{DATABASE}-wal"),
        *(
            "components",
            "ecr",
            "endpoints",
            "image-names",
            "jobs",
            "lock",
            "processing",
            "s3",
            "sagemaker-sdk.yaml",
        ),
        "scratch",
        *("server.json", "server.new", "server.log", "transforms"),
    }
)
#: Where containers/engine.sh keeps the pid of the engine that it started.
_ENGINE_FOLDER = "engine"


@dataclass(frozen=True, kw_only=True)
class Running:
    """A server that runs: its process, its address, and when it started (epoch seconds)."""

    pid: int
    url: str
    region: str
    account: str
    started: float
    container_port: int | None


class Home:
    """The folder. ``claim`` it before writing anything in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: IO[bytes] | None = None

    def is_ours(self) -> bool:
        """Whether a local SageMaker made this folder; one that is absent or empty counts."""
        return (self.path / DATABASE).exists() or not self.strangers()

    def entries(self) -> list[Path]:
        """Return what a local SageMaker made here."""
        return sorted(each for each in self._all() if each.name in _OWN)

    def strangers(self) -> list[Path]:
        """Return what somebody else put here; an engine's folder is no stranger."""
        return sorted(each for each in self._all() if each.name not in _OWN | {_ENGINE_FOLDER})

    def _all(self) -> list[Path]:
        return list(self.path.iterdir()) if self.path.is_dir() else []

    @property
    def given_names(self) -> GivenNames:
        """The names of images in the engine that are ours: of pulls, and of pushes that go on."""
        return GivenNames(self.path / "image-names")

    @property
    def log_path(self) -> Path:
        """Where a detached server writes its log."""
        return self.path / "server.log"

    def claim(self) -> None:
        """Take the folder for this process, or raise LocalServerError naming who has it.

        A folder that holds somebody else's files is refused: what is ours is swept and cleaned.
        """
        if not self.is_ours():
            raise StorageError(
                f"{self.path} holds {self.strangers()[0].name} and is no local SageMaker's folder: "
                "set SAGEDOCK_HOME (or --home) to an empty or a new one"
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            (self.path / "scratch").mkdir(exist_ok=True)
            lock = (self.path / "lock").open("wb")
        except OSError as error:
            raise StorageError(
                f"{self.path}: {error.strerror}: set SAGEDOCK_HOME to a folder that can be written"
            ) from error
        try:
            _lock(lock)
        except OSError as error:
            lock.close()
            other = self.last()
            where = f" at {other.url} (process {other.pid})" if other else ""
            raise LocalServerError(
                f"a local SageMaker already runs on {self.path}{where}: use it, end it with "
                "`sagedock local down`, or set SAGEDOCK_HOME to another folder"
            ) from error
        self._lock = lock
        # What the server before wrote is no longer true; nobody may send its process a signal.
        self._state.unlink(missing_ok=True)
        for left_over in (self.path / "scratch").iterdir():
            if left_over.is_dir() and not left_over.is_symlink():
                shutil.rmtree(left_over)
            else:
                left_over.unlink()

    def announce(self, running: Running) -> None:
        """Write down where the server is."""
        temporary = self._state.with_suffix(".new")
        temporary.write_text(json.dumps(asdict(running)), encoding="utf-8")
        temporary.replace(self._state)

    def release(self) -> None:
        """Give the folder up."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def last(self) -> Running | None:
        """Return the server that ran here last, alive or not."""
        try:
            return Running(**json.loads(self._state.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def running(self) -> Running | None:
        """Return the server that runs here now, or None."""
        return self.last() if self._is_claimed() else None

    def wait_until_free(self, timeout_s: float) -> bool:
        """Wait until no server has the folder; say whether that came true."""
        ends = time.monotonic() + timeout_s
        while self._is_claimed():
            if time.monotonic() > ends:
                return False
            time.sleep(0.05)
        return True

    @property
    def _state(self) -> Path:
        return self.path / "server.json"

    def _is_claimed(self) -> bool:
        try:
            descriptor = os.open(self.path / "lock", os.O_RDWR)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise StorageError(
                f"{self.path}: {error.strerror}: set SAGEDOCK_HOME to a folder of your own"
            ) from error
        try:
            # Shared, so that two who look do not take each other for a server.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        else:
            return False
        finally:
            os.close(descriptor)


def _lock(file: IO[bytes]) -> None:
    """Take the lock, or raise OSError where a server has it; those who look let go at once."""
    for left in reversed(range(_LOCK_ATTEMPTS)):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if not left:
                raise
            time.sleep(_LOCK_PAUSE_S)
        else:
            return


def describe(running: Running) -> Mapping[str, object]:
    """Return what the health check answers."""
    return asdict(running)
