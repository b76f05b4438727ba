"""An alarm for the event loop that is on time: loops' own timers count whole milliseconds."""

import asyncio
import ctypes
import os
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["Alarm", "alarm_of"]

#: Source: linux/time.h, linux/timerfd.h.
_CLOCK_MONOTONIC = 1
_TFD_TIMER_ABSTIME = 1
_NS = 1_000_000_000


class Alarm:
    """Calls ``ring`` once at the time that was set last, in seconds of ``time.monotonic()``."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self._loop, self._ring = loop, ring
        self._handle: asyncio.TimerHandle | None = None

    def set(self, at: float, now: float) -> None:
        """Ring at ``at``, or as soon as it can where that is past."""
        self._handle = self._loop.call_later(max(0.0, at - now), self._ring)

    def close(self) -> None:
        """Ring no more."""
        if self._handle is not None:
            self._handle.cancel()


class _FineAlarm(Alarm):
    """An alarm by Linux's timerfd, late by some ten microseconds instead of up to a thousand."""

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        super().__init__(loop, ring)
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._file = self._libc.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._file < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        loop.add_reader(self._file, self._rang)

    def set(self, at: float, now: float) -> None:  # noqa: ARG002 - the interface
        seconds, ns = divmod(max(1, round(at * _NS)), _NS)
        times = (ctypes.c_long * 4)(0, 0, seconds, ns)
        if self._libc.timerfd_settime(self._file, _TFD_TIMER_ABSTIME, times, None):
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def close(self) -> None:
        self._loop.remove_reader(self._file)
        os.close(self._file)

    def _rang(self) -> None:
        try:
            os.read(self._file, 8)
        except BlockingIOError:  # it was set anew before it was read
            return
        self._ring()


def alarm_of(loop: asyncio.AbstractEventLoop, ring: Callable[[], Any]) -> Alarm:
    """Return the finest alarm of this system."""
    return _FineAlarm(loop, ring) if sys.platform == "linux" else Alarm(loop, ring)
