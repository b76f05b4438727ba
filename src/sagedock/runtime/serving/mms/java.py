"""The Java machine that Multi Model Server runs in, from its start to its end."""

import asyncio
import contextlib
import os
import signal
from collections import deque
from collections.abc import Mapping, Sequence
from typing import cast

from sagedock.runtime.log import write_all

__all__ = ["JavaMachine"]

_STARTED = b"Model server started."
_OWN_LINE = b"mms: "
_TAIL_LINES = 20
#: What is longer is told as several lines.
_LONGEST_LINE = 1 << 16


class JavaMachine:
    """A process group of its own: the machine, and every process that it starts."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._up = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, command: Sequence[str], env: Mapping[str, str]) -> "JavaMachine":
        """Start it. Raises OSError where it cannot be."""
        return cls(
            await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env=env,
                start_new_session=True,
                limit=_LONGEST_LINE,
            )
        )

    async def _read(self) -> None:
        """Pass on what its log says; keep the rest for the case that it ends."""
        output = cast("asyncio.StreamReader", self._process.stdout)
        while line := await _line(output):
            if line.startswith(_OWN_LINE):
                write_all(line)
            if line.startswith(_STARTED):
                self._up.set()
            self._tail.append(line.decode("utf-8", "replace").strip())

    async def up(self) -> bool:
        """Wait until it listens; return False where it ends before."""
        waiting = asyncio.create_task(self._up.wait())
        try:
            await asyncio.wait([waiting, self._reading], return_when=asyncio.FIRST_COMPLETED)
            return self._up.is_set()
        finally:
            waiting.cancel()

    async def ended(self) -> str:
        """Return how it ended, in words, once it has."""
        code = await self._process.wait()
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        await asyncio.wait([self._reading], timeout=1)  # a worker may hold its output open
        last = next((line for line in reversed(self._tail) if line), "")
        return f"{how}: {last}" if last and not self._up.is_set() else how

    async def kill(self) -> None:
        """End it, and whatever it started; none is left on return."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        self._reading.cancel()


async def _line(output: asyncio.StreamReader) -> bytes:
    """Return the next line, or piece of a long one; b"" at the end. It is read on in any case: the
    machine would stand still where nobody takes what it says.
    """
    try:
        return await output.readuntil()
    except asyncio.IncompleteReadError as error:
        return error.partial
    except asyncio.LimitOverrunError as error:
        return await output.readexactly(max(1, error.consumed))
