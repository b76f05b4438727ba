"""Signals that end a command in an orderly way."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["ended_by_signals"]


@contextmanager
def ended_by_signals() -> Iterator[threading.Event]:
    """Yield an event that SIGINT, SIGTERM and a closed terminal set; a second one is the default
    again.
    """
    ended = threading.Event()

    def end(number: int, _: FrameType | None) -> None:
        ended.set()
        signal.signal(number, signal.SIG_DFL)

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup leaves it
        signal.signal(signal.SIGHUP, end)
    yield ended
