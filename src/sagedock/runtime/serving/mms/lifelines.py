"""The socket by which a worker says that it lives, and what becomes of its model."""

import asyncio
import contextlib
import os
import signal
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sagedock.runtime.serving.mms.greeting import Greeting, greet, name_of

__all__ = ["Lifeline", "Lifelines", "watch_end"]

_BACKLOG = 128
_CREDENTIALS = struct.Struct("3i")


@dataclass(frozen=True, kw_only=True)
class Lifeline:
    """One worker's: the connection, and the process at its other end."""

    socket: socket.socket
    pid: int

    def kill(self) -> None:
        """End the process at once."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


class Lifelines:
    """Takes the lines of workers that are awaited; others are hung up on, and end."""

    def __init__(self, path: Path) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(os.fspath(path))
        self._listener.listen(_BACKLOG)
        self._listener.setblocking(False)
        self._awaited: dict[str, tuple[Greeting, asyncio.Future[Lifeline]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def expect(self, name: str, greeting: Greeting) -> "asyncio.Future[Lifeline]":
        """Await one worker; it is greeted so. Cancel the future to await it no more."""
        future: asyncio.Future[Lifeline] = asyncio.get_running_loop().create_future()
        self._awaited[name] = greeting, future
        future.add_done_callback(lambda _: self._awaited.pop(name))
        return future

    async def take(self) -> None:
        """Take lines until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            line, _ = await loop.sock_accept(self._listener)
            task = loop.create_task(self._meet(line))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _meet(self, line: socket.socket) -> None:
        with contextlib.ExitStack() as undo:
            undo.callback(line.close)
            try:
                name = await name_of(line)
                if name not in self._awaited:
                    return
                greeting, future = self._awaited[name]
                await greet(line, greeting)
            except OSError:  # it has ended: whoever awaits it waits for the next
                return
            if not future.done():
                future.set_result(Lifeline(socket=line, pid=_pid(line)))
                undo.pop_all()

    def close(self) -> None:
        """Take no more."""
        self._listener.close()


def _pid(line: socket.socket) -> int:
    found = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(found)[0])


def watch_end(pid: int, ended: Callable[[], None]) -> Callable[[], None]:
    """Call ``ended`` once a process has; return what stops that. Before Linux 5.3 it never is.

    A line alone may stay open longer: the processes that a model's code forked hold it, too.
    """
    loop = asyncio.get_running_loop()
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return lambda: None
    with contextlib.ExitStack() as undo:
        undo.callback(os.close, handle)
        undo.callback(loop.remove_reader, handle)
        loop.add_reader(handle, ended)
        return undo.pop_all().close
