"""Run a program as a session of its own: its signals, its stderr, its orphans, its exit code.

The launcher is PID 1 of the container, so it does what PID 1 must: it takes signals (the kernel
drops those that PID 1 has no handler for) and waits for orphans. The program's stdout is the
container's own; its stderr passes through a relay, which keeps the last lines for the failure file.
"""

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from sagedock.contract import limits, signals
from sagedock.runtime import exits, processes
from sagedock.runtime.log import say
from sagedock.runtime.relay import Relay

__all__ = ["Ended", "Supervisor"]

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_GRACE_S = float(int(limits.TRAINING_STOP_GRACE_S))
#: After this many seconds, workers that were left to their program get the signal too.
_WORKERS_AFTER_S = _GRACE_S / 2
#: How long what a stopped script leaves running may take to end: nearly the platform's grace
#: where the script died of the signal (a shell script without a trap), little where it ended
#: by itself.
_ORPHANS_S = _GRACE_S - 10.0
_ORPHANS_OF_A_TIDY_SCRIPT_S = 5.0
_ORPHANS_POLL_S = 0.05


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a program ended: the code for the container, the stop signal it got, its last stderr.

    ``by_launcher``: the code is torchrun's or mpirun's, which report workers that died of a signal
    as a failure of their own.
    """

    exit_code: int
    stop_signal: signal.Signals | None
    stderr: tuple[str, ...]
    by_launcher: bool = False

    @property
    def stopped(self) -> bool:
        """Whether it died of the stop signal that was passed on to it."""
        if self.by_launcher and self.stop_signal is not None:
            return self.exit_code != signals.EXIT_SUCCESS
        return _died_of(self.stop_signal, self.exit_code)


class Supervisor:
    """Passes stop signals on to the program that runs; between programs, they end the launcher."""

    def __init__(self) -> None:
        self._script: int | None = None
        self._starting = False
        self._kept: signal.Signals | None = None
        self._stop: signal.Signals | None = None
        self._told: set[int] = set()
        self._launchers: Sequence[str] = ()
        self._workers_at: float | None = None
        self._wake, wake_write = os.pipe()
        for fd in (self._wake, wake_write):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)  # it only wakes the loop
        for number in _STOP_SIGNALS:
            signal.signal(number, self._on_stop)

    def run(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        launchers: Sequence[str] = (),
    ) -> Ended:
        """Run ``command`` to its end. Raises OSError where it cannot be started.

        A stop is for what the ``launchers`` among its programs have started, not for themselves.
        After a stop nothing more is started: SystemExit ends the launcher, as between programs.
        """
        self._end_if_stopped()
        self._launchers = launchers
        with self._started(command, env, cwd) as (script, relay):
            code = self._follow(script, relay)
            if self._stop is not None:
                self._end_orphans(self._stop, script, relay, code)
            return Ended(
                exit_code=code,
                stop_signal=self._stop,
                stderr=relay.tail.lines(),
                by_launcher=bool(launchers),
            )

    def _end_if_stopped(self) -> None:
        if self._stop is not None:
            raise SystemExit(signals.EXIT_SIGNALLED + self._stop)

    @contextlib.contextmanager
    def _started(
        self, command: Sequence[str], env: Mapping[str, str], cwd: Path
    ) -> Iterator[tuple[int, Relay]]:
        stderr, stderr_write = os.pipe()
        try:
            script = self._spawn(command, env, cwd, stderr_write)
        finally:
            os.close(stderr_write)
        try:
            yield script, Relay(stderr)
        finally:
            self._script = None
            os.close(stderr)

    def _spawn(self, command: Sequence[str], env: Mapping[str, str], cwd: Path, stderr: int) -> int:
        self._starting = True  # a signal that arrives now is kept for the new process
        try:
            child = subprocess.Popen(
                command, env=env, cwd=cwd, stderr=stderr, start_new_session=True
            )
            self._script = child.pid
        finally:
            self._starting = False
        child.returncode = 0  # it is waited for here, not by subprocess
        if self._kept is not None:
            self._pass_on(self._kept, child.pid)
        return child.pid

    def _on_stop(self, number: int, _frame: FrameType | None) -> None:
        self._stop = signal.Signals(number)
        if self._script is not None:
            self._pass_on(self._stop, self._script)
        elif self._starting:
            self._kept = self._stop
        else:
            say(f"{self._stop.name} received while no script runs: stopping")
            raise SystemExit(signals.EXIT_SIGNALLED + number)

    def _pass_on(self, stop: signal.Signals, script: int) -> None:
        """Send a stop signal to the script and to every program it started."""
        if self._workers_at is None:
            self._workers_at = time.monotonic() + _WORKERS_AFTER_S
        table = processes.process_table()
        job = processes.members(table, script, os.getpid())
        concerned = processes.audience(table, job, self._launchers)
        targets = processes.programs(table, concerned, script)
        self._tell(stop, targets)
        say(f"{stop.name} received, passed on to {len(targets)} process(es) of the script")

    def _follow(self, script: int, relay: Relay) -> int:
        """Relay stderr and wait for children until the script has ended; return its exit code."""
        poller = select.poll()
        poller.register(relay.fd, select.POLLIN)
        poller.register(self._wake, select.POLLIN)
        while (status := _reap(script)) is None:
            for fd, _ in poller.poll(self._poll_ms()):
                if fd == self._wake:
                    os.read(fd, 512)
                elif not relay.copy():
                    poller.unregister(fd)
            self._reach_workers(script)
        relay.drain()
        return exits.exit_code(status)

    def _poll_ms(self) -> float | None:
        return None if self._workers_at is None else _milliseconds_until(self._workers_at)

    def _reach_workers(self, script: int) -> None:
        if self._stop is None or self._workers_at is None or _milliseconds_until(self._workers_at):
            return
        self._workers_at = float("inf")  # once
        table = processes.process_table()
        job = processes.members(table, script, os.getpid())
        self._tell(self._stop, processes.audience(table, job, self._launchers) - self._told)

    def _end_orphans(self, stop: signal.Signals, script: int, relay: Relay, exit_code: int) -> None:
        """Give what a stopped script left running the signal, once each, and time to end."""
        patience_s = _ORPHANS_S if _died_of(stop, exit_code) else _ORPHANS_OF_A_TIDY_SCRIPT_S
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            _reap(script)
            left = processes.members(processes.process_table(), script, os.getpid())
            if not left:
                return
            self._tell(stop, left - self._told)
            time.sleep(_ORPHANS_POLL_S)
            relay.drain()

    def _tell(self, stop: signal.Signals, pids: set[int]) -> None:
        self._told |= pids
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):  # it ended meanwhile
                os.kill(pid, stop)


def _milliseconds_until(moment: float) -> float:
    return min(max(0.0, moment - time.monotonic()) * 1000, 3_600_000.0)


def _died_of(stop: signal.Signals | None, code: int) -> bool:
    return stop is not None and exits.killed_by(code) == stop.name


def _reap(script: int) -> int | None:
    """Wait for all children that have ended; return the script's wait status if it is one."""
    found = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        if pid == script:
            found = status
