"""A channel of 5 GB, File and FastFile: the time to the first line, and the disk it takes."""

import os
import tempfile
from pathlib import Path

from benchmarks.startup import BUCKET, Jobs
from benchmarks.table import Row, interleaved
from sagedock import LocalSageMaker

ROUNDS = 5
FILES = 5
FILE_BYTES = 1_000_000_000
CHUNK = os.urandom(10_000_000)
GOAL_S = 1.0
GB = 1e9


def rows() -> list[Row]:
    """Measure a channel of 5 GB against one of a few bytes."""
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) / "home"
        with LocalSageMaker(home=home) as server:
            jobs = Jobs(server)
            jobs.s3.put_object(Bucket=BUCKET, Key="small/a", Body=b"1")
            big = home / "s3" / "buckets" / BUCKET / "big"
            big.mkdir(parents=True)
            for number in range(FILES):
                with (big / f"part-{number}").open("wb") as part:
                    for _ in range(FILE_BYTES // len(CHUNK)):
                        part.write(CHUNK)
            jobs.seconds_to_first_line(jobs.channel("data", "big"))
            return [row for mode in ("File", "FastFile") for row in _rows_of(mode, jobs, home)]


def _rows_of(mode: str, jobs: Jobs, home: Path) -> list[Row]:
    big = {**jobs.channel("data", "big"), "InputMode": mode}
    small = {**jobs.channel("data", "small"), "InputMode": mode}
    before = free_bytes(home)
    lowest = before

    def with_big() -> float:
        nonlocal lowest
        seconds = jobs.seconds_to_first_line(big)
        lowest = min(lowest, free_bytes(home))
        return seconds

    ours, other, _ = interleaved(ROUNDS, with_big, lambda: jobs.seconds_to_first_line(small))
    used = max(0, before - lowest)
    return [
        Row(
            what=f"a 5 GB channel in {mode} mode, CreateTrainingJob to the first line",
            ours=f"{ours:.2f} s",
            against=f"a channel of 1 byte: {other:.2f} s",
            ratio=f"{ours - other:+.2f} s",
            goal=f"within {GOAL_S:.0f} s",
            met=ours - other <= GOAL_S,
        ),
        Row(
            what=f"a 5 GB channel in {mode} mode, disk used by jobs that mount it",
            ours=f"{used / GB:.2f} GB",
            against="a copy: 5.00 GB",
            ratio=f"{used / (FILES * FILE_BYTES):.2f}x",
            goal="no second copy",
            met=used < FILE_BYTES,
        ),
    ]


def free_bytes(path: Path) -> int:
    """Return what the disk of ``path`` has left."""
    stat = os.statvfs(path)
    return stat.f_bavail * stat.f_frsize
