"""Where the pool gets workers from: Multi Model Server starts each, as a model with one process."""

import asyncio
import contextlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import cast

from sagedock.contract import paths, variables
from sagedock.errors import InvalidRequest, SagedockError, StorageError
from sagedock.runtime import memory
from sagedock.runtime.place import locate
from sagedock.runtime.serving.mms import configuration
from sagedock.runtime.serving.mms.carrier import Carrier
from sagedock.runtime.serving.mms.configuration import Places
from sagedock.runtime.serving.mms.greeting import Greeting
from sagedock.runtime.serving.mms.java import JavaMachine
from sagedock.runtime.serving.mms.lifelines import Lifeline, Lifelines, watch_end
from sagedock.runtime.serving.mms.unix_http import BadAnswer, Connection, ask_once
from sagedock.runtime.serving.options import Options
from sagedock.runtime.serving.pool.process import UNTOLD, Launch, Launcher, WorkerProcess

__all__ = ["MmsWorkers"]

_PREFIX = "sagedock-mms-"
#: Where a file system is read-only, containers still have this.
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - a folder of our own is made in it
#: A unix socket's path has at most 107 characters.
_LONGEST_PATH = 80
_ACCEPTED = range(200, 300)
#: A worker's process must say within this time that it is there; then it loads the model.
_BIRTH_S = 120.0


class MmsWorkers:
    """Multi Model Server, and the workers that it has started for us."""

    def __init__(self, options: Options, env: Mapping[str, str]) -> None:
        package = _package(env)
        self._options = options
        self._env = env
        self._places = Places(folder=_private_folder(), package=package)
        self._places.model.mkdir()
        self._lifelines = Lifelines(self._places.lifelines)
        self._numbers = count()
        self._dismissals: set[asyncio.Task[None]] = set()
        self._java: JavaMachine | None = None
        self._up: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def launcher(self) -> Launcher:
        """What starts workers."""
        return self._launcher

    async def live(self) -> None:
        """Run the server until cancelled. Raises SagedockError where it ends by itself."""
        self._java = await self._start()
        lines = asyncio.create_task(self._lifelines.take())
        try:
            if await self._java.up():
                self._up.set_result(None)
            cause = await self._java.ended()
        finally:
            lines.cancel()
        raise SagedockError(f"the Multi Model Server {cause}")

    async def _start(self) -> JavaMachine:
        places, options = self._places, self._options
        places.properties.write_text(configuration.properties(places, options), encoding="utf-8")
        places.logging.write_text(configuration.log_configuration(), encoding="utf-8")
        command = configuration.java_command(places, options, self._env, memory.limit_bytes())
        return await JavaMachine.start(command, configuration.java_variables(self._env))

    async def close(self) -> None:
        """End the server and all that it started."""
        if self._java is not None:
            await self._java.kill()
        await asyncio.gather(*self._dismissals, return_exceptions=True)
        self._lifelines.close()
        shutil.rmtree(self._places.folder, ignore_errors=True)

    # --- one worker -------------------------------------------------------------------------------

    def _launcher(self, environment: Callable[[int], Mapping[str, str]], *folder: str) -> Launch:
        model = folder[0] if folder else str(locate(paths.MODEL, self._env))

        async def launch(number: int) -> WorkerProcess:
            await asyncio.shield(self._up)
            greeting = Greeting(
                folder=model,
                variables=dict(environment(number)),
                directory=str(Path.cwd()),
                answer_bytes=self._options.answer_bytes,
            )
            return await self._launch(f"w{next(self._numbers)}", greeting)

        return launch

    async def _launch(self, name: str, greeting: Greeting) -> WorkerProcess:
        """Let the server start a worker. Raises OSError where it does not."""
        awaited = self._lifelines.expect(name, greeting)
        with contextlib.ExitStack() as undo:
            undo.callback(awaited.cancel)
            undo.callback(self._dismiss, name)
            status, body = await ask_once(
                self._places.management,
                "POST",
                f"/models?url={self._places.model.name}&model_name={name}"
                "&initial_workers=1&synchronous=false",
            )
            if status not in _ACCEPTED:
                raise BadAnswer(f"the Multi Model Server answered {status} {body[:200]!r}")
            line = await asyncio.wait_for(asyncio.shield(awaited), _BIRTH_S)
            undo.pop_all()
        return _Process(
            line=line,
            carrier=lambda link, lost: self._carrier(name, link, lost),
            dismiss=lambda: self._dismiss(name, line.pid),
        )

    def _carrier(self, name: str, link: asyncio.Protocol, lost: Callable[[str], None]) -> Carrier:
        return Carrier(
            connection=Connection(self._places.inference),
            target=f"/predictions/{name}",
            largest=configuration.envelope_bytes(self._options),
            hear=cast("Callable[[memoryview], None]", link.data_received),
            lost=lost,
        )

    def _dismiss(self, name: str, pid: int = 0) -> None:
        """Let the server forget a worker, instead of starting it again: that is the pool's."""
        task = asyncio.get_running_loop().create_task(self._unregister(name, pid))
        self._dismissals.add(task)
        task.add_done_callback(self._dismissals.discard)

    async def _unregister(self, name: str, pid: int) -> None:
        with contextlib.suppress(OSError):  # the server has ended: so has whatever it started
            await ask_once(self._places.management, "DELETE", f"/models/{name}")
        if pid:  # what the server leaves behind is the container's first process's to bury
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)


class _Process:
    """A worker's process, as the pool sees it."""

    def __init__(
        self,
        *,
        line: Lifeline,
        carrier: Callable[[asyncio.Protocol, Callable[[str], None]], Carrier],
        dismiss: Callable[[], None],
    ) -> None:
        self.pid = line.pid
        self._line = line
        self._carrier = carrier
        self._dismiss = dismiss
        self._link: asyncio.Protocol | None = None
        self._ended = asyncio.Event()
        self._how = UNTOLD
        self._unwatch: Callable[[], None] = lambda: None

    async def connect(self, link: asyncio.Protocol) -> None:
        """Let ``link`` send batches, and hear what the worker says of its model."""
        self._link = link
        link.connection_made(self._carrier(link, self._lose))
        self._unwatch = watch_end(self.pid, self._end)
        await asyncio.get_running_loop().create_unix_connection(
            lambda: _Line(link.data_received, self._end), sock=self._line.socket
        )

    def _lose(self, why: str) -> None:
        if not self._ended.is_set():
            self._how = f"was ended: {why}"
            self.kill()

    def _end(self) -> None:
        """Take it for ended: its line is closed, or it is no more."""
        if self._ended.is_set():
            return
        self._unwatch()
        self._line.kill()
        self._ended.set()
        if self._link is not None:
            self._link.connection_lost(None)
        self._dismiss()

    def kill(self) -> None:
        """End it at once."""
        if not self._ended.is_set():
            self._line.kill()

    async def wait(self) -> str:
        """Return how it ended, in words, once it has."""
        await self._ended.wait()
        return self._how


class _Line(asyncio.Protocol):
    """This side of a lifeline: frames come in, until its end."""

    def __init__(self, hear: Callable[[bytes], None], ended: Callable[[], None]) -> None:
        self._hear = hear
        self._ended = ended

    def data_received(self, data: bytes) -> None:
        """Pass on what the worker says."""
        self._hear(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Tell that it has gone."""
        self._ended()


def _package(env: Mapping[str, str]) -> Path:
    """Return where Multi Model Server is installed. Raises InvalidRequest where it is not."""
    found = importlib.util.find_spec("mms")
    java = shutil.which("java", path=env.get("PATH"))
    if found is None or found.origin is None or java is None:
        problem = f"{variables.SAGEDOCK_SERVER}: this image has no Multi Model Server: use native"
        raise InvalidRequest([problem])
    return Path(found.origin).parent


def _private_folder() -> Path:
    """Return a new folder, where names of sockets have room. Raises StorageError without one."""
    for parent in (None, _SHARED_MEMORY):
        with contextlib.suppress(OSError):
            folder = tempfile.mkdtemp(prefix=_PREFIX, dir=parent)
            if len(folder) < _LONGEST_PATH:
                return Path(folder)
            Path(folder).rmdir()
    raise StorageError("no folder with a short path can be written: mount one at /tmp")
