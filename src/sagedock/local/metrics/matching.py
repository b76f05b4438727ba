"""A process of our own that applies a job's metric definitions, started when there are lines."""

import json
import select
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagedock.local.metrics import worker

__all__ = ["Found", "Matcher", "MatcherBroke"]

#: It ends each expression itself; a process that is silent for so long has broken.
_SILENCE_S = 300.0


class MatcherBroke(Exception):
    """The process could not be started, died, or fell silent; the text says which."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What lines hold: for each definition (index of the line, value), in order.

    ``given_up`` are the definitions that took too much, and are not applied any more.
    """

    values: Sequence[Sequence[tuple[int, float]]]
    given_up: Sequence[int]


class Matcher:
    """Applies ``expressions``, which Python's ``re`` takes. A context manager.

    ``python`` is the program that runs the process.
    """

    def __init__(self, expressions: Sequence[str], python: str = sys.executable) -> None:
        self._expressions = expressions
        self._python = python
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "Matcher":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    with suppress(BrokenPipeError):
                        pipe.close()
            self._process = None

    def find(self, lines: Sequence[str]) -> Found:
        """Return what ``lines`` hold. Raises MatcherBroke."""
        if self._process is None:
            self._process = _started(self._python)
            self._send(self._process, self._expressions)
        self._send(self._process, lines)
        answer = self._receive(self._process)
        return Found(values=answer["values"], given_up=answer["given_up"])

    def _send(self, process: "subprocess.Popen[str]", message: Any) -> None:
        pipe = process.stdin
        if pipe is None:
            raise MatcherBroke("it has no input")
        try:
            pipe.write(json.dumps(message) + "\n")
            pipe.flush()
        except BrokenPipeError as error:
            raise MatcherBroke(f"it ended with {process.wait()}") from error

    def _receive(self, process: "subprocess.Popen[str]") -> Any:
        pipe = process.stdout
        if pipe is None:
            raise MatcherBroke("it has no output")
        readable = select.poll()  # select takes no descriptor beyond 1023
        readable.register(pipe, select.POLLIN)
        if not readable.poll(_SILENCE_S * 1000):
            raise MatcherBroke(f"it was silent for {_SILENCE_S:.0f} s")
        answer = pipe.readline()
        if not answer.endswith("\n"):
            raise MatcherBroke(f"it ended with {process.wait()}")
        try:
            return json.loads(answer)
        except ValueError as error:
            raise MatcherBroke(f"it sent no answer: {answer!r:.80}") from error


def _started(python: str) -> "subprocess.Popen[str]":
    """Start it apart from our terminal's signals. It ends when its input does."""
    try:
        return subprocess.Popen(
            [python, "-I", str(Path(worker.__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
    except OSError as error:
        raise MatcherBroke(f"it cannot be started: {error}") from error
