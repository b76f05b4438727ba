"""Checkpoints: 100 MB of tensors saved and loaded, against torch.save with fsync and torch.load.

In one container of the training image, in turns.
"""

import json
import statistics
import subprocess

from benchmarks.table import Row

IMAGE = "sagedock-training:cpu"
GOAL = 1.15
#: Inside the container: each round saves and loads both ways, and prints its seconds.
PROGRAM = """
import json, os, tempfile, time
import torch
from pathlib import Path
from sagedock.runtime import Checkpoints

state = {f"layer{n}": torch.randn(1_000_000) for n in range(25)}

def timed(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began

def bare_save():
    with open(bare, "wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())

folder = Path(tempfile.mkdtemp(dir="/opt/ml/checkpoints"))
bare = folder / "bare.pt"
for number in range(1, 12):
    ours = Checkpoints(folder / "ours", keep=1, say=lambda _: None)
    ours.load()
    seconds = {
        "save": timed(lambda: ours.save(number, state)),
        "bare_save": timed(bare_save),
        "load": timed(lambda: Checkpoints(folder / "ours", say=lambda _: None).load()),
        "bare_load": timed(lambda: torch.load(bare, weights_only=True)),
    }
    if number > 1:  # the first one warms up
        print(json.dumps(seconds), flush=True)
"""


def rows() -> list[Row]:
    """Measure ten rounds of both."""
    command = ["docker", "run", "--rm", "-v", "/opt/ml/checkpoints", "--entrypoint", "python3"]
    done = subprocess.run(
        [*command, IMAGE, "-c", PROGRAM], check=True, capture_output=True, text=True
    )
    rounds = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return [_row(rounds, what) for what in ("save", "load")]


def _row(rounds: list[dict[str, float]], what: str) -> Row:
    ours = statistics.median(each[what] for each in rounds)
    bare = statistics.median(each[f"bare_{what}"] for each in rounds)
    ratio = statistics.median(each[what] / each[f"bare_{what}"] for each in rounds)
    peer = "torch.save and fsync" if what == "save" else "torch.load"
    return Row(
        what=f"checkpoint of 100 MB: {what}",
        ours=f"{ours:.3f} s",
        against=f"{peer}: {bare:.3f} s",
        ratio=f"{ratio:.2f}x",
        goal=f"at most {GOAL}x",
        met=ratio <= GOAL,
    )
