"""The native model server's start and memory, against AWS's toolkit and bare processes."""

import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import docker

from benchmarks.peers import FILES, OURS, PEERS, SERVING, Running, running
from benchmarks.table import Row

__all__ = ["rows"]

_ROUNDS = 5
_MOST_S, _MOST_MB = 1.0, 60
_LOAD = "import sys; sys.path.insert(0, '/bench'); import torch, models; model = models.load()"
_ONE = replace(OURS, environment={"SAGEMAKER_MODEL_SERVER_WORKERS": "1", "OMP_NUM_THREADS": "1"})


def rows() -> list[Row]:
    """Measure the time to the first good answer, and what one worker takes, in turns."""
    (mms,) = (each for each in PEERS if each.name == "mms")
    first: dict[str, list[float]] = {"ours": [], "mms": [], "load": []}
    memory: dict[str, list[float]] = {"ours": [], "load": []}
    for _ in range(_ROUNDS):
        with running(_ONE, "mlp") as one:
            first["ours"].append(one.first_answer_s)
            memory["ours"].append(one.memory_mb())
        with _loading() as (took_s, memory_mb):
            first["load"].append(took_s)
            memory["load"].append(memory_mb())
        with running(mms, "mlp") as one:
            first["mms"].append(one.first_answer_s)
    own, load, theirs = (statistics.median(first[name]) for name in ("ours", "load", "mms"))
    held, bare = (statistics.median(memory[name]) for name in ("ours", "load"))
    return [
        Row(
            what="start of the container to the first good answer, one worker",
            ours=f"{own:.2f} s",
            against=f"import torch and the model's load: {load:.2f} s",
            ratio=f"+{own - load:.2f} s",
            goal=f"+{_MOST_S} s",
            met=own - load <= _MOST_S,
        ),
        Row(
            what="the same",
            ours=f"{own:.2f} s",
            against=f"mms: {theirs:.2f} s",
            ratio=f"{own / theirs:.2f}x",
            goal="below 1x",
            met=own < theirs,
        ),
        Row(
            what="memory, one worker",
            ours=f"{held:.0f} MB",
            against=f"a process that holds the model: {bare:.0f} MB",
            ratio=f"+{held - bare:.0f} MB",
            goal=f"+{_MOST_MB} MB",
            met=held - bare <= _MOST_MB,
        ),
    ]


@contextmanager
def _loading() -> Iterator[tuple[float, Callable[[], float]]]:
    """Load the model in a bare process of the same image; yield the seconds and its memory."""
    began = time.perf_counter()
    container = docker.from_env().containers.run(
        SERVING,
        ["python3", "-c", f"{_LOAD}; print('loaded', flush=True); sys.stdin.read()"],
        detach=True,
        stdin_open=True,
        environment={"BENCH_MODEL": "mlp", "OMP_NUM_THREADS": "1"},
        volumes={str(FILES): {"bind": "/bench", "mode": "ro"}},
    )
    try:
        follow = subprocess.Popen(
            ["docker", "logs", "--follow", container.id], stdout=subprocess.PIPE, text=True
        )
        with follow:
            if not follow.stdout or follow.stdout.readline() != "loaded\n":
                raise RuntimeError("the model was not loaded")
            took_s = time.perf_counter() - began
            yield took_s, Running(container).memory_mb
            container.kill()  # ends what follows it
    finally:
        container.remove(force=True)
