"""Ranks as processes that a hub lets talk: each hands in a value, and gets those of all."""

import os
import signal
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe
from threading import Thread
from typing import Any

from sagedock.runtime.checkpoints import Ranks


def ranks_of(connection: Connection, rank: int, count: int) -> Ranks:
    """Return the ranks as one of the processes sees them."""

    def gather(value: Any) -> Sequence[Any]:
        connection.send(value)
        found: Sequence[Any] = connection.recv()
        return found

    return Ranks(rank=rank, count=count, gather=gather)


@dataclass
class RankProcesses:
    """``count`` processes that run ``program(ranks)``; where one is killed, the others end too."""

    count: int
    program: Callable[[Ranks], None]
    pids: list[int] = field(default_factory=list)
    _ends: list[Connection] = field(default_factory=list)

    def start(self) -> None:
        """Fork them, and serve their talk until one of them ends."""
        pipes = [Pipe() for _ in range(self.count)]
        self._ends = [here for here, _ in pipes]
        for rank, (_, there) in enumerate(pipes):
            others = [end for pipe in pipes for end in pipe if end is not there]
            self.pids.append(self._fork(rank, there, others))
        for _, there in pipes:
            there.close()
        Thread(target=self._serve, daemon=True).start()

    def _fork(self, rank: int, connection: Connection, others: Sequence[Connection]) -> int:
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            for other in others:
                other.close()
            self.program(ranks_of(connection, rank, self.count))
            code = 0
        except SystemExit as stopped:
            code = int(str(stopped.code))
        except (EOFError, BrokenPipeError, ConnectionResetError):
            code = 9  # another rank has gone
        except BaseException:  # noqa: BLE001 - a forked child must not go on as pytest
            traceback.print_exc()
        finally:
            os._exit(code)

    def _serve(self) -> None:
        try:
            while True:
                values = [end.recv() for end in self._ends]
                for end in self._ends:
                    end.send(values)
        except (EOFError, OSError):
            for end in self._ends:
                end.close()

    def signal(self, rank: int, number: signal.Signals) -> None:
        os.kill(self.pids[rank], number)

    def wait(self) -> list[int]:
        """Return each process's exit code, negative for a signal, once all have ended."""
        return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in self.pids]


def run_ranks(count: int, program: Callable[[Ranks], None]) -> list[int]:
    """Run a program on every rank to its end; return the exit codes."""
    processes = RankProcesses(count=count, program=program)
    processes.start()
    return processes.wait()
