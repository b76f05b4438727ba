"""SIGTERM, taken note of: what is to be done about it waits until the end of a step."""

import os
import signal
from types import FrameType, TracebackType
from typing import Any, Self

__all__ = ["StopSignal", "Stopped"]


class Stopped(SystemExit):
    """The program was asked to stop, and its state is saved; uncaught, it ends the program."""


class StopSignal:
    """As a context manager, notes SIGTERM instead of ending the program.

    The handler that was there is called by ``pass_on``, and comes back at the end.
    """

    def __init__(self) -> None:
        self.asked = False
        self._previous: Any = signal.SIG_DFL
        self._process = os.getpid()

    def __enter__(self) -> Self:
        """Install the handler. Raises ValueError outside the main thread, as Python does."""
        self._process = os.getpid()
        self._previous = signal.signal(signal.SIGTERM, self._note) or signal.SIG_DFL
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Put the former handler back, unless somebody has put another one there."""
        if signal.getsignal(signal.SIGTERM) == self._note:
            signal.signal(signal.SIGTERM, self._previous)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if os.getpid() == self._process:
            self.asked = True
        else:  # a forked worker inherits this handler; it ends as it would without us
            signal.signal(number, self._previous)
            os.kill(os.getpid(), number)

    def pass_on(self) -> None:
        """Call the handler that was there before, if it is a function."""
        if callable(self._previous):
            self._previous(signal.SIGTERM, None)
