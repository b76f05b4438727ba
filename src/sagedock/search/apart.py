"""Bayesian search in a process of its own, with one thread: it starts with the first model."""

import json
import os
import select
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sagedock.errors import SagedockError
from sagedock.search import worker
from sagedock.search.bayesian import Bayesian
from sagedock.search.space import Category, Numbers, Space
from sagedock.search.trials import Tried, Values

__all__ = ["Apart", "asked"]

#: A process that is silent for so long has broken.
_SILENCE_S = 300.0
#: More threads than one do not make small matrices faster, and take processors from others.
_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class _Broke(Exception):
    """The process could not be started, died, or fell silent; the text says which."""


class Apart:
    """Proposes what ``Bayesian`` does. ``python`` is the program that runs the process."""

    def __init__(self, *, space: Space, seed: int, python: str = sys.executable) -> None:
        self._bayesian = Bayesian(space=space, seed=seed)
        self._python = python
        self._process: subprocess.Popen[str] | None = None

    def propose(self, number: int, tried: Sequence[Tried]) -> Values:
        """Return the values of try ``number``; see ``Search``. A process that died is started
        again, once. Raises SagedockError where that breaks, too.
        """
        if not self._bayesian.has_model(tried):
            return self._bayesian.propose(number, tried)
        request = _request(self._bayesian, number, tried)
        try:
            return self._answer(request)
        except _Broke:
            self.close()
        try:
            return self._answer(request)
        except _Broke as error:
            self.close()
            raise SagedockError(f"the search for hyperparameters broke: {error}") from error

    def close(self) -> None:
        """End the process, if it runs."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        self._process = None

    def _answer(self, request: str) -> Values:
        if self._process is None:
            self._process = _started(self._python)
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise _Broke("it has no pipes")
        try:
            process.stdin.write(request + "\n")
            process.stdin.flush()
        except BrokenPipeError as error:
            raise _Broke(f"it ended with {process.wait()}") from error
        readable = select.poll()  # select takes no descriptor beyond 1023
        readable.register(process.stdout, select.POLLIN)
        if not readable.poll(_SILENCE_S * 1000):
            raise _Broke(f"it was silent for {_SILENCE_S:.0f} s")
        answer = process.stdout.readline()
        if not answer.endswith("\n"):
            raise _Broke(f"it ended with {process.wait()}")
        values: dict[str, str] = json.loads(answer)
        return values


def asked(request: Mapping[str, Any]) -> tuple[Space, int, int, list[Tried]]:
    """Return what a request asks for: the space, the seed, the number, and what was tried."""
    ranges = [
        Category(**each) if "choices" in each else Numbers(**each) for each in request["ranges"]
    ]
    tried = [Tried(**each) for each in request["tried"]]
    return Space(ranges=ranges), request["seed"], request["number"], tried


def _request(bayesian: Bayesian, number: int, tried: Sequence[Tried]) -> str:
    return json.dumps(
        {
            "ranges": [asdict(each) for each in bayesian.space.ranges],
            "seed": bayesian.seed,
            "number": number,
            "tried": [asdict(each) for each in tried],
        }
    )


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
            env={**os.environ, **_ONE_THREAD},
        )
    except OSError as error:
        raise _Broke(f"it cannot be started: {error}") from error
