"""A model worker as a process of its own, and this side's end of the socket pair."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = [
    "KILLED",
    "UNTOLD",
    "Launch",
    "Launcher",
    "OwnWorkers",
    "WorkerProcess",
    "Workers",
    "launcher",
]

_WORKER = "sagedock.runtime.serving.worker"
#: How a process ended that was killed, or of which it is not known.
KILLED = "was killed by SIGKILL"
UNTOLD = "ended"
#: A body passes in few system calls.
_SOCKET_BUFFER = 1 << 20


class WorkerProcess(Protocol):
    """A running worker, as the pool sees it."""

    @property
    def pid(self) -> int:
        """What the log calls it."""

    async def connect(self, link: asyncio.Protocol) -> None:
        """Let ``link`` write frames to it, and hear its own."""

    def kill(self) -> None:
        """End it at once."""

    async def wait(self) -> str:
        """Return how it ended, in words, once it has."""


Launch = Callable[[int], Coroutine[Any, Any, WorkerProcess]]


class Launcher(Protocol):
    """Makes what starts the workers of one model."""

    def __call__(self, environment: Callable[[int], Mapping[str, str]], *folder: str) -> Launch:
        """Return it; ``environment`` gives each worker's variables by its number."""


class Workers(Protocol):
    """Where workers come from, for as long as the server lives."""

    @property
    def launcher(self) -> Launcher:
        """What starts them."""

    async def live(self) -> None:
        """Wait until cancelled. Raises SagedockError where no worker can be started any more."""

    async def close(self) -> None:
        """End what they need."""


@dataclass(frozen=True, kw_only=True)
class _Process:
    socket: socket.socket
    process: asyncio.subprocess.Process

    async def connect(self, link: asyncio.Protocol) -> None:
        await asyncio.get_running_loop().create_unix_connection(lambda: link, sock=self.socket)

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self) -> None:
        # not process.kill(): asyncio's own looks for an end first, and `wait` would miss it
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):  # it has ended already
                os.kill(self.pid, signal.SIGKILL)

    async def wait(self) -> str:
        code = await self.process.wait()
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"


def launcher(environment: Callable[[int], Mapping[str, str]], *folder: str) -> Launch:
    """Return what starts a worker; ``environment`` gives each one's variables by its number.

    ``folder`` is the model's, where that is not the platform's /opt/ml/model.
    """

    async def launch(number: int) -> WorkerProcess:
        ours, theirs = socket.socketpair()
        for end in (ours, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER)
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", _WORKER, str(theirs.fileno()), *folder),
                pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                env=environment(number),
                start_new_session=True,  # a terminal's Ctrl-C is for the front alone
            )
        ours.setblocking(False)
        return _Process(socket=ours, process=process)

    return launch


class OwnWorkers:
    """Processes of our own: they need nothing but Python."""

    @property
    def launcher(self) -> Launcher:
        """What starts them."""
        return launcher

    async def live(self) -> None:
        """Wait until cancelled."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Do nothing: pools have ended them."""
