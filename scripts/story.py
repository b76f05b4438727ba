"""The whole story of the digits, one program after another, and what came of it at the end.

python scripts/story.py

process.py -> tune.py -> train.py (with the best learning rate) -> pipeline.py (prepare, train,
evaluate, register, approve, deploy) -> deploy.py -> transform.py. Nothing stays but what is in S3,
the trained models and the registered version.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from program import INTERRUPTED, parser_of, report, run

from sagedock import SagedockError

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """What one program did, in words, and how long it took."""

    title: str
    told: str
    lasted_s: float


def main() -> int:
    options = parse_options()
    chapters: list[Chapter] = []
    facts: dict[str, Any] = {}

    def tell(
        title: str, words: Callable[[Mapping[str, Any]], str], program: str, *more: str
    ) -> Mapping[str, Any]:
        began = time.monotonic()
        found = answered(program, options, *more)
        told = words(found)
        chapters.append(Chapter(title=title, told=told, lasted_s=time.monotonic() - began))
        facts[title] = found
        return found

    epochs = ("--epochs", str(options.epochs))
    tell("process", _rows, "process.py")
    tuning = ("--jobs", str(options.jobs), "--parallel", "2", "--epochs", "5")
    best = tell("tune", lambda f: f"{_accuracy(f)} with lr {f['lr']:.4g}", "tune.py", *tuning)
    trained = ("--lr", str(best["lr"]), *epochs)
    tell("train", lambda f: _accuracy(f["metrics"]), "train.py", *trained)
    tell("pipeline", _registered, "pipeline.py", *epochs)
    tell("deploy", lambda f: f"{_accuracy(f)}, {f['p50_ms']:.1f} ms a call", "deploy.py")
    tell("transform", lambda f: f"{_accuracy(f)} of {f['rows']} rows", "transform.py")
    if options.json:
        report(facts, as_json=True)
    else:
        print(summary(chapters))
    return 0


def answered(program: str, options: argparse.Namespace, *more: str) -> Mapping[str, Any]:
    """Run a program, its progress shown as it comes; return its result."""
    print(f"\n== scripts/{program}", file=sys.stderr, flush=True)
    places = ["--target", options.target, "--role", options.role]
    command = [sys.executable, str(HERE / program), *places, "--json", *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        said, was_interrupted = read_to_the_end(running)
    if was_interrupted or running.returncode == INTERRUPTED:
        raise KeyboardInterrupt
    if running.returncode != 0:
        raise SagedockError(f"scripts/{program} ended with {running.returncode}: see above")
    found: Mapping[str, Any] = json.loads(said)
    return found


def read_to_the_end(running: "subprocess.Popen[str]") -> tuple[str, bool]:
    """Return what a program printed once it has ended, and whether Ctrl-C was pressed meanwhile.

    The terminal sends that to the program too, each time: it stops its job, and says so.
    """
    was_interrupted = False
    while True:
        try:
            return running.communicate()[0], was_interrupted
        except KeyboardInterrupt:
            was_interrupted = True


def _rows(facts: Mapping[str, Any]) -> str:
    return f"{facts['train rows']} rows to train, {facts['test rows']} to test"


def _accuracy(facts: Mapping[str, Any]) -> str:
    return f"accuracy {facts['test:accuracy']:.4f}"


def _registered(facts: Mapping[str, Any]) -> str:
    accuracy = facts["endpoint:accuracy"]
    return f"version {facts['version']} registered, approved, deployed: accuracy {accuracy:.4f}"


def summary(chapters: list[Chapter]) -> str:
    """Return a line for each chapter, and the sum."""
    lines = [f"  {each.title:<10} {each.lasted_s:6.1f} s  {each.told}" for each in chapters]
    total = sum(each.lasted_s for each in chapters)
    return "\n".join(["", "What was done", *lines, f"  {'in all':<10} {total:6.1f} s"])


def parse_options() -> argparse.Namespace:
    parser = parser_of(__doc__ or "", "sagedock-training")
    parser.add_argument("--jobs", type=int, default=6, help="training jobs of the tuning job")
    parser.add_argument("--epochs", type=int, default=20)
    return parser.parse_args()


if __name__ == "__main__":
    run(main)
