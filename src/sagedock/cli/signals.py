"""Signals that end a command in an orderly way."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import typer

__all__ = ["INTERRUPTED", "ended_by_signals", "interruptible"]

#: What a shell ends with after Ctrl-C.
INTERRUPTED = 130


@contextmanager
def ended_by_signals() -> Iterator[threading.Event]:
    """Yield an event that SIGINT, SIGTERM and a closed terminal set; a second one is the default
    again. Afterwards all are what they were.
    """
    ended = threading.Event()

    def end(number: int, _: FrameType | None) -> None:
        ended.set()
        signal.signal(number, signal.SIG_DFL)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    for number, handler in before.items():
        if number != signal.SIGHUP or handler is not signal.SIG_IGN:  # as nohup leaves it
            signal.signal(number, end)
    try:
        yield ended
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def interruptible(words: str | Callable[[], str]) -> Iterator[None]:
    """Let SIGTERM and a closed terminal end what is done here as Ctrl-C does: in order, with
    ``words`` (what gives them is called then) on standard error, and with a shell's code.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # as nohup leaves it
            signal.signal(number, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt as error:
        typer.echo(words if isinstance(words, str) else words(), err=True)
        raise typer.Exit(INTERRUPTED) from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
